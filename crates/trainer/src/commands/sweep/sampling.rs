//! Settings of a sweep: the combinations of a grid, or random samples.

use std::collections::BTreeMap;

use config::Check;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Value;

/// Overrides of the config as keys and values, in the form of `--set`.
pub type Setting = Vec<(String, String)>;

/// Maximum number of settings of a sweep.
pub const MAX_SETTINGS: usize = 10_000;

/// Randomly sampled settings: `[random]`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RandomSearch {
    /// Number of settings.
    #[schemars(range(min = 1, max = MAX_SETTINGS))]
    trials: usize,
    /// Seed of the sampling.
    #[serde(default)]
    seed: u64,
    /// Distribution of each key.
    keys: BTreeMap<String, Distribution>,
}

/// Distribution of the value of a key.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Distribution {
    /// One of these values.
    Choice(#[schemars(with = "Vec<serde_json::Value>")] Vec<Value>),
    /// Uniform between two numbers.
    Uniform([f64; 2]),
    /// Uniform in the logarithm, between two numbers above 0.
    LogUniform([f64; 2]),
}

/// Every combination of the values of a grid; the last key varies fastest.
pub fn combinations(grid: &BTreeMap<String, Vec<Value>>) -> Vec<Setting> {
    let mut settings = vec![Vec::new()];
    for (key, values) in grid {
        let mut longer = Vec::new();
        for setting in &settings {
            for value in values {
                let mut setting: Setting = setting.clone();
                setting.push((key.clone(), value.to_string()));
                longer.push(setting);
            }
        }
        settings = longer;
    }
    settings
}

impl RandomSearch {
    /// Reports keys without valid values.
    pub fn check(&self, check: &mut Check) {
        for (key, distribution) in &self.keys {
            let message = format!(
                "invalid values for `{key}`: `choice` needs at least one value, the other two the lower number first, and `log_uniform` numbers above 0"
            );
            check.require(key, distribution.is_valid(), message);
        }
    }

    /// All settings, determined by the seed.
    pub fn settings(&self) -> Vec<Setting> {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        let mut settings = Vec::new();
        for _ in 0..self.trials {
            let keys = self.keys.iter();
            settings
                .push(keys.map(|(key, values)| (key.clone(), values.sample(&mut rng))).collect());
        }
        settings
    }
}

impl Distribution {
    fn is_valid(&self) -> bool {
        match self {
            Self::Choice(values) => !values.is_empty(),
            Self::Uniform([low, high]) => low < high,
            Self::LogUniform([low, high]) => 0.0 < *low && low < high,
        }
    }

    fn sample(&self, rng: &mut ChaCha8Rng) -> String {
        match self {
            Self::Choice(values) => {
                let index = rng.random_range(0..values.len().max(1));
                values.get(index).map_or_else(String::new, Value::to_string)
            }
            Self::Uniform([low, high]) => rounded(rng.random_range(*low..=*high)),
            Self::LogUniform([low, high]) => rounded(rng.random_range(low.ln()..=high.ln()).exp()),
        }
    }
}

/// A number with four significant digits.
fn rounded(value: f64) -> String {
    format!("{value:.3e}").parse::<f64>().unwrap_or(value).to_string()
}
