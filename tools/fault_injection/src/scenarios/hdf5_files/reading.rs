//! Reads one file and checks what comes of it.

use std::error::Error;
use std::fmt;
use std::fs::{self, File, FileTimes};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use data::{Examples, SplitKind, Values};
use data_hdf5::{Hdf5Error, Hdf5ErrorKind, Hdf5File, Residency};
use tempfile::TempDir;

use crate::tally::require;

/// Longest time that reading a file may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A file to read.
#[derive(Debug, Clone)]
pub struct Case {
    pub name: String,
    pub bytes: Vec<u8>,
}

/// A directory for the files, with a decoy file that reading them must never open.
pub struct TestDirectory {
    directory: TempDir,
    /// Whether the file system records when a file is read. Otherwise only the pixels of the decoy
    /// show that it was.
    pub has_access_times: bool,
}

impl TestDirectory {
    pub fn new() -> Result<Self, Box<dyn Error>> {
        let mut directory = Self { directory: TempDir::new()?, has_access_times: false };
        let decoy = hdf5::File::create(directory.decoy())?;
        let pixels = decoy.new_dataset::<u8>().shape([6, 2, 2, 3]).create("train_set_x")?;
        pixels.write_raw(&[DECOY_PIXEL; 72])?;
        decoy.close()?;
        directory.reset_access_time()?;
        fs::read(directory.decoy())?;
        directory.has_access_times = directory.was_decoy_read()?;
        directory.reset_access_time()?;
        Ok(directory)
    }

    /// Path of the file to which crafted files refer.
    pub fn decoy(&self) -> PathBuf {
        self.path("decoy.h5")
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Creates a file and returns its bytes.
    pub fn create_file(
        &self,
        options: impl FnOnce(&mut hdf5::FileBuilder),
        fill: impl FnOnce(&hdf5::File) -> hdf5::Result<()>,
    ) -> Result<Vec<u8>, Box<dyn Error>> {
        let path = self.path("created.h5");
        let _ = fs::remove_file(&path);
        let mut builder = hdf5::File::with_options();
        options(&mut builder);
        let file = builder.create(&path)?;
        fill(&file)?;
        file.close()?;
        Ok(fs::read(path)?)
    }

    /// Fails if `base` cannot be read: its mutants would test nothing.
    pub fn require_valid(&self, base: &Case) -> Result<(), Box<dyn Error>> {
        let path = self.path("base.h5");
        fs::write(&path, &base.bytes)?;
        data_hdf5::read(&path, SplitKind::Train)
            .map_err(|error| format!("{}: {error}", base.name))?;
        Ok(())
    }

    /// Sets an access time before the last write, so that the next read is recorded.
    fn reset_access_time(&self) -> io::Result<()> {
        let times = FileTimes::new().set_accessed(SystemTime::UNIX_EPOCH);
        File::options().write(true).open(self.decoy())?.set_times(times)
    }

    fn was_decoy_read(&self) -> io::Result<bool> {
        Ok(fs::metadata(self.decoy())?.accessed()? != SystemTime::UNIX_EPOCH)
    }
}

/// Value of all pixels of the decoy. No image of another file has only such pixels.
const DECOY_PIXEL: u8 = 251;

/// Results of reading files.
#[derive(Debug, Default)]
pub struct Reading {
    read: usize,
    refused: usize,
    crashed: usize,
    timed_out: usize,
    longest: Duration,
    pub failures: Vec<String>,
}

impl Reading {
    /// Reads a file and counts the result.
    pub fn test(
        &mut self,
        directory: &TestDirectory,
        worker: usize,
        case: &Case,
    ) -> io::Result<()> {
        let path = directory.path(&format!("{worker}.h5"));
        fs::write(&path, &case.bytes)?;
        let started = Instant::now();
        let result = data_hdf5::read(&path, SplitKind::Train);
        let duration = started.elapsed();
        self.longest = self.longest.max(duration);
        let in_file = result.as_ref().ok().and_then(|file| compare_in_file(&path, file).err());
        let mut failure = self.check(result).err().or(in_file);
        if duration > TIMEOUT {
            failure = Some(format!("took {:.0} s", duration.as_secs_f64()));
        }
        if directory.was_decoy_read()? {
            directory.reset_access_time()?;
            failure = Some("another file was read".to_owned());
        }
        self.failures.extend(failure.map(|reason| format!("{}: {reason}", case.name)));
        Ok(())
    }

    /// Adds the results of `other`.
    pub fn merge(&mut self, other: Self) {
        self.read += other.read;
        self.refused += other.refused;
        self.crashed += other.crashed;
        self.timed_out += other.timed_out;
        self.longest = self.longest.max(other.longest);
        self.failures.extend(other.failures);
    }

    fn check(&mut self, result: Result<Hdf5File, Hdf5Error>) -> Result<(), String> {
        match result {
            Ok(file) => {
                self.read += 1;
                require_valid(&file)
            }
            Err(error) => match error.kind {
                Hdf5ErrorKind::ReaderCrashed => {
                    self.crashed += 1;
                    Ok(())
                }
                Hdf5ErrorKind::ReaderTimedOut => {
                    self.timed_out += 1;
                    Ok(())
                }
                Hdf5ErrorKind::ReaderFailed => Err(error.to_string()),
                _ => {
                    self.refused += 1;
                    require_one_line(&error.to_string())
                }
            },
        }
    }
}

/// Requires a message of one line with a remedy after a semicolon.
fn require_one_line(message: &str) -> Result<(), String> {
    let is_one_line = !message.contains('\n') && message.len() < 2000;
    require(is_one_line && message.contains("; "), || format!("says {message:?}"))
}

/// Requires values and labels in range, as many as the shape says, and no image of the decoy.
fn require_valid(file: &Hdf5File) -> Result<(), String> {
    let examples = &file.examples;
    let (count, is_valid) = match &examples.values {
        Values::Pixels(pixels) => (pixels.len(), !has_decoy_image(pixels, examples.width())),
        Values::Features(features) => {
            (features.len(), features.iter().all(|number| number.is_finite()))
        }
        Values::Stored(_) => return Err("was not read into memory".to_owned()),
    };
    let is_complete = count > 0 && count == examples.len() * examples.width();
    let is_known = |&label: &u32| (label as usize) < file.classes.len();
    let is_valid = is_complete && is_valid && examples.labels.iter().all(is_known);
    require(is_valid, || format!("was read as {count} values of {:?}", examples.shape))
}

/// Single pixels of a mutant may have the value of the decoy's, but not a whole image.
fn has_decoy_image(pixels: &[u8], width: usize) -> bool {
    pixels.chunks(width).any(|image| image.iter().all(|&value| value == DECOY_PIXEL))
}

/// Requires that a file that was read into memory is the same row by row, unless its rows cannot
/// stay in the file.
fn compare_in_file(path: &Path, in_memory: &Hdf5File) -> Result<(), String> {
    let stored = match data_hdf5::open(path, SplitKind::Train, Residency::InFile) {
        Ok(stored) => stored.examples,
        Err(error) if error.kind == Hdf5ErrorKind::Structure => {
            return require_one_line(&error.to_string());
        }
        Err(error) => return Err(format!("was read into memory, but not row by row: {error}")),
    };
    let same_values = values(&stored)? == values(&in_memory.examples)?;
    let is_same = same_values && stored.labels == in_memory.examples.labels;
    require(is_same, || "differs between memory and row by row".to_owned())
}

fn values(examples: &Examples) -> Result<Vec<f32>, String> {
    let every: Vec<usize> = (0..examples.len()).collect();
    examples.gather(&every).map_err(|error| error.to_string())
}

impl fmt::Display for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { read, refused, crashed, timed_out, longest, .. } = self;
        let longest = longest.as_secs_f64();
        write!(f, "{read} read, {refused} refused, {crashed} crashed and {timed_out} timed out ")?;
        write!(f, "in the reader, {longest:.1} s at most")
    }
}
