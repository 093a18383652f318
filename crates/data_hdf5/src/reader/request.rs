use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use data::SplitKind;

use crate::names;

/// First argument of a reader process; no program has such a command.
pub const READER: &str = "--read-hdf5-for-the-process-that-started-this-one";

/// File and part to read, passed as arguments of the reader process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub split: SplitKind,
    pub path: PathBuf,
}

impl Request {
    pub fn arguments(&self) -> [&OsStr; 3] {
        [OsStr::new(READER), OsStr::new(names::examples(self.split)), self.path.as_os_str()]
    }

    pub fn from_arguments(arguments: impl Iterator<Item = OsString>) -> Option<Self> {
        let arguments: Vec<_> = arguments.skip(1).take(4).collect();
        let [reader, split, path] = &arguments[..] else { return None };
        let split = [SplitKind::Train, SplitKind::Test]
            .into_iter()
            .find(|known| split == names::examples(*known))?;
        (reader == READER).then(|| Self { split, path: path.into() })
    }
}
