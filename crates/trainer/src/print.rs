//! The only place that prints. The log is written by `logging`. Colours go where the stream is a
//! terminal that has them, unless `NO_COLOR` is set.

use std::io::{self, ErrorKind, Write};

use anstream::{stderr, stdout};

use crate::error::Failure;
use crate::{progress, style};

/// Prints a result. A reader that has seen enough, such as `head`, is no failure.
pub fn result(text: &str) -> Result<(), Failure> {
    let _gone = progress::hidden();
    match writeln!(stdout().lock(), "{text}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::run(&error)),
        _ => Ok(()),
    }
}

/// Prints what happens. Training goes on whether anybody reads it or not.
pub fn event(text: &str) {
    let _gone = progress::hidden();
    writeln!(stdout().lock(), "{text}").ok();
}

/// Asks a question that is answered with yes or no; everything else, and no answer, is no.
pub fn asked(question: &str) -> Result<bool, Failure> {
    let _gone = progress::hidden();
    let mut out = stdout().lock();
    let asked = write!(out, "{question}").and_then(|()| out.flush());
    asked.map_err(|error| Failure::run(&error))?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).map_err(|error| Failure::run(&error))?;
    Ok(["y", "yes"].contains(&answer.trim().to_lowercase().as_str()))
}

/// Prints an error.
pub fn error(text: &str) {
    let _gone = progress::hidden();
    writeln!(stderr().lock(), "{} {text}", style::error()).ok();
}
