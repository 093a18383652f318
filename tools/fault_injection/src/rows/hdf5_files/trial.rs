//! One file, tried: what reading it may come to, and what it must not.

use std::error::Error;
use std::fmt;
use std::fs::{self, File, FileTimes};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use dataset::hdf5::{Hdf5Error, Hdf5File, Keep, Part, open, read};
use dataset::{Examples, Values};
use tempfile::TempDir;

/// The longest that any file may hold up its reader.
const LONGEST: Duration = Duration::from_secs(10);

/// A file to try.
#[derive(Debug, Clone)]
pub struct Case {
    pub name: String,
    pub bytes: Vec<u8>,
}

/// A directory for the files, and another file that none of them may lead to.
pub struct Bench {
    directory: TempDir,
    /// Whether the file system tells when a file was read. Where it does not, the pixels of the bait
    /// still do.
    pub tells_reading: bool,
}

impl Bench {
    pub fn new() -> Result<Self, Box<dyn Error>> {
        let mut bench = Self { directory: TempDir::new()?, tells_reading: false };
        let bait = hdf5::File::create(bench.bait())?;
        let pixels = bait.new_dataset::<u8>().shape([6, 2, 2, 3]).create("train_set_x")?;
        pixels.write_raw(&[BAIT; 72])?;
        bait.close()?;
        bench.lay_bait()?;
        fs::read(bench.bait())?;
        bench.tells_reading = bench.was_taken()?;
        bench.lay_bait()?;
        Ok(bench)
    }

    /// A file that hostile files point to.
    pub fn bait(&self) -> PathBuf {
        self.directory.path().join("bait.h5")
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Last read long before it was written: the next reading is noted.
    fn lay_bait(&self) -> io::Result<()> {
        let times = FileTimes::new().set_accessed(SystemTime::UNIX_EPOCH);
        File::options().write(true).open(self.bait())?.set_times(times)
    }

    fn was_taken(&self) -> io::Result<bool> {
        Ok(fs::metadata(self.bait())?.accessed()? != SystemTime::UNIX_EPOCH)
    }
}

/// The pixels of the other file; no file that is tried has such.
const BAIT: u8 = 251;

/// What came of the files.
#[derive(Debug, Default)]
pub struct Seen {
    read: usize,
    refused: usize,
    crashed: usize,
    slow: usize,
    longest: Duration,
    pub losses: Vec<String>,
}

impl Seen {
    /// Tries a file and counts what comes of it.
    pub fn count(&mut self, bench: &Bench, worker: usize, case: &Case) -> io::Result<()> {
        let path = bench.path(&format!("{worker}.h5"));
        fs::write(&path, &case.bytes)?;
        let started = Instant::now();
        let outcome = read(&path, Part::Train);
        let took = started.elapsed();
        self.longest = self.longest.max(took);
        let in_file = outcome.as_ref().ok().and_then(|file| differs_in_file(&path, file).err());
        let mut lost = self.judge(outcome).err().or(in_file);
        if took > LONGEST {
            lost = Some(format!("took {:.0} s", took.as_secs_f64()));
        }
        if bench.was_taken()? {
            bench.lay_bait()?;
            lost = Some("led to another file".to_owned());
        }
        self.losses.extend(lost.map(|reason| format!("{}: {reason}", case.name)));
        Ok(())
    }

    /// A base that is not sound would make all its mutants easy to refuse.
    pub fn must_be_read(&self, bench: &Bench, base: &Case) -> Result<(), Box<dyn Error>> {
        let path = bench.path("base.h5");
        fs::write(&path, &base.bytes)?;
        read(&path, Part::Train).map_err(|error| format!("{}: {error}", base.name))?;
        Ok(())
    }

    pub fn add(&mut self, other: Self) {
        self.read += other.read;
        self.refused += other.refused;
        self.crashed += other.crashed;
        self.slow += other.slow;
        self.longest = self.longest.max(other.longest);
        self.losses.extend(other.losses);
    }

    fn judge(&mut self, outcome: Result<Hdf5File, Hdf5Error>) -> Result<(), String> {
        match outcome {
            Ok(file) => {
                self.read += 1;
                plausible(&file)
            }
            Err(Hdf5Error::Reader { reason, .. }) if reason.starts_with("crashed") => {
                self.crashed += 1;
                Ok(())
            }
            Err(Hdf5Error::Reader { reason, .. }) if reason.starts_with("took") => {
                self.slow += 1;
                Ok(())
            }
            Err(Hdf5Error::Reader { reason, .. }) => Err(reason),
            Err(error) => {
                self.refused += 1;
                must_say(&error.to_string())
            }
        }
    }
}

/// A message is one line that ends with what to do.
fn must_say(message: &str) -> Result<(), String> {
    let one_line = !message.contains('\n') && message.len() < 2000;
    if one_line && message.contains("; ") { Ok(()) } else { Err(format!("says {message:?}")) }
}

fn plausible(file: &Hdf5File) -> Result<(), String> {
    let examples = &file.examples;
    let known = |&label: &u32| (label as usize) < file.classes.len();
    let (held, sound) = match &examples.values {
        Values::Pixels(pixels) => {
            // A mutant may hold that value too, but not a whole image of it.
            let is_bait = |image: &[u8]| image.iter().all(|&value| value == BAIT);
            (pixels.len(), !pixels.chunks(examples.width()).any(is_bait))
        }
        Values::Features(features) => {
            (features.len(), features.iter().all(|number| number.is_finite()))
        }
        Values::Stored(_) => return Err("was not read into memory".to_owned()),
    };
    let whole = held > 0 && held == examples.len() * examples.width();
    match whole && sound && examples.labels.iter().all(known) {
        true => Ok(()),
        false => Err(format!("was read as {held} values of {:?}", examples.shape)),
    }
}

/// What was read into memory must be the same where it stays in the file, unless it cannot.
fn differs_in_file(path: &Path, whole: &Hdf5File) -> Result<(), String> {
    let stored = match open(path, Part::Train, Keep::InFile) {
        Ok(stored) => stored.examples,
        Err(error @ Hdf5Error::Structure { .. }) => return must_say(&error.to_string()),
        Err(error) => return Err(format!("is read whole, but not by rows: {error}")),
    };
    let every: Vec<usize> = (0..stored.len()).collect();
    let values = |examples: &Examples| examples.gather(&every).map_err(|error| error.to_string());
    let is_same = values(&stored)? == values(&whole.examples)?;
    match is_same && stored.labels == whole.examples.labels {
        true => Ok(()),
        false => Err("is not read by rows as it is whole".to_owned()),
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { read, refused, crashed, slow, longest, .. } = self;
        let longest = longest.as_secs_f64();
        write!(f, "{read} read, {refused} refused, {crashed} crashed and {slow} held up their ")?;
        write!(f, "reader, {longest:.1} s at most")
    }
}

/// The bytes of a file that `fill` makes.
pub fn file(
    bench: &Bench,
    options: impl FnOnce(&mut hdf5::FileBuilder),
    fill: impl FnOnce(&hdf5::File) -> hdf5::Result<()>,
) -> Result<Vec<u8>, Box<dyn Error>> {
    let path: &Path = &bench.path("made.h5");
    let _ = fs::remove_file(path);
    let mut builder = hdf5::File::with_options();
    options(&mut builder);
    let file = builder.create(path)?;
    fill(&file)?;
    file.close()?;
    Ok(fs::read(path)?)
}
