//! Reader process.

use std::fs::File;
use std::io::{self, stdout};
use std::os::fd::AsFd;
use std::process::ExitCode;

use super::request::Request;
use super::{answer, limits};
use crate::error::{Hdf5Error, ReaderFailure};
use crate::structure::{self, Structure};

/// Reads and sends the answer. The parent process detects failures by an incomplete answer.
pub fn serve(request: &Request) -> ExitCode {
    let read = read(request);
    let sent = pipe().and_then(|mut pipe| answer::send(&mut pipe, &read));
    if sent.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn read(request: &Request) -> Result<Structure, Hdf5Error> {
    let limited = |limited: io::Result<()>| {
        limited.map_err(|error| Hdf5Error::Reader {
            file: request.path.clone(),
            failure: ReaderFailure::Other,
            reason: format!("cannot be limited ({error})"),
            remedy: "run the program where it may lower its resource limits".into(),
        })
    };
    limited(limits::for_structure())?;
    structure::read(&request.path, request.split, |budget| limited(limits::for_data(budget)))
}

// Not `Stdout`, which searches its data for line ends.
fn pipe() -> io::Result<File> {
    Ok(File::from(stdout().as_fd().try_clone_to_owned()?))
}
