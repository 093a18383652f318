use artifacts::Environment;
use serde::Serialize;
use toml::Value;

use super::RunRecord;
use crate::config::{Difference, FlatConfig, RunConfig, differences, flatten};
use crate::error::RunError;

/// Differences between runs, beside their scores.
#[derive(Debug, Serialize)]
pub struct Comparison {
    /// Keys of the resolved configs.
    pub config: Vec<Difference>,
    /// Properties of the program, the machine and the data.
    pub environment: Vec<Difference>,
}

/// Digits of a checksum that are shown.
const CHECKSUM_DIGITS: usize = 12;

impl Comparison {
    /// Compares `records`.
    pub fn new(records: &[RunRecord]) -> Result<Self, RunError> {
        let configs: Vec<_> = records.iter().map(|record| &record.config).collect();
        let environments = records.iter().map(|record| flatten_environment(&record.environment));
        Ok(Self {
            config: Difference::between(&configs)?,
            environment: differences(&environments.collect::<Vec<_>>()),
        })
    }

    /// Returns true if the runs have the same data, so that their scores are comparable.
    pub fn has_equal_data(&self) -> bool {
        !self.environment.iter().any(|difference| difference.key.starts_with("data."))
    }
}

impl Difference {
    /// The keys in which resolved configs differ.
    pub fn between(configs: &[&RunConfig]) -> Result<Vec<Self>, RunError> {
        let all = configs.iter().map(|config| flatten(config)).collect::<Result<Vec<_>, _>>()?;
        Ok(differences(&all))
    }
}

/// Program, machine and data of a run.
fn flatten_environment(environment: &Environment) -> FlatConfig {
    let Environment { trainer, commit, burn, platform, data, init_from, .. } = environment;
    let programs = [("trainer", trainer), ("burn", burn), ("platform", platform)];
    let programs = programs.into_iter().chain(commit.as_ref().map(|commit| ("commit", commit)));
    let programs = programs.map(|(key, value)| (key.to_owned(), value.clone()));
    let digits = |sum: &String| sum.chars().take(CHECKSUM_DIGITS).collect::<String>();
    let sums = data.sha256.iter().map(|(source, sum)| (format!("data.{source}"), digits(sum)));
    let weights =
        init_from.as_ref().map(|from| ("init_from.sha256".to_owned(), digits(&from.sha256)));
    programs.chain(sums).chain(weights).map(|(key, value)| (key, Value::String(value))).collect()
}
