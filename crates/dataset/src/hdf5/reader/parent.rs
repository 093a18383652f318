//! The process that has a file read.

use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::process::Signal;

use super::Request;
use super::answer::{self, Broken};
use crate::hdf5::{Described, Hdf5Error, Part};

const DAMAGED: &str = "the file is damaged, or made to do harm; download it again";
const AGAIN: &str = "try again; free memory first if the system ran out of it";
const DEFECT: &str = "this is a defect of the program, please report it with the file";
const START: &str = "check the limits on processes and memory, then try again";

/// As [`crate::hdf5::describe`], by another process of `program`.
pub(in crate::hdf5) fn read(
    program: &Path,
    path: &Path,
    part: Part,
) -> Result<Described, Hdf5Error> {
    let request = Request { part, path: path.to_path_buf() };
    let failed = |(reason, remedy): (String, &'static str)| Hdf5Error::Reader {
        file: path.to_path_buf(),
        reason,
        remedy: remedy.into(),
    };
    let unable = |error: io::Error| failed((format!("cannot be run ({error})"), START));
    let mut reader = start(program, &request).map_err(unable)?;
    let answer = match reader.stdout.take() {
        Some(mut pipe) => answer::receive(&mut pipe),
        None => Err(Broken::Short),
    };
    if let Err(Broken::Wrong(_)) = answer {
        // It may have ended by itself, and is waited for in any case.
        let _ = reader.kill();
    }
    let status = reader.wait().map_err(unable)?;
    match answer {
        Err(Broken::Wrong(what)) => Err(failed((format!("answered with {what}"), DEFECT))),
        Ok(answer) if status.success() => answer.map_err(|error| error.of(path)),
        _ => Err(failed(how_it_ended(status))),
    }
}

/// In a process group of its own: a Ctrl-C in the terminal is for this process, which then ends or
/// waits for its data as it sees fit.
fn start(program: &Path, request: &Request) -> io::Result<Child> {
    Command::new(program)
        .args(request.arguments())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
}

/// What became of a process that did not answer, and what to do about it.
fn how_it_ended(status: ExitStatus) -> (String, &'static str) {
    let Some(signal) = status.signal() else {
        let code = status.code().unwrap_or_default();
        return (format!("ended with exit code {code} before it had answered"), DEFECT);
    };
    match Signal::from_named_raw(signal) {
        Some(Signal::XCPU) => {
            ("took more time than a sound file of its size can need".into(), DAMAGED)
        }
        Some(Signal::ILL | Signal::ABORT | Signal::BUS | Signal::FPE | Signal::SEGV) => {
            (format!("crashed on it (signal {signal})"), DAMAGED)
        }
        _ => (format!("was killed (signal {signal})"), AGAIN),
    }
}
