//! Subprocess that reads the structure of a file.
//!
//! libhdf5 crashes on some damaged files, in the very calls that read the structure, and such a signal
//! cannot be caught. A program that calls [`isolate`] therefore starts itself again for every file: the
//! subprocess limits its resources, reads, and sends the structure or an error through a pipe.

mod answer;
mod child;
mod limits;
mod parent;
mod request;
#[cfg(test)]
mod tests;

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::OnceLock;

pub use answer::Answer;
pub use parent::read;
pub use request::Request;

static PROGRAM: OnceLock<PathBuf> = OnceLock::new();

/// Makes this process read HDF5 files in a subprocess, which runs this program again. A damaged file
/// then causes an error instead of a crash.
///
/// Call this first in `main` and exit with the returned code, if any: this process is such a
/// subprocess, and has finished. Programs that do not call this read in their own process.
pub fn isolate() -> Option<ExitCode> {
    match Request::from_arguments(env::args_os()) {
        Some(request) => Some(child::serve(&request)),
        None => {
            // Without the path of its executable, the program reads in its own process.
            let _ = executable().map(|program| PROGRAM.set(program));
            None
        }
    }
}

/// Executable of the subprocess, if the program called [`isolate`].
pub fn program() -> Option<&'static Path> {
    PROGRAM.get().map(PathBuf::as_path)
}

// On Linux this works even after the executable was replaced.
#[cfg(target_os = "linux")]
fn executable() -> std::io::Result<PathBuf> {
    Ok(PathBuf::from("/proc/self/exe"))
}

#[cfg(not(target_os = "linux"))]
fn executable() -> std::io::Result<PathBuf> {
    env::current_exe()
}
