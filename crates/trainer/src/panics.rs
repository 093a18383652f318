//! A panic is told like every other failure; where it happened is in the log.

use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;

use training::panic_words;

use crate::error::Failure;

/// Runs `command`. If it panics, that is a failure.
pub fn caught(command: impl FnOnce() -> Result<ExitCode, Failure>) -> Result<ExitCode, Failure> {
    panic::set_hook(Box::new(|panic| tracing::debug!("{panic}")));
    let ended = panic::catch_unwind(AssertUnwindSafe(command));
    ended.unwrap_or_else(|panic| Err(Failure::panic(panic_words(panic.as_ref()))))
}
