//! What the rows share that plant a fault in a run within this process.

use std::error::Error;
use std::path::Path;

use training::{Faults, Outcome, RunDir, RunError};

use crate::bits::Bits;
use crate::experiment::{Experiment, KEPT, fit, silent};

/// The bits of the run that nothing happened to.
pub fn whole(experiment: &Experiment, overrides: &[String]) -> Result<Bits, Box<dyn Error>> {
    let whole = experiment.path("whole");
    fit(experiment.plan("flex", overrides)?.start(Some(&whole))?, None)?;
    Bits::of(&whole, KEPT)
}

/// Fails unless a run with `faults` ends with an error that `is_right`, and a resume of it ends with
/// the bits of the `whole` run.
pub fn fail_then_resume(
    experiment: &Experiment,
    overrides: &[String],
    whole: &Bits,
    faults: Faults,
    is_right: impl Fn(&RunError) -> bool,
) -> Result<(), String> {
    let directory = experiment.path("faulty");
    let fail = || -> Result<(), Box<dyn Error>> {
        must_fail(experiment, overrides, &directory, faults, is_right)?;
        let run = experiment.plan("flex", overrides)?.resume(RunDir::open(&directory)?)?;
        fit(run, None)?;
        Ok(Bits::of(&directory, KEPT)?.must_equal(whole)?)
    };
    let outcome = fail().map_err(|error| error.to_string());
    std::fs::remove_dir_all(&directory).map_err(|error| error.to_string())?;
    outcome
}

/// Fails unless a run with `faults` in `directory` ends with an error that `is_right`.
pub fn must_fail(
    experiment: &Experiment,
    overrides: &[String],
    directory: &Path,
    faults: Faults,
    is_right: impl Fn(&RunError) -> bool,
) -> Result<(), Box<dyn Error>> {
    let mut run = experiment.plan("flex", overrides)?.start(Some(directory))?;
    run.plant(faults);
    match run.fit(silent()) {
        Ok(Outcome::Finished(_)) => Err("the run ended as if nothing had happened".into()),
        Ok(Outcome::Stopped(stop)) => Err(format!("stopped: {stop:?}").into()),
        Err(error) if is_right(&error) => Ok(()),
        Err(error) => Err(format!("another error: {error}").into()),
    }
}
