//! Calls that fail, and a record of them: a library that is loaded before the real program's own.

mod trace;

use std::error::Error;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

pub use trace::{Call, What, acknowledged};

/// The library, built and ready to be loaded.
pub struct Faults {
    place: TempDir,
}

/// What happens to a run of the program.
#[derive(Debug, Clone, Copy)]
pub struct Fault {
    /// At which of the calls that change something, from 1.
    pub at: usize,
    /// As `faults.c` knows it.
    pub error: &'static str,
    /// Whether all later calls fail too.
    pub lasting: bool,
}

const SOURCE: &str = include_str!("faults.c");

impl Faults {
    /// Compiles the library.
    pub fn new() -> Result<Self, Box<dyn Error>> {
        let faults = Self { place: TempDir::new()? };
        let compiler = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-pthread", "-x", "c", "-", "-o"])
            .arg(faults.library())
            .stdin(Stdio::piped())
            .spawn();
        let mut compiler = compiler.map_err(|error| format!("there is no C compiler: {error}"))?;
        compiler.stdin.take().map_or(Ok(()), |mut input| input.write_all(SOURCE.as_bytes()))?;
        match compiler.wait()?.success() {
            true => Ok(faults),
            false => Err("cc refused faults.c".into()),
        }
    }

    /// Has `command` meet the fault in what it does below a directory, and tell `trace` of it.
    pub fn meet(&self, command: &mut Command, below: &Path, fault: Option<Fault>, trace: &Path) {
        command.env("LD_PRELOAD", self.library());
        command.env("FAULTS_BELOW", below).env("FAULTS_TRACE", trace);
        if let Some(fault) = fault {
            command.env("FAULTS_AT", fault.at.to_string()).env("FAULTS_ERROR", fault.error);
            if fault.lasting {
                command.env("FAULTS_LASTING", "");
            }
        }
    }

    fn library(&self) -> PathBuf {
        self.place.path().join("faults.so")
    }
}

/// The record that the library left, of calls below a directory.
pub fn calls(trace: &Path, below: &Path) -> io::Result<Vec<Call>> {
    trace::read(&std::fs::read(trace)?, below)
}
