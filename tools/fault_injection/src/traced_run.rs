//! A run of the trainer binary whose system calls are traced, and may fail.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Settings;
use crate::event_file::resumed_step;
use crate::fixture::Fixture;
use crate::snapshot::Snapshot;
use crate::syscall_faults::{self, FaultLibrary, SyscallFault, TracedCall};
use crate::tally::{CaseResult, require};

/// The trainer, its config, and the library that traces it.
pub struct TracedTrainer<'a> {
    pub settings: &'a Settings,
    pub fixture: &'a Fixture,
    pub library: &'a FaultLibrary,
}

/// A directory with one traced run.
pub struct TracedRun<'a> {
    trainer: &'a TracedTrainer<'a>,
    directory: PathBuf,
    trace: PathBuf,
}

/// Result of a traced process.
pub struct TracedExit {
    /// Exit code; `None` if a signal ended the process.
    pub code: Option<i32>,
    /// Text written to stderr.
    pub stderr: String,
    process: u32,
}

/// Number of checkpoints kept in addition to that of the best epoch: the smallest possible.
pub const KEEP_LAST: usize = 1;

/// A short run that also commits checkpoints within epochs.
const OVERRIDES: [&str; 3] =
    ["training.epochs=3", "training.checkpoint.every_steps=3", "training.checkpoint.keep_last=1"];

/// The trainer has to create the parents of the run directory too.
const RUN: &str = "runs/of/today";

impl<'a> TracedRun<'a> {
    /// Creates a directory called `name`.
    pub fn new(trainer: &'a TracedTrainer<'a>, name: &str) -> io::Result<Self> {
        let directory = trainer.fixture.path(name);
        std::fs::create_dir(&directory)?;
        Ok(Self { trainer, trace: directory.with_extension("trace"), directory })
    }

    /// The traced directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The run directory below it.
    pub fn run_directory(&self) -> PathBuf {
        self.directory.join(RUN)
    }

    /// Starts the run, or resumes it if it has started, and waits for the end of the process.
    pub fn start_or_resume(&self, fault: Option<SyscallFault>) -> io::Result<TracedExit> {
        let TracedTrainer { settings, fixture, library } = self.trainer;
        let mut command = Command::new(&settings.program);
        command.arg("--config").arg(fixture.config()).args(["--ui", "plain"]);
        command.args(OVERRIDES.iter().flat_map(|set| ["--set", set]));
        let run = self.run_directory();
        let has_started = run.join("config.toml").is_file();
        command.arg(if has_started { "--resume" } else { "--run-dir" }).arg(run);
        library.preload(&mut command, &self.directory, fault, &self.trace);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let child = command.spawn()?;
        let process = child.id();
        let output = child.wait_with_output()?;
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        Ok(TracedExit { code: output.status.code(), stderr, process })
    }

    /// The calls of all processes of the run so far.
    pub fn calls(&self) -> io::Result<Vec<TracedCall>> {
        syscall_faults::read_trace(&self.trace, &self.directory)
    }

    /// Finishes the run. Fails if it continues before the step that was acknowledged, or if its
    /// result differs from `reference`.
    pub fn finish_and_compare(
        &self,
        reference: &Snapshot,
        acknowledged: Option<usize>,
    ) -> CaseResult {
        let run = self.run_directory();
        if acknowledged.is_some() && !run.join("config.toml").is_file() {
            return Err("the run is lost".into());
        }
        // A call whose failure the run survived leaves nothing to continue.
        let status = std::fs::read_to_string(run.join("status.json")).unwrap_or_default();
        let was_finished = status.contains("\"finished\"");
        let TracedExit { code, stderr, process } = self.start_or_resume(None)?;
        require::<String>(code == Some(0) && stderr.is_empty(), || {
            format!("resuming ends with {code:?}: {stderr:?}")
        })?;
        let resumed = resumed_step(&run, process);
        let continues = resumed >= acknowledged || resumed.is_none() && was_finished;
        require::<String>(continues, || {
            format!("continues at step {resumed:?}, acknowledged: {acknowledged:?}")
        })?;
        Snapshot::read(&run, KEEP_LAST)?.require_equal(reference)
    }

    /// Removes the directory and the trace.
    pub fn remove(self) -> io::Result<()> {
        std::fs::remove_file(&self.trace).ok();
        std::fs::remove_dir_all(&self.directory)
    }
}
