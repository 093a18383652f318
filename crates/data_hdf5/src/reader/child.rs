//! Reader process.

use std::fs::File;
use std::io::{self, stdout};
use std::os::fd::AsFd;
use std::process::ExitCode;

use super::answer::{self, Answer};
use super::limits;
use super::request::{Question, Request};
use crate::error::{Hdf5Error, ReaderFailure};
use crate::structure;

/// Reads and sends the answer. The parent process detects failures by an incomplete answer.
pub fn serve(request: &Request) -> ExitCode {
    let read = read(request);
    let sent = pipe().and_then(|mut pipe| answer::send(&mut pipe, &read));
    if sent.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn read(request: &Request) -> Result<Answer, Hdf5Error> {
    let limited = |limited: io::Result<()>| {
        limited.map_err(|error| Hdf5Error::Reader {
            file: request.path.clone(),
            failure: ReaderFailure::Other,
            reason: format!("cannot be limited ({error})"),
            remedy: "run the program where it may lower its resource limits".into(),
        })
    };
    limited(limits::for_structure())?;
    let Request { question: Question { split, keys }, path } = request;
    match *split {
        Some(split) => {
            let prepare = |budget: &_| limited(limits::for_data(budget));
            structure::read(path, split, keys, prepare)
                .map(|structure| Answer::Structure(Box::new(structure)))
        }
        None => structure::parts(path, keys).map(Answer::Parts),
    }
}

// Not `Stdout`, which searches its data for line ends.
fn pipe() -> io::Result<File> {
    Ok(File::from(stdout().as_fd().try_clone_to_owned()?))
}
