//! Subprocess that reads the structure of a file.
//!
//! libhdf5 crashes on some damaged files, in the very calls that read the structure, and such a signal
//! cannot be caught. A program that calls [`isolate`] therefore starts itself again for every file: the
//! subprocess limits its resources, reads, and sends the structure or an error through a pipe.

mod answer;
mod limits;
mod parent;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::fs::File;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::OnceLock;
use std::{env, io};

use data::SplitKind;
use serde::{Deserialize, Serialize};

pub use answer::Answer;

use crate::error::{Hdf5Error, Hdf5ErrorKind};
use crate::part::ObjectKeys;
use crate::structure;

/// Executable of the subprocess, if the program called [`isolate`].
static PROGRAM: OnceLock<PathBuf> = OnceLock::new();

/// First argument of a reader process; no program has such a command.
const READER: &str = "--read-hdf5-for-the-process-that-started-this-one";

/// Makes this process read HDF5 files in a subprocess, which runs this program again. A damaged file
/// then causes an error instead of a crash.
///
/// Call this first in `main` and exit with the returned code, if any: this process is such a
/// subprocess, and has finished. Programs that do not call this read in their own process.
pub fn isolate() -> Option<ExitCode> {
    if let Some(request) = Request::from_arguments(env::args_os()) {
        return Some(request.serve());
    }
    // On Linux this works even after the executable was replaced.
    let program = if cfg!(target_os = "linux") {
        Ok(PathBuf::from("/proc/self/exe"))
    } else {
        env::current_exe()
    };
    // Without the path of its executable, the program reads in its own process.
    let _ = program.map(|program| PROGRAM.set(program));
    None
}

/// What to read from a file, passed as arguments of the reader process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The part whose structure to read; `None` to list the parts.
    pub split: Option<SplitKind>,
    pub keys: ObjectKeys,
    /// Not serialized, since it may not be valid text.
    #[serde(skip)]
    pub path: PathBuf,
}

impl Request {
    /// Reads the answer, in a subprocess if the program called [`isolate`].
    pub fn answer(&self) -> Result<Answer, Hdf5Error> {
        match PROGRAM.get() {
            Some(program) => parent::read(program, self),
            None => structure::answer(self, |_| Ok(())),
        }
    }

    /// Reads and sends the answer in a reader process. The parent process detects failures by an incomplete
    /// answer.
    fn serve(&self) -> ExitCode {
        let limited = |limited: io::Result<()>| {
            limited.map_err(|error| {
                let reason = format!("cannot be limited ({error})");
                let remedy = "run the program where it may lower its resource limits";
                self.failed(Hdf5ErrorKind::ReaderFailed, &reason, remedy)
            })
        };
        let read = limited(limits::for_structure())
            .and_then(|()| structure::answer(self, |budget| limited(limits::for_data(budget))));
        // Not `Stdout`, which searches its data for line ends.
        let pipe = io::stdout().as_fd().try_clone_to_owned().map(File::from);
        let sent = pipe.and_then(|mut pipe| answer::send(&mut pipe, &read));
        if sent.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    /// Error of the process that reads the file.
    fn failed(&self, kind: Hdf5ErrorKind, reason: &str, remedy: &str) -> Hdf5Error {
        Hdf5Error::new(&self.path, kind, format!("the process that reads it {reason}; {remedy}"))
    }

    fn arguments(&self) -> serde_json::Result<[OsString; 3]> {
        let question = serde_json::to_string(self)?;
        Ok([READER.into(), question.into(), self.path.clone().into()])
    }

    fn from_arguments(arguments: impl Iterator<Item = OsString>) -> Option<Self> {
        let arguments: Vec<_> = arguments.skip(1).take(4).collect();
        let [reader, question, path] = &arguments[..] else { return None };
        let request: Self = serde_json::from_str(question.to_str()?).ok()?;
        (reader == READER).then(|| Self { path: path.into(), ..request })
    }
}
