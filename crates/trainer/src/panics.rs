//! A panic is told like every other failure; where it happened is in the log.

use std::panic;
use std::process::ExitCode;

use crate::error::Failure;

/// Runs `command`. If it panics, that is a failure.
pub fn caught(command: impl FnOnce() -> Result<ExitCode, Failure>) -> Result<ExitCode, Failure> {
    panic::set_hook(Box::new(|panic| tracing::debug!("{panic}")));
    training::caught(command).unwrap_or_else(|words| Err(Failure::panic(&words)))
}
