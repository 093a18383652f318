//! The process that reads.

use std::fs::File;
use std::io::{self, stdout};
use std::os::fd::AsFd;
use std::process::ExitCode;

use super::{Request, answer, limits};
use crate::hdf5::{Described, Hdf5Error, describe};

/// Reads and answers. What goes wrong with the answer, the other process sees by its end.
pub(super) fn serve(request: &Request) -> ExitCode {
    let read = read(request);
    let sent = pipe().and_then(|mut pipe| answer::send(&mut pipe, &read));
    if sent.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn read(request: &Request) -> Result<Described, Hdf5Error> {
    let limited = |limited: io::Result<()>| {
        limited.map_err(|error| Hdf5Error::Reader {
            file: request.path.clone(),
            reason: format!("cannot be limited ({error})"),
            remedy: "run the program where it may lower its resource limits".into(),
        })
    };
    limited(limits::for_structure())?;
    describe(&request.path, request.part, |demand| limited(limits::for_data(demand)))
}

// Not through `Stdout`, which looks for ends of lines in all that passes.
fn pipe() -> io::Result<File> {
    Ok(File::from(stdout().as_fd().try_clone_to_owned()?))
}
