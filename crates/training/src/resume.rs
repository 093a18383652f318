//! Which changes of a config a resumed run may bring.

use std::{fmt, io};

use dataset::sha256;
use toml::Value;

use crate::config::RunConfig;
use crate::environment::DataIdentity;
use crate::error::RunError;
use crate::keys::{differing, keys};
use crate::run_dir::RunDir;

/// What it means that a key differs from that of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    /// It leaves what is done valid, and what is to come as it would have been from the start.
    Safe,
    /// The run can go on, but is no longer what its config alone makes.
    Noted,
    /// What is done would not be that of this config.
    Refused,
}

/// The class of every key that is not refused, by its path or that of a table above it. The data
/// are compared by their content rather than by where they lie.
const CHANGES: [(&str, Change); 17] = [
    ("augmentation", Change::Noted),
    ("dataset", Change::Safe),
    ("device", Change::Noted),
    ("objective.class_weights", Change::Noted),
    ("objective.l1", Change::Noted),
    ("objective.l2", Change::Noted),
    ("objective.label_smoothing", Change::Noted),
    ("optimizer", Change::Noted),
    ("reference", Change::Safe),
    ("schedule", Change::Noted),
    ("training.checkpoint", Change::Safe),
    ("training.early_stopping", Change::Safe),
    ("training.epochs", Change::Safe),
    ("training.gradient_clipping", Change::Noted),
    ("training.loader", Change::Safe),
    ("training.on_nan", Change::Safe),
    ("training.report_every_epochs", Change::Noted),
];

/// A key that differs.
struct Difference {
    key: String,
    then: Option<Value>,
    now: Option<Value>,
}

/// Fails if `config` cannot be that of the run in `directory` from now on, and gives the changes
/// after which the run is no longer what its config alone makes.
pub fn changes(config: &RunConfig, directory: &RunDir) -> Result<Vec<String>, RunError> {
    let differences = differences(&RunConfig::read(&directory.config(), &[])?, config)?;
    let of = |class| {
        let differences = differences.iter().filter(move |difference| difference.class() == class);
        differences.map(Difference::to_string).collect::<Vec<_>>()
    };
    let refused = of(Change::Refused);
    match refused.is_empty() {
        true => Ok(of(Change::Noted)),
        false => Err(conflict(directory, refused)),
    }
}

/// Fails if `config` would not have made the run in `directory` as it is.
pub fn must_equal(config: &RunConfig, directory: &RunDir) -> Result<(), RunError> {
    let changes = changes(config, directory)?;
    if changes.is_empty() { Ok(()) } else { Err(conflict(directory, changes)) }
}

fn conflict(directory: &RunDir, differences: Vec<String>) -> RunError {
    RunError::ResumeConflict { run: directory.path().to_owned(), differences }
}

fn differences(then: &RunConfig, now: &RunConfig) -> Result<Vec<Difference>, RunError> {
    let all = [keys(then)?, keys(now)?];
    let differing = differing(&all);
    let [then, now] = all;
    let difference = |key: String| Difference {
        then: then.get(&key).cloned(),
        now: now.get(&key).cloned(),
        key,
    };
    Ok(differing.into_iter().map(difference).collect())
}

impl Difference {
    fn class(&self) -> Change {
        // The state of one optimiser is not that of another.
        let is_other = self.then.is_none() || self.now.is_none();
        match class(&self.key) {
            Change::Noted if is_other && self.key.starts_with("optimizer.") => Change::Refused,
            class => class,
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show =
            |value: &Option<Value>| value.as_ref().map_or("absent".to_owned(), Value::to_string);
        write!(f, "{}: {} in the run, {} now", self.key, show(&self.then), show(&self.now))
    }
}

fn class(key: &str) -> Change {
    let is_in = |table: &str| {
        key.strip_prefix(table).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let known = CHANGES.iter().find(|(table, _)| is_in(table));
    known.map_or(Change::Refused, |(_, class)| *class)
}

/// What the checkpoints of a new run are marked with.
pub fn identity(config: &RunConfig, data: &DataIdentity) -> Result<String, RunError> {
    let mut keys = keys(config)?;
    keys.retain(|key, _| class(key) != Change::Safe && key != "device");
    Ok(sha256(format!("{keys:?}{:?}", data.sha256).as_bytes()))
}

/// Writes the resolved `config` into the run.
pub fn write_config(config: &RunConfig, directory: &RunDir) -> Result<(), RunError> {
    let path = directory.config();
    let text = toml::to_string_pretty(config)
        .map_err(|error| RunError::write(&path, io::Error::other(error)))?;
    directory.write_config(&text)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn experiment(overrides: &[&str]) -> RunConfig {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/course2/moons_gd.toml");
        let overrides: Vec<_> = overrides.iter().copied().map(String::from).collect();
        RunConfig::read(&path, &overrides).unwrap()
    }

    #[test]
    fn a_change_that_a_resume_would_note_makes_it_another_run() {
        let place = tempfile::TempDir::new().unwrap();
        let (run, _lock) = RunDir::create(Some(&place.path().join("run")), "unused").unwrap();
        write_config(&experiment(&[]), &run).unwrap();
        must_equal(&experiment(&["training.loader.workers=2"]), &run).unwrap();
        let other = experiment(&["device=flex"]);
        let difference = "device: absent in the run, \"flex\" now";
        assert_eq!(changes(&other, &run).unwrap(), [difference]);
        let error = must_equal(&other, &run).unwrap_err().to_string();
        assert!(error.contains(difference), "{error}");
    }
}
