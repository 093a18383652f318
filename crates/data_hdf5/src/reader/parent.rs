//! Parent of a reader process.

use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use Hdf5ErrorKind::{ReaderCrashed, ReaderFailed, ReaderTimedOut};
use rustix::process::Signal;

use super::Request;
use super::answer::{self, Answer, Broken};
use crate::error::{Hdf5Error, Hdf5ErrorKind};

const DAMAGED: &str = "the file is damaged or malicious; download it again";
const AGAIN: &str = "try again; free memory first if the system ran out of it";
const DEFECT: &str = "this is a bug in the program, please report it with the file";
const START: &str = "check the limits on processes and memory, and that /proc and /dev are mounted";

/// Answers a request in a subprocess that runs `program`.
pub fn read(program: &Path, request: &Request) -> Result<Answer, Hdf5Error> {
    let unable =
        |error: io::Error| request.failed(ReaderFailed, &format!("cannot be run ({error})"), START);
    let mut reader = start(program, request).map_err(unable)?;
    let answer = match reader.stdout.take() {
        Some(mut pipe) => answer::receive(&mut pipe),
        None => Err(Broken::Short),
    };
    if let Err(Broken::Invalid(_)) = answer {
        // It may have ended already, and is waited for in any case.
        let _ = reader.kill();
    }
    let status = reader.wait().map_err(unable)?;
    let (kind, reason, remedy) = match answer {
        Ok(answer) if status.success() => return answer.map_err(|error| error.at(&request.path)),
        Err(Broken::Invalid(what)) => (ReaderFailed, format!("answered with {what}"), DEFECT),
        _ => describe_failure(status),
    };
    Err(request.failed(kind, &reason, remedy))
}

/// Starts the subprocess in its own process group, so that Ctrl-C in the terminal reaches only this
/// process.
fn start(program: &Path, request: &Request) -> io::Result<Child> {
    let mut command = Command::new(program);
    command.args(request.arguments()?).process_group(0);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()
}

/// Kind, reason and remedy of a subprocess that ended without an answer.
fn describe_failure(status: ExitStatus) -> (Hdf5ErrorKind, String, &'static str) {
    let Some(signal) = status.signal() else {
        let code = status.code().unwrap_or_default();
        return (ReaderFailed, format!("ended with exit code {code} without an answer"), DEFECT);
    };
    match Signal::from_named_raw(signal) {
        Some(Signal::XCPU) => {
            (ReaderTimedOut, "took more time than a valid file of its size needs".into(), DAMAGED)
        }
        Some(Signal::ILL | Signal::ABORT | Signal::BUS | Signal::FPE | Signal::SEGV) => {
            (ReaderCrashed, format!("crashed on it (signal {signal})"), DAMAGED)
        }
        _ => (ReaderFailed, format!("was killed (signal {signal})"), AGAIN),
    }
}
