//! Output to stdout and stderr. All printing goes through this module, except for the log file. Styles
//! are kept if the stream is a terminal with colours and `NO_COLOR` is not set.

use std::io::{self, ErrorKind, Write};

use anstream::{stderr, stdout};
use serde::Serialize;
use serde_json::json;

use crate::error::Failure;
use crate::{progress, style};

/// Prints a result. A closed pipe, such as that of `head`, is not an error.
pub fn result(text: &str) -> Result<(), Failure> {
    let _hidden = progress::hide();
    match writeln!(stdout().lock(), "{text}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

pub fn json(value: &impl Serialize) -> Result<(), Failure> {
    result(&format!("{:#}", json!(value)))
}

pub fn json_or_text(
    is_json: bool,
    value: &impl Serialize,
    text: impl FnOnce() -> String,
) -> Result<(), Failure> {
    if is_json { json(value) } else { result(&text()) }
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
    write!(out, "{question}")?;
    out.flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(["y", "yes"].contains(&answer.trim().to_lowercase().as_str()))
}

/// Prints a note on stderr, beside a result on stdout.
pub fn note(text: &str) {
    let _hidden = progress::hide();
    writeln!(stderr().lock(), "{text}").ok();
}

pub fn error(text: &str) {
    note(&format!("{} {text}", style::error()));
}
