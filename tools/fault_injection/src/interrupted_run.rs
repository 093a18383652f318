//! A run of the trainer binary that is interrupted repeatedly and must end like an uninterrupted
//! one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::Settings;
use crate::fixture::{Fixture, KEEP_LAST, NAME};
use crate::process::{Process, Program};
use crate::snapshot::{Snapshot, list_names};
use crate::tally::{CaseResult, require};

/// The uninterrupted run with which others of the same arguments are compared.
#[derive(Debug)]
pub struct Reference {
    program: Program,
    args: Vec<String>,
    snapshot: Snapshot,
    /// Median lifetime of the uninterrupted process.
    pub duration: Duration,
}

/// A run that is interrupted.
#[derive(Debug)]
pub struct InterruptedRun<'a> {
    reference: &'a Reference,
    program: Program,
    directory: PathBuf,
    /// Whether the trainer chooses the run directory by the name of the experiment.
    is_numbered: bool,
}

impl Reference {
    /// Runs the fixture with further `args` in the new directory `name`.
    pub fn new(
        settings: &Settings,
        fixture: &Fixture,
        name: &str,
        args: &[&str],
    ) -> CaseResult<Self> {
        let mut all = vec!["--config".to_owned(), fixture.config().display().to_string()];
        all.extend(args.iter().map(|arg| (*arg).to_owned()));
        let directory = fixture.path(name);
        fs::create_dir(&directory)?;
        let program = Program::new(settings, directory.clone());
        let mut durations = Vec::new();
        for _ in 0..5 {
            fs::remove_dir_all(directory.join("runs")).ok();
            let exit = program.run(&all)?;
            exit.require_code(0)?;
            durations.push(exit.duration);
        }
        let snapshot = Snapshot::read(&directory.join("runs").join(NAME), KEEP_LAST)?;
        durations.sort_unstable();
        let duration = durations.swap_remove(durations.len() / 2);
        Ok(Self { program, args: all, snapshot, duration })
    }

    /// Creates `directory` for a run. The trainer chooses the run directory of every other one.
    pub fn interrupted_run(
        &self,
        directory: PathBuf,
        number: usize,
    ) -> CaseResult<InterruptedRun<'_>> {
        fs::create_dir_all(&directory)?;
        let program = self.program.clone().in_directory(directory.clone());
        let is_numbered = number.is_multiple_of(2);
        Ok(InterruptedRun { reference: self, program, directory, is_numbered })
    }
}

impl InterruptedRun<'_> {
    /// Starts the run, or resumes it if it has started.
    pub fn start_or_resume(&self) -> io::Result<Process> {
        let mut args = self.reference.args.clone();
        let directory = self.run_directory().display().to_string();
        match (self.has_started(), self.is_numbered) {
            (false, true) => {}
            (false, false) => args.extend(["--run-dir".to_owned(), directory]),
            (true, true) => args.push("--resume".to_owned()),
            (true, false) => args = vec!["--resume".to_owned(), directory],
        }
        self.program.start(&args)
    }

    /// Returns whether there is a run to resume.
    pub fn has_started(&self) -> bool {
        self.run_directory().join("config.toml").exists()
    }

    /// Names of its checkpoints.
    pub fn checkpoints(&self) -> Vec<String> {
        list_names(&self.run_directory().join("checkpoints")).unwrap_or_default()
    }

    /// Trains to the end, compares the result with the reference, and checks that there are no
    /// other files. Removes the directory only if all of this holds.
    pub fn finish_and_compare(self) -> CaseResult {
        self.start_or_resume()?.wait()?.require_code(0)?;
        let snapshot = Snapshot::read(&self.run_directory(), KEEP_LAST)?;
        snapshot.require_equal(&self.reference.snapshot)?;
        require_only_entry(&self.directory, "runs")?;
        require_only_entry(&self.directory.join("runs"), NAME)?;
        Ok(fs::remove_dir_all(&self.directory)?)
    }

    fn run_directory(&self) -> PathBuf {
        self.directory.join("runs").join(NAME)
    }
}

fn require_only_entry(directory: &Path, name: &str) -> CaseResult {
    let names = list_names(directory)?;
    require(names == [name], || format!("{names:?} instead of {name} alone"))
}
