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

/// Prints an error.
pub fn error(text: &str) {
    writeln!(io::stderr().lock(), "error: {text}").ok();
}
