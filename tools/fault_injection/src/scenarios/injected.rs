//! Runs within this process that are interrupted by a fault or a stop, and must end like an
//! undisturbed one.

use artifacts::RunDir;
use training::{Experiment, Fault, Faults, Outcome, Run, RunError, Ui};

use crate::fixture::{Fixture, KEEP_LAST, train};
use crate::snapshot::Snapshot;
use crate::tally::CaseResult;

/// The fixture with overrides on a device, and the files of an undisturbed run of it.
pub struct Undisturbed<'a> {
    fixture: &'a Fixture,
    device: &'a str,
    overrides: &'a [String],
    pub files: Snapshot,
}

impl<'a> Undisturbed<'a> {
    /// Trains the run.
    pub fn new(fixture: &'a Fixture, device: &'a str, overrides: &'a [String]) -> CaseResult<Self> {
        let directory = fixture.free_path("undisturbed");
        train(fixture.experiment(device, overrides)?.start_at(&directory)?, None)?;
        let files = Snapshot::read(&directory, KEEP_LAST)?;
        Ok(Self { fixture, device, overrides, files })
    }

    /// Stops a run after `step`, and resumes it.
    pub fn stop_then_resume(&self, step: usize) -> CaseResult {
        self.interrupt_then_resume(|run| train(run, Some(step)).map(drop))
    }

    /// Fails unless a run with `fault` in `step` ends with an error that `is_expected`, and its resume
    /// like the undisturbed run.
    pub fn fail_then_resume(
        &self,
        step: usize,
        fault: Fault,
        is_expected: impl Fn(&RunError) -> bool,
    ) -> CaseResult {
        self.interrupt_then_resume(|run| require_failure(run, step, fault, is_expected))
    }

    fn interrupt_then_resume(&self, interrupt: impl FnOnce(Run) -> CaseResult) -> CaseResult {
        let directory = self.fixture.free_path("interrupted");
        interrupt(self.experiment()?.start_at(&directory)?)?;
        train(self.experiment()?.resume(RunDir::open(&directory)?)?, None)?;
        Snapshot::read(&directory, KEEP_LAST)?.require_equal(&self.files)
    }

    fn experiment(&self) -> CaseResult<Experiment> {
        self.fixture.experiment(self.device, self.overrides)
    }
}

/// Fails unless `run`, with `fault` in `step`, ends with an error that `is_expected`.
pub fn require_failure(
    mut run: Run,
    step: usize,
    fault: Fault,
    is_expected: impl Fn(&RunError) -> bool,
) -> CaseResult {
    run.inject(Faults::one(step, fault));
    match run.train(Ui::silent(Box::new(|| None))) {
        Ok(Outcome::Finished(_)) => Err("the run finished despite the fault".into()),
        Ok(Outcome::Stopped(stop)) => Err(format!("stopped: {stop:?}").into()),
        Err(error) if is_expected(&error) => Ok(()),
        Err(error) => Err(format!("unexpected error: {error}").into()),
    }
}
