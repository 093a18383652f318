use std::ffi::OsString;
use std::path::{Path, PathBuf};

use data::SplitKind;
use serde::{Deserialize, Serialize};

use crate::object_keys::ObjectKeys;

/// First argument of a reader process; no program has such a command.
pub const READER: &str = "--read-hdf5-for-the-process-that-started-this-one";

/// What to read from a file, passed as arguments of the reader process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub question: Question,
    pub path: PathBuf,
}

/// What to read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// The part whose structure to read; `None` to list the parts.
    pub split: Option<SplitKind>,
    pub keys: ObjectKeys,
}

impl Request {
    pub fn new(split: Option<SplitKind>, keys: &ObjectKeys, path: &Path) -> Self {
        Self { question: Question { split, keys: keys.clone() }, path: path.to_path_buf() }
    }

    pub fn arguments(&self) -> serde_json::Result<[OsString; 3]> {
        let question = serde_json::to_string(&self.question)?;
        Ok([READER.into(), question.into(), self.path.clone().into()])
    }

    pub fn from_arguments(arguments: impl Iterator<Item = OsString>) -> Option<Self> {
        let arguments: Vec<_> = arguments.skip(1).take(4).collect();
        let [reader, question, path] = &arguments[..] else { return None };
        if reader != READER {
            return None;
        }
        let question = serde_json::from_str(question.to_str()?).ok()?;
        Some(Self { question, path: path.into() })
    }
}
