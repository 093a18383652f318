//! A run of the trainer binary that is interrupted repeatedly and must end like an uninterrupted
//! one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::Settings;
use crate::fixture::{Fixture, KEEP_LAST, NAME};
use crate::process::Process;
use crate::snapshot::{Snapshot, list_names};
use crate::tally::{CaseResult, require};

/// The uninterrupted run with which others of the same arguments are compared.
pub struct Reference<'a> {
    settings: &'a Settings,
    fixture: &'a Fixture,
    args: Vec<String>,
    snapshot: Snapshot,
    /// Median lifetime of the uninterrupted process.
    pub duration: Duration,
}

/// A run that is interrupted.
pub struct InterruptedRun<'a> {
    reference: &'a Reference<'a>,
    directory: PathBuf,
    /// Whether the trainer chooses the run directory by the name of the experiment.
    is_numbered: bool,
}

impl<'a> Reference<'a> {
    /// Runs the fixture with further `args` in the new directory `name`.
    pub fn new(
        settings: &'a Settings,
        fixture: &'a Fixture,
        name: &str,
        args: &[&str],
    ) -> CaseResult<Self> {
        let config = fixture.config().display().to_string();
        let args: Vec<_> =
            ["--config", &config].iter().chain(args).map(|&arg| String::from(arg)).collect();
        let directory = fixture.path(name);
        fs::create_dir(&directory)?;
        let mut durations = Vec::new();
        for _ in 0..5 {
            fs::remove_dir_all(directory.join("runs")).ok();
            let exit = Process::start(settings, &directory, &args)?.wait()?;
            exit.require_code(0)?;
            durations.push(exit.duration);
        }
        let snapshot = Snapshot::read(&directory.join("runs").join(NAME), KEEP_LAST)?;
        durations.sort_unstable();
        let duration = durations.swap_remove(durations.len() / 2);
        Ok(Self { settings, fixture, args, snapshot, duration })
    }

    /// Runs the fixture with further `args` on every processor backend.
    pub fn on_each_processor(
        settings: &'a Settings,
        fixture: &'a Fixture,
        args: &[&str],
    ) -> CaseResult<Vec<Self>> {
        let on =
            |name: &str| Self::new(settings, fixture, name, &[args, &["--device", name]].concat());
        training::device::processors().iter().map(|device| on(&device.name)).collect()
    }

    /// Creates the directory of run `number`. The trainer chooses the run directory of every other
    /// one.
    pub fn interrupted_run(&self, number: usize) -> CaseResult<InterruptedRun<'_>> {
        let directory = self.fixture.path(format!("interrupted-{number}"));
        fs::create_dir_all(&directory)?;
        let is_numbered = number.is_multiple_of(2);
        Ok(InterruptedRun { reference: self, directory, is_numbered })
    }
}

impl InterruptedRun<'_> {
    /// Starts the run, or resumes it if it has started.
    pub fn start_or_resume(&self) -> io::Result<Process> {
        self.start_or_resume_with(&[])
    }

    /// As [`InterruptedRun::start_or_resume`], with further arguments.
    pub fn start_or_resume_with(&self, further: &[&str]) -> io::Result<Process> {
        let mut args = self.reference.args.clone();
        let directory = self.run_directory().display().to_string();
        match (self.has_started(), self.is_numbered) {
            (false, true) => {}
            (false, false) => args.extend(["--run-dir".to_owned(), directory]),
            (true, true) => args.push("--resume".to_owned()),
            (true, false) => args = vec!["--resume".to_owned(), directory],
        }
        args.extend(further.iter().map(|&arg| arg.to_owned()));
        Process::start(self.reference.settings, &self.directory, &args)
    }

    /// Returns whether there is a run to resume.
    pub fn has_started(&self) -> bool {
        self.run_directory().join("config.toml").exists()
    }

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

    pub fn run_directory(&self) -> PathBuf {
        self.directory.join("runs").join(NAME)
    }
}

fn require_only_entry(directory: &Path, name: &str) -> CaseResult {
    let names = list_names(directory)?;
    require(names == [name], || format!("{names:?} instead of {name} alone"))
}
