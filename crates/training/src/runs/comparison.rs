use serde::Serialize;
use toml::Value;

use super::RunRecord;
use crate::config::RunConfig;
use crate::environment::Environment;
use crate::error::RunError;
use crate::keys::{Keys, differing, keys};

/// In what runs differ, beside their scores.
#[derive(Debug, Serialize)]
pub struct Comparison {
    /// The keys of their resolved configs that differ.
    pub config: Vec<Difference>,
    /// What differs in the program, the machine and the data.
    pub environment: Vec<Difference>,
}

/// Something with another value in one of the runs, or of the configs.
#[derive(Debug, PartialEq, Serialize)]
pub struct Difference {
    /// Its dotted path.
    pub key: String,
    /// The value in each, in their order; none where there is no such key.
    pub values: Vec<Option<Value>>,
}

/// So many digits tell two sums apart.
const DIGITS: usize = 12;

impl Comparison {
    /// In what `records` differ.
    pub fn of(records: &[RunRecord]) -> Result<Self, RunError> {
        let configs: Vec<_> = records.iter().map(|record| &record.config).collect();
        let environments = records.iter().map(|record| circumstances(&record.environment));
        Ok(Self {
            config: Difference::between(&configs)?,
            environment: differences(&environments.collect::<Vec<_>>()),
        })
    }

    /// Whether the runs were tested on the same examples, so that their scores compare.
    pub fn is_of_equal_data(&self) -> bool {
        !self.environment.iter().any(|difference| difference.key.starts_with("data."))
    }
}

impl Difference {
    /// The keys in which resolved configs differ.
    pub fn between(configs: &[&RunConfig]) -> Result<Vec<Self>, RunError> {
        let all = configs.iter().map(|config| keys(config)).collect::<Result<Vec<_>, _>>()?;
        Ok(differences(&all))
    }
}

fn differences(all: &[Keys]) -> Vec<Difference> {
    let difference = |key: String| Difference {
        values: all.iter().map(|keys| keys.get(&key).cloned()).collect(),
        key,
    };
    differing(all).into_iter().map(difference).collect()
}

/// What a run depends on beside its config, but for when it was started.
fn circumstances(environment: &Environment) -> Keys {
    let Environment { trainer, commit, burn, platform, data, .. } = environment;
    let programs = [("trainer", trainer), ("burn", burn), ("platform", platform)];
    let programs = programs.into_iter().chain(commit.as_ref().map(|commit| ("commit", commit)));
    let programs = programs.map(|(key, value)| (key.to_owned(), value.clone()));
    let sums = data
        .sha256
        .iter()
        .map(|(part, sum)| (format!("data.{part}"), sum.chars().take(DIGITS).collect::<String>()));
    programs.chain(sums).map(|(key, value)| (key, Value::String(value))).collect()
}
