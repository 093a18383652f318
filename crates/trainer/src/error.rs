//! Failures of the program and its exit codes.

use std::error::Error;
use std::fmt::Display;
use std::io;

use artifacts::ArtifactError;
use config::ConfigError;
use data::{DatasetError, SourceError};
use data_sources::convert::ConvertError;
use data_sources::images::ImagesError;
use data_sources::sources::MissingFile;
use signal_hook::consts::{SIGINT, SIGTERM};
use training::{RunError, Stop};

use crate::style;
use crate::text::escaped_message;

/// The reason why a command ends with another exit code than 0.
#[derive(Debug)]
pub struct Failure {
    /// The cause, then lines with the remedy and a hint, with ANSI escape sequences. Empty if the
    /// command has printed it.
    pub message: String,
    /// Exit code of the program.
    pub code: u8,
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
        Stop::TooFewWorkers => 3,
    }
}

impl Failure {
    /// An invalid command line, config or device.
    pub fn usage(message: impl Display) -> Self {
        Self { message: escaped_message(&message.to_string()), code: USAGE }
    }

    /// A failed run. The message is not styled: an escape sequence is part of a name.
    pub fn run(message: impl Display) -> Self {
        let message = message.to_string().replace('\u{1b}', "\\u{1b}");
        Self { message: escaped_message(&message), code: RUN }
    }

    /// A result that is a failure, and was printed.
    pub fn printed() -> Self {
        Self { message: String::new(), code: RUN }
    }

    /// A command that a signal stopped.
    pub fn stopped(message: &str, stop: Stop) -> Self {
        Self { message: message.to_owned(), code: signal_exit_code(stop) }
    }

    /// A panic: the device failed, or the trainer has a bug.
    pub fn panic(message: &str) -> Self {
        let remedy = "if the device was lost or out of memory, use another --device; otherwise this is a bug: please report it with the output of `-vv`";
        Self { code: RUN, ..Self::usage(format!("internal error: {message}\n  {remedy}")) }
    }

    /// The message without ANSI escape sequences.
    pub fn plain_message(&self) -> String {
        style::plain(&self.message)
    }
}

impl<E: Error + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        let (is_usage, hint) = (is_usage(&error), hint(&error));
        let hint = hint.map_or(String::new(), |hint| format!("\n  hint: {hint}"));
        if is_usage {
            Self::usage(format!("{error:#}{hint}"))
        } else {
            Self::run(format!("{error}{hint}"))
        }
    }
}

/// Whether the command line, the config or the device is the cause.
fn is_usage(error: &(dyn Error + 'static)) -> bool {
    if let Some(error) = error.downcast_ref() {
        return match error {
            RunError::Dataset(error) => is_usage(error),
            RunError::Config(_)
            | RunError::Device(_)
            | RunError::ResumeConflict { .. }
            | RunError::TooLarge { .. }
            | RunError::UnknownModel(_)
            | RunError::Usage(_) => true,
            _ => false,
        };
    }
    let is_augmentation = |error: &DatasetError| matches!(error, DatasetError::Augmentation(_));
    let is_output = |error: &ConvertError| matches!(error, ConvertError::Output { .. });
    error.is::<ConfigError>()
        || error.downcast_ref().is_some_and(is_augmentation)
        || error.downcast_ref().is_some_and(is_output)
}

/// The flag or command that applies the remedy of `error`.
fn hint(error: &(dyn Error + 'static)) -> Option<String> {
    if let Some(error) = error.downcast_ref() {
        let hint = match error {
            RunError::Artifact(error) => return hint(error),
            RunError::Dataset(error) => return hint(error),
            RunError::NoCheckpoint { path } => &format!("--resume {} resumes it", path.display()),
            RunError::ResumeConflict { run, .. } => {
                &format!("{NEW_RUN}, with --set init_from={} from these weights", run.display())
            }
            RunError::DataChanged { .. } => &format!("{}; {NEW_RUN}", moved_data("hdf5")),
            RunError::Panicked { .. } => "--device selects another device",
            RunError::Observer(_) => "--ui none runs without the dashboard",
            RunError::NotImages { .. } => "--features 0.5,1.5 predicts the class of a point",
            RunError::NotPoints { .. } => "give the files as arguments, without --features",
            _ => return None,
        };
        return Some(hint.to_owned());
    }
    if let Some(error) = error.downcast_ref() {
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
        return Some(hint.to_owned());
    }
    if let Some(error) = error.downcast_ref() {
        let hint = match error {
            ConvertError::Output { .. } => "--out sets the output path",
            ConvertError::Images(ImagesError::DifferentSizes { suggestion, .. }) => {
                &format!("--size {suggestion} resizes them")
            }
            ConvertError::Images(ImagesError::UnreadableImages { .. }) => {
                "--skip-corrupt skips them"
            }
            _ => return None,
        };
        return Some(hint.to_owned());
    }
    match error.downcast_ref()? {
        DatasetError::Source(error) => missing_data(error),
        _ => None,
    }
}

/// How to name another place of data that are not where the config says.
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
