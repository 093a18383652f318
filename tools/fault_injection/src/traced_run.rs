//! A run of the trainer binary whose system calls are traced, and may fail.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::process::Command;

use crate::Settings;
use crate::fixture::Fixture;
use crate::process::{Exit, Process};
use crate::snapshot::Snapshot;
use crate::syscall_faults::{FaultLibrary, SyscallFault, TracedCall, parse};
use crate::tally::{CaseResult, require};

/// The trainer, its config, and the library that traces it.
pub struct TracedTrainer<'a> {
    settings: &'a Settings,
    fixture: Fixture,
    library: FaultLibrary,
}

/// A directory with one traced run.
pub struct TracedRun<'a> {
    trainer: &'a TracedTrainer<'a>,
    pub directory: PathBuf,
    trace: PathBuf,
}

/// Number of checkpoints kept in addition to that of the best epoch: the smallest possible.
const KEEP_LAST: usize = 1;

/// A short run that also commits checkpoints within epochs.
const OVERRIDES: [&str; 3] =
    ["training.epochs=3", "training.checkpoint.every_steps=3", "training.checkpoint.keep_last=1"];

/// The trainer has to create the parents of the run directory too.
const RUN: &str = "runs/of/today";

impl<'a> TracedTrainer<'a> {
    pub fn new(settings: &'a Settings) -> CaseResult<Self> {
        Ok(Self { settings, fixture: Fixture::new()?, library: FaultLibrary::new()? })
    }

    /// The calls of an undisturbed run, and its result.
    pub fn undisturbed(&self) -> CaseResult<(Vec<TracedCall>, Snapshot)> {
        let run = self.run("undisturbed")?;
        run.start_or_resume(None)?;
        Ok((run.calls()?, Snapshot::read(&run.run_directory(), KEEP_LAST)?))
    }

    /// Creates the directory `name` for a run.
    pub fn run(&self, name: &str) -> io::Result<TracedRun<'_>> {
        let directory = self.fixture.path(name);
        fs::create_dir(&directory)?;
        Ok(TracedRun { trainer: self, trace: directory.with_extension("trace"), directory })
    }
}

impl TracedRun<'_> {
    pub fn run_directory(&self) -> PathBuf {
        self.directory.join(RUN)
    }

    /// Starts the run, or resumes it if it has started, and waits for the end of the process.
    pub fn start_or_resume(&self, fault: Option<SyscallFault>) -> io::Result<Exit> {
        let TracedTrainer { settings, fixture, library } = self.trainer;
        let mut command = Command::new(&settings.program);
        command.arg("--config").arg(fixture.config()).args(["--ui", "plain"]);
        command.args(OVERRIDES.iter().flat_map(|set| ["--set", set]));
        command.arg(if self.has_started() { "--resume" } else { "--run-dir" });
        command.arg(self.run_directory());
        library.preload(&mut command, &self.directory, fault, &self.trace);
        Process::spawn(&mut command)?.wait()
    }

    fn has_started(&self) -> bool {
        self.run_directory().join("config.toml").is_file()
    }

    /// The calls of all processes of the run so far.
    pub fn calls(&self) -> io::Result<Vec<TracedCall>> {
        parse(&fs::read(&self.trace)?, &self.directory)
    }

    /// Finishes the run and removes its directory and trace. Fails if it continues before the step
    /// that was acknowledged, or if its result differs from `reference`.
    pub fn finish_and_compare(
        self,
        reference: &Snapshot,
        acknowledged: Option<usize>,
    ) -> CaseResult {
        let result = self.finish(acknowledged).and_then(|found| found.require_equal(reference));
        self.remove()?;
        result
    }

    fn finish(&self, acknowledged: Option<usize>) -> CaseResult<Snapshot> {
        if acknowledged.is_some() && !self.has_started() {
            return Err("the run is lost".into());
        }
        let run = self.run_directory();
        // A call whose failure the run survived leaves nothing to continue.
        let status = fs::read_to_string(run.join("status.json")).unwrap_or_default();
        let was_finished = status.contains("\"finished\"");
        let exit = self.start_or_resume(None)?;
        require::<String>(exit.code() == Some(0) && exit.stderr.is_empty(), || {
            format!("resuming ends with {:?}: {:?}", exit.code(), exit.stderr)
        })?;
        let resumed = resumed_step(&exit.stdout);
        let continues = resumed >= acknowledged || resumed.is_none() && was_finished;
        require::<String>(continues, || {
            format!("continues at step {resumed:?}, acknowledged: {acknowledged:?}")
        })?;
        Snapshot::read(&run, KEEP_LAST)
    }

    pub fn remove(self) -> io::Result<()> {
        fs::remove_file(&self.trace).ok();
        fs::remove_dir_all(&self.directory)
    }
}

/// Steps done when a run was resumed, in what the trainer prints about it.
fn resumed_step(output: &str) -> Option<usize> {
    let line = output.lines().find(|line| line.starts_with("resuming "))?;
    match line.rsplit_once(", step ") {
        Some((_, step)) => step.parse().ok(),
        None => Some(0),
    }
}
