//! Failures of the program and its exit codes.

use std::error::Error;
use std::io;
use std::process::ExitCode;

use anstream::adapter::strip_str;
use artifacts::ArtifactError;
use data::{DatasetError, SourceError};
use data_sources::images::ImagesError;
use data_sources::sources::MissingFile;
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
        Self::unstyled(&error.to_string())
    }

    /// A failed run with a message that is not styled: an escape sequence is part of a name.
    pub fn unstyled(message: &str) -> Self {
        Self::new(message.replace('\u{1b}', "\\u{1b}"), RUN)
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

    /// The cause, then lines with the remedy and a hint.
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
        Self::unstyled(&with_hint(error.to_string(), artifact_hint(&error)))
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
                | RunError::Dataset(DatasetError::Augmentation(_))
                | RunError::Incompatible { .. }
                | RunError::OtherModel { .. }
                | RunError::NotBinary { .. }
                | RunError::UnknownModel { .. }
                | RunError::FewerEpochs { .. }
                | RunError::NothingToInject { .. }
        );
        let hint = hint(&error);
        if is_usage {
            Self::usage(with_hint(format!("{error:#}"), hint))
        } else {
            Self::unstyled(&with_hint(error.to_string(), hint))
        }
    }
}

/// Appends a hint to an error message: the flag or command that applies the remedy.
pub fn with_hint(message: String, hint: Option<String>) -> String {
    match hint {
        Some(hint) => format!("{message}\n  hint: {hint}"),
        None => message,
    }
}

/// Returns the flag or command that applies the remedy of `error`.
fn hint(error: &RunError) -> Option<String> {
    let hint = match error {
        RunError::Artifact(error) => return artifact_hint(error),
        RunError::NoCheckpoint { path } => &format!("--resume {} resumes it", path.display()),
        RunError::ResumeConflict { run, .. } => {
            &format!("{NEW_RUN}, with --set init_from={} from these weights", run.display())
        }
        RunError::DataChanged { .. } => &format!("{}; {NEW_RUN}", moved_data("hdf5")),
        RunError::Dataset(DatasetError::Source(error)) => return missing_data(error),
        RunError::Panicked { .. } => "--device selects another device",
        RunError::Observer(_) => "--ui none runs without the dashboard",
        RunError::NotImages { .. } => "--features 0.5,1.5 predicts the class of a point",
        RunError::NotPoints { .. } => "give the files as arguments, without --features",
        _ => return None,
    };
    Some(hint.to_owned())
}

fn artifact_hint(error: &ArtifactError) -> Option<String> {
    let hint = match error {
        ArtifactError::Exists { path } => {
            let path = path.display();
            &format!("--resume {path} resumes that run; --run-dir sets another directory")
        }
        ArtifactError::ParentIsFile { .. } => "--run-dir sets another directory",
        ArtifactError::NoRun { .. } => {
            "train without --resume to start a new run; --resume <DIR> resumes the run in DIR"
        }
        ArtifactError::Locked { .. } => NEW_RUN,
        _ => return None,
    };
    Some(hint.to_owned())
}

/// Returns how to name another place of data that are not where the config says.
fn missing_data(error: &SourceError) -> Option<String> {
    let is_absent = |source: &io::Error| source.kind() == io::ErrorKind::NotFound;
    match (error.downcast_ref(), error.downcast_ref()) {
        (Some(MissingFile { .. }), _) => Some(moved_data("hdf5")),
        (_, Some(ImagesError::Unreadable { source, .. })) if is_absent(source) => {
            Some(moved_data("folder"))
        }
        _ => None,
    }
}

fn moved_data(source: &str) -> String {
    format!("--set dataset.{source}.directory=DIR names the place of data that were moved")
}

const NEW_RUN: &str = "train without --resume to start a new run";
