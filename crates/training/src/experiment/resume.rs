//! Config changes that a resumed run may have.

use std::io;

use artifacts::{ArtifactError, DataIdentity, RunDir};
use support::sha256;
use toml::Value;

use crate::config::{self, Difference, RunConfig, flatten};
use crate::error::RunError;

/// Effect of a changed key on a resumed run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    /// The result is the same as with this value from the start.
    Safe,
    /// The run can continue, but can no longer be reproduced from its config alone.
    Noted,
    /// The finished part of the run would be wrong.
    Refused,
}

/// Effects of changes, by the key or a table above it; all other keys are refused. Data are
/// compared by content, not by location.
const CHANGES: [(&str, Change); 21] = [
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
    ("training.best_metric", Change::Noted),
    ("training.checkpoint", Change::Safe),
    ("training.early_stopping", Change::Safe),
    ("training.epochs", Change::Safe),
    ("training.final_fit", Change::Safe),
    ("training.gradient_clipping", Change::Noted),
    ("training.loader", Change::Safe),
    ("training.max_minutes", Change::Safe),
    ("training.on_nan", Change::Safe),
    ("training.plan", Change::Safe),
    ("training.report_every_epochs", Change::Noted),
];

/// Relative change of a learning rate that is not worth a warning.
const MAX_DEVIATION: f64 = 0.01;

/// Returns the changes between the config of the run in `directory` and `config` after which the
/// run cannot be reproduced from its config alone. Fails if the run cannot continue with `config`.
pub fn allowed_changes(config: &RunConfig, directory: &RunDir) -> Result<Vec<String>, RunError> {
    let differences = differences(&config_of(directory, config)?, config)?;
    let refused = with_effect(&differences, Change::Refused);
    if refused.is_empty() {
        Ok(with_effect(&differences, Change::Noted))
    } else {
        Err(conflict(directory, refused))
    }
}

/// The config of the run in `directory`, whose model, if it is a custom one, is that of `config`.
pub fn config_of(directory: &RunDir, config: &RunConfig) -> Result<RunConfig, RunError> {
    let models = config.model.registry();
    Ok(RunConfig::read_with_models(&directory.config(), &[], &models)?)
}

/// Fails unless `config` gives the same result as the run in `directory`.
pub fn check_equal(config: &RunConfig, directory: &RunDir) -> Result<(), RunError> {
    let changes = allowed_changes(config, directory)?;
    if changes.is_empty() { Ok(()) } else { Err(conflict(directory, changes)) }
}

/// Fails unless the data are those of the run in `directory`.
pub fn check_data(
    now: &DataIdentity,
    then: &DataIdentity,
    directory: &RunDir,
) -> Result<(), RunError> {
    let Some((part, [now, then])) = now.first_difference(then) else { return Ok(()) };
    Err(RunError::DataChanged { run: directory.path().to_owned(), part, now, then })
}

fn with_effect(differences: &[Difference], effect: Change) -> Vec<String> {
    let matching = differences.iter().filter(|difference| effect_of(difference) == effect);
    matching.map(text).collect()
}

fn conflict(directory: &RunDir, differences: Vec<String>) -> RunError {
    RunError::ResumeConflict { run: directory.path().to_owned(), differences }
}

fn differences(then: &RunConfig, now: &RunConfig) -> Result<Vec<Difference>, RunError> {
    Ok(config::differences(&[flatten(&with_horizon(then))?, flatten(&with_horizon(now))?]))
}

/// The config with its horizon, if the learning rates depend on it. More epochs then change the
/// rates, unless the horizon stays the same.
fn with_horizon(config: &RunConfig) -> RunConfig {
    let mut config = config.clone();
    let schedule = &config.schedule;
    let horizon = config.training.epochs.map(|epochs| schedule.horizon(epochs));
    let horizon = horizon.or(schedule.horizon_epochs);
    config.schedule.horizon_epochs = horizon.filter(|_| schedule.depends_on_horizon());
    config
}

/// What a resume after `step` steps does to the learning rate, if the config does not let it follow
/// the course that it had in the run. The training set has `examples` examples.
pub fn rate_jump(
    then: &RunConfig,
    now: &RunConfig,
    step: usize,
    examples: usize,
) -> Option<String> {
    let steps_per_epoch = now.training.steps(examples);
    let epochs = [then, now].map(|config| config.training.epochs);
    // The course of a run with a time budget follows its speed.
    let [Some(_), Some(epochs_now)] = epochs else { return None };
    let rate = |config: &RunConfig, step| {
        let total_steps = config.training.total_steps(&[], step, examples);
        let factor = config.schedule.factor(step, steps_per_epoch, total_steps);
        config.optimizer.learning_rate() * factor
    };
    let (last, next) = (rate(then, step.checked_sub(1)?), rate(now, step));
    let is_close = |rate: f64| (next - rate).abs() <= MAX_DEVIATION * rate;
    let is_done = step >= epochs_now * steps_per_epoch;
    if is_done || is_close(last) || is_close(rate(then, step)) {
        return None;
    }
    let horizons = [then, now]
        .map(|config| config.schedule.horizon(config.training.epochs.unwrap_or(epochs_now)));
    let advice = if now.schedule.depends_on_horizon() && horizons[0] != horizons[1] {
        format!(
            ", since the schedule now extends over {} epochs, not {}\n  to keep its course, set `schedule.horizon_epochs = {}`",
            horizons[1], horizons[0], horizons[0]
        )
    } else {
        String::new()
    };
    Some(format!("the learning rate goes from {last:.1e} to {next:.1e}{advice}"))
}

fn effect_of(Difference { key, values }: &Difference) -> Change {
    match effect(key) {
        // The state of one optimizer cannot be used by another.
        Change::Noted if key.starts_with("optimizer.") && values.contains(&None) => Change::Refused,
        effect => effect,
    }
}

fn text(Difference { key, values }: &Difference) -> String {
    let show = |value: Option<&Option<Value>>| {
        value.and_then(Option::as_ref).map_or("absent".to_owned(), Value::to_string)
    };
    format!("{key}: {} in the run, {} now", show(values.first()), show(values.last()))
}

fn effect(key: &str) -> Change {
    let known = CHANGES.iter().find(|(table, _)| {
        key.strip_prefix(table).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    });
    known.map_or(Change::Refused, |(_, effect)| *effect)
}

/// The id of a new run, which its checkpoints carry.
pub fn run_id(config: &RunConfig, data: &DataIdentity) -> Result<String, RunError> {
    let mut keys = flatten(config)?;
    // The checksum of the initial weights counts, not their path.
    let excluded = ["device", "init_from"];
    keys.retain(|key, _| effect(key) != Change::Safe && !excluded.contains(&key.as_str()));
    Ok(sha256(format!("{keys:?}{:?}", data.sha256).as_bytes()))
}

/// Writes the resolved `config` into the run.
pub fn write_config(config: &RunConfig, directory: &RunDir) -> Result<(), RunError> {
    let text = toml::to_string_pretty(config)
        .map_err(|error| ArtifactError::write(&directory.config(), io::Error::other(error)))?;
    Ok(directory.write_config(&text)?)
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
    fn more_epochs_under_a_cosine_are_a_change_unless_the_horizon_stays() {
        let directory = tempfile::TempDir::new().unwrap();
        let (run, _lock) = RunDir::create(&directory.path().join("run")).unwrap();
        let cosine = ["schedule.decay.cosine.final_fraction=0.0", "training.epochs=4"];
        let then = experiment(&cosine);
        write_config(&then, &run).unwrap();
        let longer = experiment(&[cosine[0], "training.epochs=8"]);
        let difference = "schedule.horizon_epochs: 4 in the run, 8 now";
        assert_eq!(allowed_changes(&longer, &run).unwrap(), [difference]);
        let jump = rate_jump(&then, &longer, 4 * then.training.steps(300), 300).unwrap();
        assert!(jump.contains("`schedule.horizon_epochs = 4`"), "{jump}");

        let kept = experiment(&[cosine[0], "training.epochs=8", "schedule.horizon_epochs=4"]);
        check_equal(&kept, &run).unwrap();
        let jump = |now| rate_jump(&then, now, 4 * then.training.steps(300), 300);
        assert_eq!((jump(&kept), jump(&then)), (None, None));
    }

    #[test]
    fn a_noted_change_is_not_an_equal_config() {
        let directory = tempfile::TempDir::new().unwrap();
        let (run, _lock) = RunDir::create(&directory.path().join("run")).unwrap();
        write_config(&experiment(&[]), &run).unwrap();
        check_equal(&experiment(&["training.loader.workers=2"]), &run).unwrap();
        let other = experiment(&["device=flex"]);
        let difference = "device: absent in the run, \"flex\" now";
        assert_eq!(allowed_changes(&other, &run).unwrap(), [difference]);
        let error = check_equal(&other, &run).unwrap_err().to_string();
        assert!(error.contains(difference), "{error}");
    }
}
