//! The run directory: creates, opens, locks and cleans it.

mod lock;
mod paths;
mod removal;
#[cfg(test)]
mod tests;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use data::SplitKind;
use serde::Deserialize;
use support::{durable_fs, sha256};

use crate::{ArtifactError, FORMAT, json, write_file};
use lock::LockAttempt;
pub use lock::RunLock;
pub use removal::RunFile;

/// The directory of one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunDir {
    path: PathBuf,
}

/// Names of the plots of a report.
const PLOTS: [&str; 11] = [
    "accuracy",
    "calibration",
    "confusion",
    "gradient_norm",
    "learning_rate",
    "loss",
    "memory",
    "precision_recall",
    "processor",
    "roc",
    "throughput",
];

/// Beginning of the last line of a config, a checksum of the lines above it. A damaged config is often
/// still a valid one, of another run.
const CHECKSUM: &str = "# change keys when resuming, not here; SHA-256 of the lines above: ";

fn checksum(text: &str) -> String {
    format!("{CHECKSUM}{}\n", sha256(text.as_bytes()))
}

/// The fields of an environment that identify its format.
#[derive(Deserialize)]
struct FormatHeader {
    #[serde(default = "first_format")]
    format: u32,
    trainer: String,
}

fn first_format() -> u32 {
    1
}

/// The field of a config that names its experiment.
#[derive(Deserialize)]
struct ConfigHeader {
    name: String,
}

impl RunDir {
    /// Creates the directory of a new run at `path` and locks it. Fails if the directory exists,
    /// except if an earlier start was killed before it wrote anything of its run.
    pub fn create(path: &Path) -> Result<(Self, RunLock), ArtifactError> {
        create_directory(path)?;
        let run = Self { path: path.to_owned() };
        if !run.is_unused() {
            return Err(match run.owner()? {
                Some(owner) => ArtifactError::Locked { path: run.path, owner },
                None => ArtifactError::Exists { path: run.path },
            });
        }
        let lock = run.lock()?;
        // Another process may have used the directory since the first check, and have ended.
        if run.is_unused() {
            Ok((run, lock))
        } else {
            Err(ArtifactError::Exists { path: run.path })
        }
    }

    /// Creates the first free directory of `<runs>/<name>`, `<runs>/<name>-2`, .. and locks it.
    pub fn create_numbered(runs: &Path, name: &str) -> Result<(Self, RunLock), ArtifactError> {
        // Numbers start at the highest and do not fill gaps: the latest run has the highest.
        let first = run_numbers(runs, name).pop().unwrap_or(1);
        for number in first.. {
            match Self::create(&numbered(runs, name, number)) {
                Err(ArtifactError::Exists { .. } | ArtifactError::Locked { .. }) => {}
                created => return created,
            }
        }
        Err(ArtifactError::Exists { path: numbered(runs, name, first) })
    }

    /// Opens the directory of an earlier run. Fails if it has another format or if its config was
    /// changed.
    pub fn open(path: &Path) -> Result<Self, ArtifactError> {
        let run = Self { path: path.to_owned() };
        let config = run.config();
        if !config.is_file() {
            return Err(ArtifactError::NotARun { path: path.to_owned() });
        }
        run.check_format()?;
        let bytes = fs::read(&config).map_err(|error| ArtifactError::read(&config, error))?;
        // The config must end with the checksum of the text before it.
        let text = str::from_utf8(&bytes).unwrap_or_default();
        let signed = text.rfind(CHECKSUM).map(|end| text.split_at(end));
        if signed.is_some_and(|(text, line)| line == checksum(text)) {
            Ok(run)
        } else {
            Err(ArtifactError::damaged(&config, "its checksum does not match"))
        }
    }

    /// Opens the latest run in `runs` whose experiment is called `name`.
    pub fn latest(runs: &Path, name: &str) -> Result<Self, ArtifactError> {
        for number in run_numbers(runs, name).into_iter().rev() {
            let run = match Self::open(&numbered(runs, name, number)) {
                Err(ArtifactError::NotARun { .. }) => continue,
                run => run?,
            };
            // `runs/a-2` may also be the first run of an experiment called `a-2`.
            if run.experiment_name()? == name {
                return Ok(run);
            }
        }
        Err(ArtifactError::NoRun { name: name.to_owned(), runs: runs.to_owned() })
    }

    /// Writes the config `text` with its checksum.
    pub fn write_config(&self, text: &str) -> Result<(), ArtifactError> {
        write_file(&self.config(), format!("{text}{}", checksum(text)).as_bytes())
    }

    /// Locks the run against other processes, and removes files that a killed process was writing.
    pub fn lock(&self) -> Result<RunLock, ArtifactError> {
        let path = self.lock_file();
        match RunLock::try_acquire(&path).map_err(|error| ArtifactError::write(&path, error))? {
            LockAttempt::OwnedBy(owner) => {
                Err(ArtifactError::Locked { path: self.path.clone(), owner })
            }
            LockAttempt::Acquired(lock) => {
                self.remove_staged()?;
                Ok(lock)
            }
        }
    }

    /// The process that has the lock of the run, if any. Changes nothing.
    pub fn owner(&self) -> Result<Option<String>, ArtifactError> {
        let path = self.lock_file();
        RunLock::owner(&path).map_err(|error| ArtifactError::read(&path, error))
    }

    /// Removes a run that has not taken a step.
    pub fn discard(self) {
        fs::remove_dir_all(&self.path).ok();
    }

    /// Removes the files that only a finished run has.
    pub fn remove_results(&self) -> Result<(), ArtifactError> {
        let evaluations = SplitKind::ALL.map(|split| self.evaluation(split));
        let results = [self.best_model(), self.summary(), self.test_predictions(), self.report()];
        let pictures = PLOTS.map(|name| self.picture(name));
        let pictures =
            pictures.iter().flat_map(|stem| ["svg", "png"].map(|end| stem.with_extension(end)));
        for path in results.into_iter().chain(evaluations).chain(pictures) {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(ArtifactError::write(&path, error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Fails if the run was written in another format.
    fn check_format(&self) -> Result<(), ArtifactError> {
        // An unreadable file is reported when the whole file is read.
        let Ok(header) = json::read_json::<FormatHeader>(&self.environment()) else {
            return Ok(());
        };
        if header.format == FORMAT {
            return Ok(());
        }
        Err(ArtifactError::UnsupportedFormat {
            path: self.path.clone(),
            found: header.format,
            written_by: header.trainer,
        })
    }

    fn experiment_name(&self) -> Result<String, ArtifactError> {
        let path = self.config();
        let text = fs::read_to_string(&path).map_err(|error| ArtifactError::read(&path, error))?;
        let header: ConfigHeader = toml::from_str(&text)
            .map_err(|error| ArtifactError::damaged(&path, error.to_string()))?;
        Ok(header.name)
    }

    /// Returns true if the directory has only the files that a start writes before the config.
    fn is_unused(&self) -> bool {
        file_names(&self.path).is_ok_and(|names| names.iter().all(|name| precedes_config(name)))
    }

    /// Removes files that were being written when their process was killed.
    fn remove_staged(&self) -> Result<(), ArtifactError> {
        let names =
            file_names(&self.path).map_err(|error| ArtifactError::read(&self.path, error))?;
        for name in names.iter().filter(|name| durable_fs::is_staged_name(name)) {
            let path = self.path.join(name);
            fs::remove_file(&path).map_err(|error| ArtifactError::write(&path, error))?;
        }
        Ok(())
    }
}

fn precedes_config(name: &str) -> bool {
    let is_staged = ["config.", "environment."].iter().any(|stem| name.starts_with(stem));
    name == "lock" || name == "environment.json" || is_staged && durable_fs::is_staged_name(name)
}

/// Creates a directory and its parents durably, unless they exist.
fn create_directory(path: &Path) -> Result<(), ArtifactError> {
    if let Some(file) = path.ancestors().skip(1).find(|ancestor| ancestor.is_file()) {
        return Err(ArtifactError::ParentIsFile { path: path.to_owned(), file: file.to_owned() });
    }
    durable_fs::create_dir_all(path).map_err(|error| ArtifactError::write(path, error))
}

fn file_names(directory: &Path) -> io::Result<Vec<String>> {
    fs::read_dir(directory)?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect()
}

/// Numbers of the runs of `name` in `runs`, ascending.
fn run_numbers(runs: &Path, name: &str) -> Vec<usize> {
    let entries = file_names(runs).unwrap_or_default();
    let mut numbers: Vec<usize> = entries
        .iter()
        .filter_map(|entry| match entry.strip_prefix(name)? {
            "" => Some(1),
            rest => rest.strip_prefix('-')?.parse().ok(),
        })
        .collect();
    numbers.sort_unstable();
    numbers
}

fn numbered(runs: &Path, name: &str, number: usize) -> PathBuf {
    if number == 1 { runs.join(name) } else { runs.join(format!("{name}-{number}")) }
}
