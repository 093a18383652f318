//! The run directory: the only place that spells the paths of its files.

mod lock;
mod removal;
#[cfg(test)]
mod tests;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use data::SplitKind;
use serde::Deserialize;
use support::durable_fs;

use crate::{ArtifactError, FORMAT, checksum, json, write_file};
use lock::LockAttempt;
pub use lock::RunLock;
pub use removal::RunFile;

/// The directory of one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunDir {
    path: PathBuf,
}

/// Names of the plots of a report.
const PLOTS: [&str; 6] =
    ["accuracy", "calibration", "confusion", "learning_rate", "loss", "throughput"];

/// The fields of an environment that say which version can read its run.
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
        // Another process may have taken it meanwhile, and have ended already.
        if run.is_unused() { Ok((run, lock)) } else { Err(ArtifactError::Exists { path: run.path }) }
    }

    /// Creates the first free directory of `<runs>/<name>`, `<runs>/<name>-2`, .. and locks it.
    pub fn create_numbered(runs: &Path, name: &str) -> Result<(Self, RunLock), ArtifactError> {
        // From the highest number on, not in a gap: the latest run has the highest.
        let first = run_numbers(runs, name).pop().unwrap_or(1);
        for number in first.. {
            match Self::create(&numbered(runs, name, number)) {
                Err(ArtifactError::Exists { .. } | ArtifactError::Locked { .. }) => {}
                created => return created,
            }
        }
        Err(ArtifactError::Exists { path: numbered(runs, name, first) })
    }

    /// Opens the directory of an earlier run. Fails if its format is another one, or if its config
    /// is not as it was written.
    pub fn open(path: &Path) -> Result<Self, ArtifactError> {
        let run = Self { path: path.to_owned() };
        let config = run.config();
        if !config.is_file() {
            return Err(ArtifactError::NotARun { path: path.to_owned() });
        }
        run.check_format()?;
        let bytes = fs::read(&config).map_err(|error| ArtifactError::read(&config, error))?;
        if checksum::is_valid(&bytes) {
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
        write_file(&self.config(), checksum::sign(text).as_bytes())
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

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The resolved config.
    pub fn config(&self) -> PathBuf {
        self.path.join("config.toml")
    }

    /// Versions, device, seed and the identity of the data.
    pub fn environment(&self) -> PathBuf {
        self.path.join("environment.json")
    }

    /// The state of the run as its last process recorded it.
    pub fn status(&self) -> PathBuf {
        self.path.join("status.json")
    }

    /// The metrics, one JSON object per line.
    pub fn metrics_jsonl(&self) -> PathBuf {
        self.path.join("metrics.jsonl")
    }

    /// The metrics as CSV.
    pub fn metrics_csv(&self) -> PathBuf {
        self.path.join("metrics.csv")
    }

    /// Seconds of each epoch, one JSON object per line.
    pub fn timings(&self) -> PathBuf {
        self.path.join("timings.jsonl")
    }

    /// Directory of the TensorBoard event files.
    pub fn tensorboard(&self) -> PathBuf {
        self.path.join("tensorboard")
    }

    /// Log of the run.
    pub fn log(&self) -> PathBuf {
        self.path.join("run.log")
    }

    /// Directory of the checkpoints.
    pub fn checkpoints(&self) -> PathBuf {
        self.path.join("checkpoints")
    }

    /// Weights of the best epoch of a finished run.
    pub fn best_model(&self) -> PathBuf {
        self.path.join("best_model.bpk")
    }

    /// Result of a finished run.
    pub fn summary(&self) -> PathBuf {
        self.path.join("summary.json")
    }

    /// Predictions for single test examples.
    pub fn test_predictions(&self) -> PathBuf {
        self.path.join("test_predictions.json")
    }

    /// The report.
    pub fn report(&self) -> PathBuf {
        self.path.join("report.html")
    }

    /// The page that compares the run with `other`.
    pub fn comparison(&self, other: &Self) -> PathBuf {
        let name = other.path.file_name().unwrap_or(other.path.as_os_str());
        self.path.join(format!("against-{}.html", name.display()))
    }

    /// Class probabilities over the plane of two features.
    pub fn boundary(&self) -> PathBuf {
        self.path.join("boundary.json")
    }

    /// The picture called `name`, without its extension.
    pub fn picture(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Scores on one split of the data.
    pub fn evaluation(&self, split: SplitKind) -> PathBuf {
        self.path.join(format!("evaluation-{}.json", split.as_str()))
    }

    fn lock_file(&self) -> PathBuf {
        self.path.join("lock")
    }

    /// Fails if the run was written in another format.
    fn check_format(&self) -> Result<(), ArtifactError> {
        // What cannot be read is reported where the whole file is read.
        let Ok(header) = json::read_json::<FormatHeader>(&self.environment()) else { return Ok(()) };
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

    /// Whether the directory has only the files that a start writes before the config.
    fn is_unused(&self) -> bool {
        file_names(&self.path).is_ok_and(|names| names.iter().all(|name| precedes_config(name)))
    }

    /// Removes files that were being written when their process was killed.
    fn remove_staged(&self) -> Result<(), ArtifactError> {
        let names = file_names(&self.path).map_err(|error| ArtifactError::read(&self.path, error))?;
        for name in names.iter().filter(|name| durable_fs::is_staged_name(name)) {
            let path = self.path.join(name);
            fs::remove_file(&path).map_err(|error| ArtifactError::write(&path, error))?;
        }
        Ok(())
    }
}

fn precedes_config(name: &str) -> bool {
    let is_staged = ["config.", "environment."].iter().any(|stem| name.starts_with(stem));
    name == "lock"
        || name == "environment.json"
        || is_staged && durable_fs::is_staged_name(name)
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
    match number {
        1 => runs.join(name),
        _ => runs.join(format!("{name}-{number}")),
    }
}
