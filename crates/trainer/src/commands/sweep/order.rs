use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use config::{Check, ConfigError, Document, Rules};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Value;
use training::{RunConfig, schema_of};

use crate::error::Failure;

/// The file of a sweep.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// The config that is varied; relative to the file of the sweep.
    config: PathBuf,
    /// With how many seeds each setting is trained: that of the config, and the next ones.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 1000))]
    pub seeds: u64,
    /// The values of each key, of which every combination is tried.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(with = "BTreeMap<String, Vec<serde_json::Value>>")]
    grid: BTreeMap<String, Vec<Value>>,
    /// Settings that are drawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    random: Option<Random>,
    /// Gives up bad settings early.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub halving: Option<Halving>,
}

/// Settings that are drawn: `[random]`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Random {
    /// How many.
    #[schemars(range(min = 1, max = MOST))]
    trials: usize,
    /// What the drawing depends on.
    #[serde(default)]
    seed: u64,
    /// From where each key is drawn.
    keys: BTreeMap<String, Range>,
}

/// From where a value is drawn.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Range {
    /// One of these.
    Choice(#[schemars(with = "Vec<serde_json::Value>")] Vec<Value>),
    /// Between two numbers.
    Uniform([f64; 2]),
    /// Between two numbers above 0, each power of ten as likely as the next.
    LogUniform([f64; 2]),
}

/// Successive halving (Jamieson and Talwalkar 2016, arXiv:1502.07943): `[halving]`. All settings are
/// trained a little, the best go on for longer.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Halving {
    /// How many epochs every setting is trained.
    #[schemars(range(min = 1, max = 10_000_000))]
    pub epochs: usize,
    /// One in so many goes on, for so many times as many epochs.
    #[serde(default = "three")]
    #[schemars(range(min = 2, max = 1000))]
    pub factor: usize,
}

/// What is overridden in the config, as `--set` takes it.
pub type Setting = Vec<(String, String)>;

const FILE: &str = "sweep.toml";
/// The most settings of a sweep.
const MOST: usize = 10_000;

fn one() -> u64 {
    1
}

fn three() -> usize {
    3
}

impl Order {
    /// Reads the file of a sweep.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let refused = |error: ConfigError| Failure::usage(error.to_string());
        let document = Document::read(path, &[], Rules::default()).map_err(refused)?;
        let mut order: Self = document.checked(&Self::schema(), Self::check).map_err(refused)?;
        let base = path.parent().unwrap_or(Path::new("")).join(&order.config);
        order.config = std::path::absolute(&base).unwrap_or(base);
        Ok(order)
    }

    /// What its file may say, as JSON Schema.
    pub fn schema() -> serde_json::Value {
        schema_of::<Self>("A sweep of trainer")
    }

    /// That of an earlier call that left `directory`.
    pub fn resumed(directory: &Path) -> Result<Self, Failure> {
        let path = directory.join(FILE);
        if !path.is_file() {
            return Err(Failure::usage(format!(
                "cannot continue in {}: there is no {FILE}\n  name the directory of an earlier `trainer sweep`",
                directory.display()
            )));
        }
        Self::read(&path)
    }

    /// Writes it into `directory`.
    pub fn save(&self, directory: &Path) -> Result<(), Failure> {
        let text = toml::to_string(self).map_err(|error| Failure::run(&error))?;
        Ok(training::write_file(&directory.join(FILE), text.as_bytes())?)
    }

    /// Notes what cannot be meant, beside numbers outside their range.
    fn check(&self, check: &mut Check) {
        let is_one = self.grid.is_empty() != self.random.is_none();
        check.require("grid", is_one, "a sweep has either a [grid] or a [random]");
        check.table("grid", |check| {
            for (key, values) in &self.grid {
                check.require(key, !values.is_empty(), format_args!("`{key}` has no value to try"));
            }
        });
        let count =
            self.grid.values().try_fold(1_usize, |all, values| all.checked_mul(values.len()));
        let few = count.is_some_and(|count| count <= MOST);
        check.require("grid", few, format_args!("there are more than {MOST} settings"));
        if let Some(random) = &self.random {
            check.table("random", |check| check.table("keys", |check| random.check(check)));
        }
    }

    /// The name of the config.
    pub fn name(&self) -> String {
        let stem = self.config.file_stem().unwrap_or_default();
        stem.to_string_lossy().into_owned()
    }

    /// The config under a setting.
    pub fn config(&self, setting: &Setting) -> Result<RunConfig, Failure> {
        let overrides: Vec<_> =
            setting.iter().map(|(key, value)| format!("{key}={value}")).collect();
        RunConfig::read(&self.config, &overrides).map_err(|error| Failure::usage(error.to_string()))
    }

    /// Every setting, each with its checked config.
    pub fn settings(&self) -> Result<Vec<(Setting, RunConfig)>, Failure> {
        let settings = match &self.random {
            Some(random) => random.settings(),
            None => combinations(&self.grid),
        };
        let settings = settings.into_iter().map(|setting| {
            let config = self.config(&setting)?;
            must_validate(&config)?;
            Ok((setting, config))
        });
        settings.collect()
    }
}

fn must_validate(config: &RunConfig) -> Result<(), Failure> {
    match config.split.validation_fraction > 0.0 || config.dataset.has_validation() {
        true => Ok(()),
        false => Err(Failure::usage(
            "settings are compared by their validation accuracy, and there is no validation set\n  set split.validation_fraction in the config",
        )),
    }
}

/// Every combination of the values; the last key changes fastest.
fn combinations(grid: &BTreeMap<String, Vec<Value>>) -> Vec<Setting> {
    grid.iter().fold(vec![Vec::new()], |settings, (key, values)| {
        let with = |setting: &Setting, value: &Value| {
            let mut setting = setting.clone();
            setting.push((key.clone(), value.to_string()));
            setting
        };
        settings
            .iter()
            .flat_map(|setting| values.iter().map(|value| with(setting, value)).collect::<Vec<_>>())
            .collect()
    })
}

impl Random {
    fn check(&self, check: &mut Check) {
        let is_wrong = |range: &Range| match range {
            Range::Choice(values) => values.is_empty(),
            Range::Uniform(ends) => !ascend(*ends),
            Range::LogUniform(ends) => !ascend(*ends) || !ascend([0.0, ends[0]]),
        };
        for (key, range) in &self.keys {
            let message = format!(
                "nothing can be drawn for `{key}`: a choice needs values, a range a lower number first, a logarithmic one numbers above 0"
            );
            check.require(key, !is_wrong(range), message);
        }
    }

    fn settings(&self) -> Vec<Setting> {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        let mut setting = || {
            let draw = |(key, range): (&String, &Range)| (key.clone(), range.draw(&mut rng));
            self.keys.iter().map(draw).collect()
        };
        (0..self.trials).map(|_| setting()).collect()
    }
}

/// No NaN does.
fn ascend([low, high]: [f64; 2]) -> bool {
    low < high
}

impl Range {
    fn draw(&self, rng: &mut ChaCha8Rng) -> String {
        match self {
            Self::Choice(values) => {
                let index = rng.random_range(0..values.len().max(1));
                values.get(index).map_or_else(String::new, Value::to_string)
            }
            Self::Uniform([low, high]) => number(rng.random_range(*low..=*high)),
            Self::LogUniform([low, high]) => number(rng.random_range(low.ln()..=high.ln()).exp()),
        }
    }
}

/// Four digits that count: nobody could tell more of them apart.
fn number(value: f64) -> String {
    format!("{value:.3e}").parse::<f64>().unwrap_or(value).to_string()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use config::Manual;

    use super::*;

    fn order(text: &str) -> Result<Order, Failure> {
        let place = tempfile::TempDir::new().unwrap();
        let path = place.path().join("sweep.toml");
        fs::write(&path, format!("config = \"base.toml\"\n{text}")).unwrap();
        Order::read(&path)
    }

    #[test]
    fn a_grid_is_every_combination() {
        let order = order("[grid]\n\"a.b\" = [1, 2]\nc = [\"x\", \"y\", \"z\"]\n").unwrap();
        let settings = combinations(&order.grid);
        assert_eq!(settings.len(), 6);
        let pairs =
            |setting: &Setting| setting.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>();
        assert_eq!(pairs(&settings[1]), ["a.b=1", "c=\"y\""]);
    }

    #[test]
    fn drawn_settings_depend_on_the_seed_alone_and_lie_in_their_range() {
        let drawn = |seed| {
            let text = format!(
                "[random]\ntrials = 50\nseed = {seed}\n[random.keys]\nrate = {{ log_uniform = [1e-4, 1e-1] }}\nsize = {{ choice = [16, 32] }}\n"
            );
            order(&text).unwrap().random.unwrap().settings()
        };
        assert_eq!(drawn(1), drawn(1));
        assert_ne!(drawn(1), drawn(2));
        for setting in drawn(1) {
            let rate: f64 = setting[0].1.parse().unwrap();
            assert!((1e-4..=1e-1).contains(&rate), "{rate}");
            assert!(["16", "32"].contains(&setting[1].1.as_str()));
        }
    }

    #[test]
    fn all_that_is_wrong_with_a_sweep_is_said_at_once_at_its_place() {
        let text = "seeds = 0\n[grid]\na = []\n[halving]\nepochs = 3\nfactor = 1\n";
        let message = order(text).unwrap_err().message().to_owned();
        for words in [
            "3 problems",
            "sweep.toml:2:9: seeds",
            "`a` has no value",
            "sweep.toml:7:10: halving.factor",
        ] {
            assert!(message.contains(words), "no {words}: {message}");
        }
        let message = order("sedes = 1\n[grip]\na = [1]\n").unwrap_err().message().to_owned();
        assert!(message.contains("`sedes`") && message.contains("`grip`"), "{message}");
    }

    #[test]
    fn the_schema_tells_every_key_of_a_sweep_in_words() {
        let manual = Manual::of(&Order::schema());
        for key in ["config", "seeds", "grid", "random.trials", "random.keys", "halving.factor"] {
            let entry = manual.get(key).unwrap();
            assert!(!entry.description.is_empty(), "{key}");
        }
        assert_eq!(manual.get("seeds").unwrap().kind, "whole number, between 1 and 1000");
    }

    #[test]
    fn sweeps_that_cannot_be_meant_are_refused() {
        let wrong = [
            "",
            "[grid]\na = []\n",
            "seeds = 0\n[grid]\na = [1]\n",
            "[grid]\na = [1]\n[halving]\nepochs = 0\n",
            "[random]\ntrials = 2\n[random.keys]\na = { uniform = [2.0, 1.0] }\n",
            "[random]\ntrials = 2\n[random.keys]\na = { log_uniform = [0.0, 1.0] }\n",
            "[grip]\na = [1]\n",
        ];
        for text in wrong {
            assert!(order(text).is_err(), "{text}");
        }
    }
}
