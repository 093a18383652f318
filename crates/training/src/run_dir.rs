//! The run directory: the only place that spells the paths of what a run leaves behind.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::config::RunConfig;
use crate::error::RunError;

/// A directory that holds everything of one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunDir {
    path: PathBuf,
}

/// The right to write into a run directory; ends with the value or the process.
#[derive(Debug)]
pub struct RunLock {
    _file: File,
}

/// Where runs are made if nothing else is said.
const RUNS: &str = "runs";

impl RunDir {
    /// Makes the directory of a new run: `path`, or else the first free one of `runs/<name>`,
    /// `runs/<name>-2`, .. Never one that exists.
    pub fn create(path: Option<&Path>, name: &str) -> Result<Self, RunError> {
        if let Some(path) = path {
            return Self::claim(path)?.ok_or_else(|| RunError::Taken { path: path.to_owned() });
        }
        // After the highest number, not in a gap: the latest run has the highest.
        let first = numbers(name).last().map_or(1, |highest| highest + 1);
        for number in first.. {
            if let Some(run) = Self::claim(&numbered(name, number))? {
                return Ok(run);
            }
        }
        Err(RunError::Taken { path: numbered(name, first) })
    }

    /// The directory of an earlier run.
    pub fn open(path: &Path) -> Result<Self, RunError> {
        let run = Self { path: path.to_owned() };
        match run.config().is_file() {
            true => Ok(run),
            false => Err(RunError::NotARun { path: path.to_owned() }),
        }
    }

    /// Removes a directory that a run has made, and nothing more: one without a config.
    pub fn remove_unborn(path: &Path) -> Result<(), RunError> {
        let is_unborn = path.is_dir() && !path.join("config.toml").exists();
        match is_unborn {
            true => fs::remove_dir_all(path).map_err(|error| RunError::write(path, error)),
            false => Ok(()),
        }
    }

    /// The latest run of the config called `name`.
    pub fn latest(name: &str) -> Result<Self, RunError> {
        for number in numbers(name).into_iter().rev() {
            let Ok(run) = Self::open(&numbered(name, number)) else { continue };
            // `runs/a-2` may also be the first run of a config called `a-2`.
            if RunConfig::read(&run.config(), &[])?.name == name {
                return Ok(run);
            }
        }
        Err(RunError::NoRun { name: name.to_owned(), within: RUNS.into() })
    }

    /// Locks the run against other processes. The error says which one holds it.
    pub fn lock(&self) -> Result<RunLock, RunError> {
        let path = self.path.join("lock");
        let open =
            || File::options().create(true).truncate(false).read(true).write(true).open(&path);
        let mut file = open().map_err(|error| RunError::write(&path, error))?;
        match file.try_lock() {
            Ok(()) => write_owner(&mut file).map_err(|error| RunError::write(&path, error))?,
            Err(TryLockError::Error(error)) => return Err(RunError::write(&path, error)),
            Err(TryLockError::WouldBlock) => {
                let mut owner = String::new();
                file.read_to_string(&mut owner).ok();
                return Err(RunError::Locked { path: self.path.clone(), owner });
            }
        }
        Ok(RunLock { _file: file })
    }

    /// Removes a run that never took a step.
    pub fn discard(self) {
        fs::remove_dir_all(&self.path).ok();
    }

    /// Removes what only a finished run has: it is made anew when the run ends.
    pub fn remove_outcome(&self) -> Result<(), RunError> {
        let evaluations = ["train", "validation", "test"].map(|split| self.evaluation(split));
        for path in [self.best_model(), self.summary()].into_iter().chain(evaluations) {
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

    fn claim(path: &Path) -> Result<Option<Self>, RunError> {
        if let Some(file) = path.ancestors().skip(1).find(|ancestor| ancestor.is_file()) {
            return Err(RunError::WithinFile { path: path.to_owned(), file: file.to_owned() });
        }
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        parent.map_or(Ok(()), fs::create_dir_all).map_err(|error| RunError::write(path, error))?;
        match fs::create_dir(path) {
            Ok(()) => {
                sync_parent(path).map_err(|error| RunError::write(path, error))?;
                Ok(Some(Self { path: path.to_owned() }))
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(None),
            Err(error) => Err(RunError::write(path, error)),
        }
    }
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
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
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

fn write_owner(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    write!(file, "process {}", std::process::id())
}
