//! A process of its own that reads a file.
//!
//! libhdf5 dies of a signal on some damaged files, inside the very calls that ask for the
//! structure, and a signal cannot be caught. A program that calls [`isolate`] therefore starts
//! itself once more for every file: that process limits itself, reads, and sends what it has read,
//! or why it has not, through a pipe.

mod answer;
mod child;
mod limits;
mod parent;
#[cfg(test)]
mod tests;

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::OnceLock;

use super::Part;
pub(super) use parent::read;

/// The first argument of a process that is to read; no program has such a command.
const READER: &str = "--read-hdf5-for-the-process-that-started-this-one";

static PROGRAM: OnceLock<PathBuf> = OnceLock::new();

/// Has [`super::read`] read every file in a process of its own, which is this program again: what
/// a damaged file does to libhdf5 is then an error and no crash.
///
/// To be called first in `main`. An exit code is one to end with at once: this process was started
/// to read, and has done so. Programs that do not call this read in their own process.
pub fn isolate() -> Option<ExitCode> {
    match Request::from_arguments(env::args_os()) {
        Some(request) => Some(child::serve(&request)),
        None => {
            // Without a path to itself, the program reads in its own process.
            let _ = itself().map(|program| PROGRAM.set(program));
            None
        }
    }
}

/// The program that reads, if it is not this process.
pub(super) fn program() -> Option<&'static Path> {
    PROGRAM.get().map(PathBuf::as_path)
}

// Linux finds a program by this name even after it was replaced by a newer one.
#[cfg(target_os = "linux")]
fn itself() -> std::io::Result<PathBuf> {
    Ok(PathBuf::from("/proc/self/exe"))
}

#[cfg(not(target_os = "linux"))]
fn itself() -> std::io::Result<PathBuf> {
    env::current_exe()
}

/// What to read, as arguments of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Request {
    part: Part,
    path: PathBuf,
}

impl Request {
    fn arguments(&self) -> [&OsStr; 3] {
        [OsStr::new(READER), OsStr::new(self.part.examples()), self.path.as_os_str()]
    }

    fn from_arguments(arguments: impl Iterator<Item = OsString>) -> Option<Self> {
        let arguments: Vec<_> = arguments.skip(1).take(4).collect();
        let [reader, part, path] = &arguments[..] else { return None };
        let part = [Part::Train, Part::Test].into_iter().find(|known| part == known.examples())?;
        (reader == READER).then(|| Self { part, path: path.into() })
    }
}
