use std::io;
use std::path::{Path, PathBuf};

/// Why a picture cannot be drawn.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A file cannot be read.
    #[error("cannot read {}: {source}\n  check that the run wrote it, and its permissions", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A line of a file is not what it should be.
    #[error("{}, line {line}: {source}\n  repair the file, or let the run write it again", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The parts of a boundary do not fit together.
    #[error("{} holds no boundary: {problem}\n  let the run write it again", path.display())]
    Unfit {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        problem: String,
    },
    /// A picture cannot be made of its SVG.
    #[error("cannot render {}: {problem}\n  draw it with another title; if that fails too, report it as a bug", path.display())]
    Unrendered {
        /// The picture.
        path: PathBuf,
        /// What the renderer said.
        problem: String,
    },
    /// A picture cannot be written.
    #[error("cannot write {}: {source}\n  check that its directory exists, its permissions and the space on the disk", path.display())]
    Unwritable {
        /// The picture.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl ReportError {
    pub(crate) fn read(path: &Path, source: io::Error) -> Self {
        Self::Unreadable { path: path.to_owned(), source }
    }

    pub(crate) fn write(path: &Path, source: io::Error) -> Self {
        Self::Unwritable { path: path.to_owned(), source }
    }

    pub(crate) fn render(path: &Path, problem: impl ToString) -> Self {
        Self::Unrendered { path: path.to_owned(), problem: problem.to_string() }
    }
}
