//! The run directory: the only place that spells the paths of what a run leaves behind.

mod lock;
mod removal;
mod seal;
#[cfg(test)]
mod tests;

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::config::RunConfig;
use crate::error::RunError;
use lock::Asked;
pub use lock::RunLock;
pub use removal::RunFile;
use seal::{is_sealed, sealed};

/// A directory that holds everything of one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunDir {
    path: PathBuf,
}

/// The plots of the report.
const PLOTS: [&str; 6] =
    ["accuracy", "calibration", "confusion", "learning_rate", "loss", "throughput"];

/// Where runs are made if nothing else is said.
const RUNS: &str = "runs";

impl RunDir {
    /// Makes the directory of a new run and locks it: `path`, or else the first free one of
    /// `runs/<name>`, `runs/<name>-2`, .. Never one that exists, but where a start was killed
    /// before it had written anything of its run.
    pub fn create(path: Option<&Path>, name: &str) -> Result<(Self, RunLock), RunError> {
        if let Some(path) = path {
            return Self::claim(path);
        }
        // From the highest number on, not in a gap: the latest run has the highest.
        let first = numbers(name).pop().unwrap_or(1);
        for number in first.. {
            match Self::claim(&numbered(name, number)) {
                Err(RunError::Taken { .. } | RunError::Locked { .. }) => {}
                claimed => return claimed,
            }
        }
        Err(RunError::Taken { path: numbered(name, first) })
    }

    /// The directory of an earlier run, whose config is as it was written.
    pub fn open(path: &Path) -> Result<Self, RunError> {
        let run = Self { path: path.to_owned() };
        let config = run.config();
        if !config.is_file() {
            return Err(RunError::NotARun { path: path.to_owned() });
        }
        match is_sealed(&fs::read(&config).map_err(|error| RunError::read(&config, error))?) {
            true => Ok(run),
            false => Err(RunError::Malformed {
                path: config,
                reason: "it is not what the trainer wrote".to_owned(),
            }),
        }
    }

    /// Writes the config, as `text`, with a sum over it.
    pub fn write_config(&self, text: &str) -> Result<(), RunError> {
        write_file(&self.config(), sealed(text).as_bytes())
    }

    /// The latest run of the config called `name`.
    pub fn latest(name: &str) -> Result<Self, RunError> {
        for number in numbers(name).into_iter().rev() {
            let run = match Self::open(&numbered(name, number)) {
                Err(RunError::NotARun { .. }) => continue,
                run => run?,
            };
            // `runs/a-2` may also be the first run of a config called `a-2`.
            if RunConfig::read(&run.config(), &[])?.name == name {
                return Ok(run);
            }
        }
        Err(RunError::NoRun { name: name.to_owned(), within: RUNS.into() })
    }

    /// Locks the run against other processes, and removes what one that was killed had begun to
    /// write. The error says which one holds it.
    pub fn lock(&self) -> Result<RunLock, RunError> {
        let path = self.lock_file();
        match RunLock::ask(&path).map_err(|error| RunError::write(&path, error))? {
            Asked::Owned(owner) => Err(RunError::Locked { path: self.path.clone(), owner }),
            Asked::Got(lock) => {
                self.remove_staged()?;
                Ok(lock)
            }
        }
    }

    /// Who has the lock of the run, if anybody does. Changes nothing.
    pub fn owner(&self) -> Result<Option<String>, RunError> {
        let path = self.lock_file();
        RunLock::owner(&path).map_err(|error| RunError::read(&path, error))
    }

    /// Removes a run that never took a step.
    pub fn discard(self) {
        fs::remove_dir_all(&self.path).ok();
    }

    /// Removes what only a finished run has: it is made anew when the run ends.
    pub fn remove_outcome(&self) -> Result<(), RunError> {
        let evaluations = ["train", "validation", "test"].map(|split| self.evaluation(split));
        let outcome = [self.best_model(), self.summary(), self.findings(), self.report()];
        let pictures = PLOTS.map(|name| self.picture(name));
        let pictures =
            pictures.iter().flat_map(|stem| ["svg", "png"].map(|end| stem.with_extension(end)));
        for path in outcome.into_iter().chain(evaluations).chain(pictures) {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(RunError::write(&path, error));
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

    /// The metrics, one JSON object a line.
    pub fn metrics_jsonl(&self) -> PathBuf {
        self.path.join("metrics.jsonl")
    }

    /// The metrics as a table.
    pub fn metrics_csv(&self) -> PathBuf {
        self.path.join("metrics.csv")
    }

    /// The seconds of each epoch, one JSON object a line.
    pub fn timings(&self) -> PathBuf {
        self.path.join("timings.jsonl")
    }

    /// The directory of the metrics for TensorBoard.
    pub fn tensorboard(&self) -> PathBuf {
        self.path.join("tensorboard")
    }

    /// What the run logged.
    pub fn log(&self) -> PathBuf {
        self.path.join("run.log")
    }

    /// The directory of the checkpoints.
    pub fn checkpoints(&self) -> PathBuf {
        self.path.join("checkpoints")
    }

    /// The weights of the best epoch of a finished run.
    pub fn best_model(&self) -> PathBuf {
        self.path.join("best_model.bpk")
    }

    /// The outcome of a finished run.
    pub fn summary(&self) -> PathBuf {
        self.path.join("summary.json")
    }

    /// What the model says of single examples.
    pub fn findings(&self) -> PathBuf {
        self.path.join("findings.json")
    }

    /// The page that shows all of it.
    pub fn report(&self) -> PathBuf {
        self.path.join("report.html")
    }

    /// The page that compares it with `other`.
    pub fn comparison(&self, other: &Self) -> PathBuf {
        let name = other.path.file_name().unwrap_or(other.path.as_os_str());
        self.path.join(format!("against-{}.html", name.display()))
    }

    /// What the model says over the plane, where the data have two features.
    pub fn boundary(&self) -> PathBuf {
        self.path.join("boundary.json")
    }

    /// Writes what the model says over the plane, whole or not at all: a long list of numbers,
    /// which nobody reads line by line.
    pub fn write_boundary(&self, boundary: &impl Serialize) -> Result<(), RunError> {
        let path = self.boundary();
        let bytes = serde_json::to_vec(boundary)
            .map_err(|error| RunError::write(&path, io::Error::other(error)))?;
        write_file(&path, &bytes)
    }

    /// The picture called `name`, without its extension: there is an SVG and a PNG of each.
    pub fn picture(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The scores on one part of the data.
    pub fn evaluation(&self, split: &str) -> PathBuf {
        self.path.join(format!("evaluation-{split}.json"))
    }

    fn claim(path: &Path) -> Result<(Self, RunLock), RunError> {
        make_directory(path)?;
        let (run, taken) = (Self { path: path.to_owned() }, RunError::Taken { path: path.into() });
        if !run.is_unborn() {
            run.must_be_idle()?;
            return Err(taken);
        }
        let lock = run.lock()?;
        // Another process may have been faster, and have ended already.
        if run.is_unborn() { Ok((run, lock)) } else { Err(taken) }
    }

    /// Whether there is nothing but what a start writes before the config.
    fn is_unborn(&self) -> bool {
        let is_early = |name: &str| {
            let is_staged = ["config.", "environment."].iter().any(|stem| name.starts_with(stem));
            name == "lock" || name == "environment.json" || is_staged && is_staged_name(name)
        };
        names(&self.path).is_ok_and(|names| names.iter().all(|name| is_early(name)))
    }

    fn must_be_idle(&self) -> Result<(), RunError> {
        match self.owner()? {
            Some(owner) => Err(RunError::Locked { path: self.path.clone(), owner }),
            None => Ok(()),
        }
    }

    fn lock_file(&self) -> PathBuf {
        self.path.join("lock")
    }

    /// Removes files that were being written when their process was killed.
    fn remove_staged(&self) -> Result<(), RunError> {
        let names = names(&self.path).map_err(|error| RunError::read(&self.path, error))?;
        for name in names.iter().filter(|name| is_staged_name(name)) {
            let path = self.path.join(name);
            fs::remove_file(&path).map_err(|error| RunError::write(&path, error))?;
        }
        Ok(())
    }
}

/// Makes a directory and those above it, if it is not there, durably.
fn make_directory(path: &Path) -> Result<(), RunError> {
    if let Some(file) = path.ancestors().skip(1).find(|ancestor| ancestor.is_file()) {
        return Err(RunError::WithinFile { path: path.to_owned(), file: file.to_owned() });
    }
    make_durably(path).map_err(|error| RunError::write(path, error))
}

/// Each is synced before there is anything in it, so that of those that are there only the lowest
/// can be one that a killed process had no time to sync.
fn make_durably(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        // Its parent may be one that we may not open; then it is not one that we have made.
        sync_parent(path).ok();
        return Ok(());
    }
    parent(path).map_or(Ok(()), make_durably)?;
    match fs::create_dir(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => sync_parent(path),
    }
}

/// Whether a file is one that [`write_file`], or `report` in the same way, has begun: its name
/// ends with the number of a process and `.tmp`.
fn is_staged_name(name: &str) -> bool {
    let number = name.strip_suffix(".tmp").and_then(|name| name.rsplit_once('.'));
    number.is_some_and(|(_, number)| number.parse::<u32>().is_ok())
}

/// Writes a whole file durably: under another name first, so that it is never half there.
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<(), RunError> {
    let staged = path.with_extension(format!("{}.tmp", std::process::id()));
    let write = || {
        let mut file = File::create(&staged)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&staged, path)?;
        sync_parent(path)
    };
    write().map_err(|error| {
        fs::remove_file(&staged).ok();
        RunError::write(path, error)
    })
}

/// Writes `value` as JSON that people can read, as [`write_file`] does.
pub fn write_json(path: &Path, value: &impl Serialize) -> Result<(), RunError> {
    let mut bytes = serde_json::to_vec_pretty(value)
        .map_err(|error| RunError::write(path, io::Error::other(error)))?;
    bytes.push(b'\n');
    write_file(path, &bytes)
}

/// Makes the entry of `path` in its directory durable.
pub fn sync_parent(path: &Path) -> io::Result<()> {
    sync(parent(path).unwrap_or(Path::new(".")))
}

/// Makes the entries of `directory` durable.
pub fn sync(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

fn parent(path: &Path) -> Option<&Path> {
    path.parent().filter(|parent| !parent.as_os_str().is_empty())
}

fn names(directory: &Path) -> io::Result<Vec<String>> {
    fs::read_dir(directory)?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect()
}

/// The numbers of the runs of `name` that there are, ascending.
fn numbers(name: &str) -> Vec<usize> {
    let entries = fs::read_dir(RUNS).into_iter().flatten().flatten();
    let number = |entry: fs::DirEntry| {
        let entry = entry.file_name().into_string().ok()?;
        match entry.strip_prefix(name)? {
            "" => Some(1),
            rest => rest.strip_prefix('-')?.parse().ok(),
        }
    };
    let mut numbers: Vec<usize> = entries.filter_map(number).collect();
    numbers.sort_unstable();
    numbers
}

fn numbered(name: &str, number: usize) -> PathBuf {
    match number {
        1 => Path::new(RUNS).join(name),
        _ => Path::new(RUNS).join(format!("{name}-{number}")),
    }
}
