//! Output to stdout and stderr. All printing goes through this module, except for the log
//! (`logging`). Styles are kept if the stream is a terminal with colours and `NO_COLOR` is not set.

use std::io::{self, ErrorKind, Write};

use anstream::{stderr, stdout};

use crate::error::Failure;
use crate::{progress, style};

/// Prints a result. A closed pipe, such as that of `head`, is not an error.
pub fn result(text: &str) -> Result<(), Failure> {
    let _hidden = progress::hide();
    match writeln!(stdout().lock(), "{text}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::run(&error)),
        _ => Ok(()),
    }
}

/// Prints a message on progress. Errors are ignored, so that a closed pipe does not end training.
pub fn event(text: &str) {
    let _hidden = progress::hide();
    writeln!(stdout().lock(), "{text}").ok();
}

/// Asks a yes/no question and returns true if the answer is `y` or `yes`.
pub fn confirm(question: &str) -> Result<bool, Failure> {
    let _hidden = progress::hide();
    let mut out = stdout().lock();
    let written = write!(out, "{question}").and_then(|()| out.flush());
    written.map_err(|error| Failure::run(&error))?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).map_err(|error| Failure::run(&error))?;
    Ok(["y", "yes"].contains(&answer.trim().to_lowercase().as_str()))
}

/// Prints a note on stderr, beside a result on stdout.
pub fn note(text: &str) {
    let _hidden = progress::hide();
    writeln!(stderr().lock(), "{text}").ok();
}

/// Prints an error message.
pub fn error(text: &str) {
    let _hidden = progress::hide();
    writeln!(stderr().lock(), "{} {}", style::error(), text).ok();
}
