//! Settings of a sweep: the combinations of a grid, or random samples of the values of each key.

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
    pub keys: Space,
}

/// The searched keys with their distributions.
pub type Space = BTreeMap<String, Distribution>;

/// Distribution of the value of a key.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Distribution {
    /// One of these values.
    Choice(#[schemars(with = "Vec<serde_json::Value>")] Vec<Value>),
    /// Uniform between two numbers.
    Uniform([f64; 2]),
    /// Uniform in the logarithm, between two numbers above 0.
    LogUniform([f64; 2]),
    /// A whole number between two, both included.
    Integer([i64; 2]),
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
    /// All settings, determined by the seed.
    pub fn settings(&self) -> Vec<Setting> {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        (0..self.trials).map(|_| sample(&self.keys, &mut rng)).collect()
    }
}

/// Reports keys without valid values.
pub fn check_space(space: &Space, check: &mut Check) {
    check.table("keys", |check| {
        for (key, distribution) in space {
            let message = format!(
                "invalid values for `{key}`: `choice` needs at least one value, the others the lower number first, and `log_uniform` numbers above 0"
            );
            check.require(key, distribution.is_valid(), message);
        }
    });
}

/// A random value of each key.
pub fn sample(space: &Space, rng: &mut ChaCha8Rng) -> Setting {
    space.iter().map(|(key, values)| (key.clone(), values.value(values.sample(rng)))).collect()
}

impl Distribution {
    fn is_valid(&self) -> bool {
        match self {
            Self::Choice(values) => !values.is_empty(),
            Self::Uniform([low, high]) => low < high && (high - low).is_finite(),
            Self::LogUniform([low, high]) => 0.0 < *low && low < high && high.is_finite(),
            Self::Integer([low, high]) => low < high,
        }
    }

    /// A random position on the axis: the index of a choice, the logarithm of a `log_uniform` number,
    /// the number itself otherwise.
    fn sample(&self, rng: &mut ChaCha8Rng) -> f64 {
        match self {
            Self::Choice(values) => rng.random_range(0..values.len().max(1)) as f64,
            Self::Uniform([low, high]) => rng.random_range(*low..=*high),
            Self::LogUniform([low, high]) => rng.random_range(low.ln()..=high.ln()),
            Self::Integer([low, high]) => rng.random_range(*low..=*high) as f64,
        }
    }

    /// The value at a position; numbers have four significant digits.
    pub fn value(&self, position: f64) -> String {
        match self {
            Self::Choice(values) => {
                values.get(position as usize).map_or_else(String::new, Value::to_string)
            }
            Self::Uniform([low, high]) => rounded(position).clamp(*low, *high).to_string(),
            Self::LogUniform([low, high]) => rounded(position.exp()).clamp(*low, *high).to_string(),
            Self::Integer([low, high]) => (position.round() as i64).clamp(*low, *high).to_string(),
        }
    }

    /// The position of a value; `None` if it is not one of the distribution.
    pub fn position(&self, value: &str) -> Option<f64> {
        match self {
            Self::Choice(values) => {
                values.iter().position(|one| one.to_string() == value).map(|index| index as f64)
            }
            Self::LogUniform(_) => value.parse().ok().map(f64::ln),
            Self::Uniform(_) | Self::Integer(_) => value.parse().ok(),
        }
    }
}

/// A number with four significant digits.
fn rounded(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sampled_numbers_stay_in_a_range_that_is_narrower_than_their_rounding() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for values in [
            Distribution::Uniform([1.00001, 1.00002]),
            Distribution::LogUniform([1.00001, 1.00002]),
        ] {
            let value: f64 = values.value(values.sample(&mut rng)).parse().unwrap();
            assert!((1.00001..=1.00002).contains(&value), "{value}");
        }
    }

    #[test]
    fn integers_include_both_ends_and_every_value_has_its_position() {
        let integers = Distribution::Integer([2, 4]);
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut seen: Vec<_> =
            (0..100).map(|_| integers.value(integers.sample(&mut rng))).collect();
        seen.sort();
        seen.dedup();
        assert_eq!(seen, ["2", "3", "4"]);
        assert_eq!(integers.position("3"), Some(3.0));
        let choice = Distribution::Choice(vec!["a".into(), 7.into()]);
        assert_eq!([choice.position("7"), choice.position("8")], [Some(1.0), None]);
        let rate = Distribution::LogUniform([1e-4, 1.0]);
        assert_eq!(rate.value(rate.position("0.01").unwrap()), "0.01");
    }
}
