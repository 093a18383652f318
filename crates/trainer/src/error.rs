//! Failures of the program and its exit codes.

use std::error::Error;
use std::process::ExitCode;

use anstream::adapter::strip_str;
use artifacts::ArtifactError;
use data::DatasetError;
use signal_hook::consts::{SIGINT, SIGTERM};
use training::{RunError, Stop};

use crate::text::escaped_message;

/// An error message with the exit code of the program.
#[derive(Debug)]
pub struct Failure {
    /// Message without ANSI escape sequences, and with them.
    message: [String; 2],
    code: u8,
}

/// The run failed.
const RUN: u8 = 1;
/// The command line, the config or the device is invalid.
const USAGE: u8 = 2;

/// Exit code of a program that was stopped by a signal.
pub fn signal_exit_code(stop: Stop) -> u8 {
    match stop {
        Stop::Interrupted => 128 + SIGINT as u8,
        Stop::Terminated => 128 + SIGTERM as u8,
    }
}

impl Failure {
    /// An invalid command line, config or device.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(message.into(), USAGE)
    }

    /// A failed run.
    pub fn run(error: &dyn Error) -> Self {
        // Not styled, so that an escape sequence can only be part of a name.
        Self::new(error.to_string().replace('\u{1b}', "\\u{1b}"), RUN)
    }

    /// A command that a signal stopped before it had a result.
    pub fn stopped(message: impl Into<String>, stop: Stop) -> Self {
        Self::new(message.into(), signal_exit_code(stop))
    }

    /// A panic: the device failed, or the trainer has a bug.
    pub fn panic(message: &str) -> Self {
        let remedy = "if the device was lost or out of memory, use another --device; otherwise this is a bug: please report it with the output of `-vv`";
        Self::new(format!("internal error: {message}\n  {remedy}"), RUN)
    }

    fn new(message: String, code: u8) -> Self {
        let styled = escaped_message(&message);
        Self { message: [strip_str(&styled).to_string(), styled], code }
    }

    /// The cause and, on a second line, the remedy.
    pub fn message(&self) -> &str {
        &self.message[0]
    }

    /// The message for a terminal, which may contain ANSI escape sequences.
    pub fn styled_message(&self) -> &str {
        &self.message[1]
    }

    /// Exit code of the program.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.code)
    }
}

impl From<ArtifactError> for Failure {
    fn from(error: ArtifactError) -> Self {
        Self::run(&error)
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
                | RunError::Incompatible { .. }
                | RunError::NotBinary { .. }
                | RunError::FewerEpochs { .. }
                | RunError::NothingToInject { .. }
        );
        if is_usage { Self::usage(format!("{error:#}")) } else { Self::run(&error) }
    }
}
