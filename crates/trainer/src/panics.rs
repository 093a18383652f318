//! Panics of a command, reported like other failures. Their location goes to the log.

use std::panic;
use std::process::ExitCode;

use crate::error::Failure;

/// Runs `command` and turns a panic into a failure.
pub fn catch(command: impl FnOnce() -> Result<ExitCode, Failure>) -> Result<ExitCode, Failure> {
    panic::set_hook(Box::new(|panic| tracing::debug!("{panic}")));
    support::panics::catch(command).unwrap_or_else(|message| Err(Failure::panic(&message)))
}
