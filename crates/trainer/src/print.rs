//! Output to stdout and stderr. All printing goes through this module, except for the log file. Styles
//! are kept if the stream is a terminal with colours and `NO_COLOR` is not set.

use std::io::{self, ErrorKind, IsTerminal, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anstream::{stderr, stdout};
use serde::Serialize;
use serde_json::json;

use crate::error::Failure;
use crate::{progress, style};

/// Notes that wait until the dashboard has left the terminal.
static HELD: Mutex<Option<Vec<String>>> = Mutex::new(None);
/// Number of notes that are kept.
const MOST_HELD: usize = 100;

fn held() -> MutexGuard<'static, Option<Vec<String>>> {
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps notes until [`release`], if stderr is a terminal.
pub fn hold() {
    drop(progress::hide());
    *held() = io::stderr().is_terminal().then(Vec::new);
}

/// Prints the notes that were kept.
pub fn release() {
    let notes = held().take();
    notes.iter().flatten().for_each(|text| note(text));
}

pub fn is_holding() -> bool {
    held().is_some()
}

/// The last note that is kept.
pub fn last_held() -> Option<String> {
    held().as_ref()?.last().cloned()
}

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
    if let Some(notes) = &mut *held() {
        if notes.len() == MOST_HELD {
            notes.remove(0);
        }
        return notes.push(text.to_owned());
    }
    let _hidden = progress::hide();
    writeln!(stderr().lock(), "{text}").ok();
}

pub fn error(text: &str) {
    note(&format!("{} {text}", style::error()));
}
