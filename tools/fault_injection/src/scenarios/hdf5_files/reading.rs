//! Reads one file and checks what comes of it.

use std::fs::{self, File, FileTimes};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime};

use data::{Examples, SplitKind, Values};
use data_hdf5::{Hdf5ErrorKind, Hdf5File, Residency};
use tempfile::TempDir;

use super::bases::complete;
use crate::tally::{CaseResult, require};

/// Longest time that reading a file may take.
const TIMEOUT: Duration = Duration::from_secs(10);

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
    counts: Mutex<Counts>,
}

/// Numbers of files that were read, were refused, crashed the reader, and took it too long, and the
/// longest time.
#[derive(Default)]
struct Counts([usize; 4], Duration);

impl TestDirectory {
    pub fn new() -> CaseResult<Self> {
        let (has_access_times, counts) = Default::default();
        let mut directory = Self { directory: TempDir::new()?, has_access_times, counts };
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

    fn decoy(&self) -> PathBuf {
        self.path("decoy.h5")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Creates a file that `fill` fills, given the path of the decoy.
    pub fn create(
        &self,
        name: &str,
        options: impl FnOnce(&mut hdf5::FileBuilder),
        fill: impl FnOnce(&hdf5::File, &str) -> hdf5::Result<()>,
    ) -> CaseResult<Case> {
        let path = self.path("created.h5");
        fs::remove_file(&path).ok();
        let mut builder = hdf5::File::with_options();
        options(&mut builder);
        let file = builder.create(&path)?;
        let decoy = self.decoy().display().to_string();
        let filled = fill(&file, &decoy).and_then(|()| complete(&file, name));
        filled.map_err(|error| format!("{name}: {error}"))?;
        file.close()?;
        Ok(Case { name: name.to_owned(), bytes: fs::read(path)? })
    }

    /// Fails if `base` cannot be read: its mutants would test nothing.
    pub fn require_valid(&self, base: &Case) -> CaseResult {
        let path = self.path("base.h5");
        fs::write(&path, &base.bytes)?;
        data_hdf5::read(&path, SplitKind::Train)
            .map_err(|error| format!("{}: {error}", base.name))?;
        Ok(())
    }

    pub fn test(&self, number: usize, case: &Case) -> CaseResult {
        let path = self.path(&format!("{number}.h5"));
        fs::write(&path, &case.bytes)?;
        let started = Instant::now();
        let result = data_hdf5::read(&path, SplitKind::Train);
        let duration = started.elapsed();
        let (kind, checked) = match result {
            Ok(file) => (0, require_valid(&file).and_then(|()| compare_in_file(&path, &file))),
            Err(error) => match error.kind {
                Hdf5ErrorKind::ReaderCrashed => (2, Ok(())),
                Hdf5ErrorKind::ReaderTimedOut => (3, Ok(())),
                Hdf5ErrorKind::ReaderFailed => (1, Err(error.to_string())),
                _ => (1, require_one_line(&error.to_string())),
            },
        };
        if let Ok(mut counts) = self.counts.lock() {
            let Counts(numbers, longest) = &mut *counts;
            numbers.iter_mut().skip(kind).take(1).for_each(|number| *number += 1);
            *longest = duration.max(*longest);
        }
        fs::remove_file(&path)?;
        if self.was_decoy_read()? {
            self.reset_access_time()?;
            return Err("another file was read".into());
        }
        require(duration <= TIMEOUT, || format!("took {:.0} s", duration.as_secs_f64()))
            .and(checked)?;
        Ok(())
    }

    /// What became of the files so far.
    pub fn counts(&self) -> String {
        let Counts([read, refused, crashed, timed_out], longest) =
            self.counts.lock().map(|counts| Counts(counts.0, counts.1)).unwrap_or_default();
        format!(
            "{read} read, {refused} refused, {crashed} crashed and {timed_out} timed out in the \
             reader, {:.1} s at most",
            longest.as_secs_f64()
        )
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
