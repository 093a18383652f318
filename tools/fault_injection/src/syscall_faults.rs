//! Failing system calls, and a trace of all calls: a library that is preloaded into the trainer.

mod trace;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::tally::CaseResult;
pub use trace::{TracedCall, acknowledged, acknowledgements, parse};

pub struct FaultLibrary {
    directory: TempDir,
}

/// A system call of the trainer that fails.
#[derive(Debug, Clone, Copy)]
pub struct SyscallFault {
    /// Number of the call among those that change something, from 1.
    pub call: usize,
    /// Name of the error in `syscall_faults.c`.
    pub error: &'static str,
    /// Whether all later calls fail too.
    pub lasting: bool,
}

const SOURCE: &str = include_str!("syscall_faults.c");

impl FaultLibrary {
    pub fn new() -> CaseResult<Self> {
        let library = Self { directory: TempDir::new()? };
        let compiler = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-pthread", "-x", "c", "-", "-o"])
            .arg(library.path())
            .stdin(Stdio::piped())
            .spawn();
        let mut compiler = compiler.map_err(|error| format!("cannot run cc: {error}"))?;
        compiler.stdin.take().map_or(Ok(()), |mut input| input.write_all(SOURCE.as_bytes()))?;
        if compiler.wait()?.success() {
            Ok(library)
        } else {
            Err("cc cannot compile syscall_faults.c".into())
        }
    }

    /// Preloads the library into `command`: it traces the calls below a directory to the file
    /// `trace` and injects `fault`.
    pub fn preload(
        &self,
        command: &mut Command,
        below: &Path,
        fault: Option<SyscallFault>,
        trace: &Path,
    ) {
        command.env("LD_PRELOAD", self.path());
        command.env("FAULTS_BELOW", below).env("FAULTS_TRACE", trace);
        if let Some(fault) = fault {
            command.env("FAULTS_AT", fault.call.to_string()).env("FAULTS_ERROR", fault.error);
            if fault.lasting {
                command.env("FAULTS_LASTING", "");
            }
        }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("faults.so")
    }
}
