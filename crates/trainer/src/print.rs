//! The only place that prints. The log is written by `logging`.

use std::io::{self, ErrorKind, Write};

use crate::error::Failure;

/// Prints a result. A reader that has seen enough, such as `head`, is no failure.
pub fn result(text: &str) -> Result<(), Failure> {
    match writeln!(io::stdout().lock(), "{text}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::run(&error)),
        _ => Ok(()),
    }
}

/// Prints what happens. Training goes on whether anybody reads it or not.
pub fn progress(text: &str) {
    writeln!(io::stdout().lock(), "{text}").ok();
}

/// Shows `line` in place of the one shown before it, on a terminal.
pub fn repaint(line: &str) {
    let mut out = io::stdout().lock();
    write!(out, "\r\x1b[K{line}").and_then(|()| out.flush()).ok();
}

/// Asks a question that is answered with yes or no; everything else, and no answer, is no.
pub fn asked(question: &str) -> Result<bool, Failure> {
    let mut out = io::stdout().lock();
    let asked = write!(out, "{question}").and_then(|()| out.flush());
    asked.map_err(|error| Failure::run(&error))?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).map_err(|error| Failure::run(&error))?;
    Ok(["y", "yes"].contains(&answer.trim().to_lowercase().as_str()))
}

/// Prints an error.
pub fn error(text: &str) {
    writeln!(io::stderr().lock(), "error: {text}").ok();
}
