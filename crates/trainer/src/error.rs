//! What the user reads when something is wrong, and the exit code.

use std::error::Error;
use std::process::ExitCode;

use dataset::DatasetError;
use training::{RunError, Stop};

use crate::{print, signals};

/// A failure with its exit code.
#[derive(Debug)]
pub struct Failure {
    message: String,
    code: u8,
}

/// The run failed.
const RUN: u8 = 1;
/// The command line, the config or the device is wrong.
const USAGE: u8 = 2;

impl Failure {
    /// A wrong command line.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: USAGE }
    }

    /// A failed run.
    pub fn run(error: &dyn Error) -> Self {
        Self { message: error.to_string(), code: RUN }
    }

    /// What a signal ended, with nothing to show for it.
    pub fn stopped(message: impl Into<String>, stop: Stop) -> Self {
        Self { message: message.into(), code: signals::exit_code(stop) }
    }

    /// What nobody expected: the device failed, or the trainer has a bug.
    pub fn panic(words: &str) -> Self {
        let remedy = "if the device was lost or short of memory, use another --device; else this is a bug: please report it with what `-vv` logs";
        Self { message: format!("the program broke off: {words}\n  {remedy}"), code: RUN }
    }

    /// What is wrong, and what to do.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Prints the message and gives the exit code.
    pub fn report(self) -> ExitCode {
        print::error(&self.message);
        ExitCode::from(self.code)
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        let is_usage = matches!(
            error,
            RunError::Config(_)
                | RunError::Device(_)
                | RunError::ResumeConflict { .. }
                | RunError::TooLarge { .. }
                | RunError::BatchOfOne { .. }
                | RunError::ClassWeights { .. }
                | RunError::Dataset(
                    DatasetError::Augmentation { .. } | DatasetError::NotAugmentable { .. }
                )
                | RunError::Unsuited { .. }
                | RunError::NotBinary { .. }
                | RunError::FewerEpochs { .. }
                | RunError::NothingToPlant { .. }
        );
        match is_usage {
            true => Self::usage(error.to_string()),
            false => Self::run(&error),
        }
    }
}
