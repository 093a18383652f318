//! Faults injected into a run within this process, as several scenarios do.

use std::path::Path;

use artifacts::RunDir;
use training::{Faults, Outcome, RunError};

use crate::fixture::{Fixture, KEEP_LAST, silent, train};
use crate::snapshot::Snapshot;
use crate::tally::CaseResult;

/// Trains a run without faults in the directory `reference`.
pub fn reference(fixture: &Fixture, device: &str, overrides: &[String]) -> CaseResult<Snapshot> {
    let directory = fixture.path("reference");
    train(fixture.experiment(device, overrides)?.start_at(&directory)?, None)?;
    Snapshot::read(&directory, KEEP_LAST)
}

/// Fails unless a run with `faults` ends with an error that `is_expected`, and its resume with the
/// result of `reference`.
pub fn fail_then_resume(
    fixture: &Fixture,
    overrides: &[String],
    reference: &Snapshot,
    faults: Faults,
    is_expected: impl Fn(&RunError) -> bool,
) -> CaseResult {
    let directory = fixture.path("faulty");
    let result = require_failure(fixture, overrides, &directory, faults, is_expected)
        .and_then(|()| resume(fixture, overrides, &directory))
        .and_then(|snapshot| snapshot.require_equal(reference));
    std::fs::remove_dir_all(&directory)?;
    result
}

fn resume(fixture: &Fixture, overrides: &[String], directory: &Path) -> CaseResult<Snapshot> {
    train(fixture.experiment("flex", overrides)?.resume(RunDir::open(directory)?)?, None)?;
    Snapshot::read(directory, KEEP_LAST)
}

/// Fails unless a run with `faults` in `directory` ends with an error that `is_expected`.
pub fn require_failure(
    fixture: &Fixture,
    overrides: &[String],
    directory: &Path,
    faults: Faults,
    is_expected: impl Fn(&RunError) -> bool,
) -> CaseResult {
    let mut run = fixture.experiment("flex", overrides)?.start_at(directory)?;
    run.inject(faults);
    match run.train(silent()) {
        Ok(Outcome::Finished(_)) => Err("the run finished despite the fault".into()),
        Ok(Outcome::Stopped(stop)) => Err(format!("stopped: {stop:?}").into()),
        Err(error) if is_expected(&error) => Ok(()),
        Err(error) => Err(format!("unexpected error: {error}").into()),
    }
}
