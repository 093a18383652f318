use std::io;
use std::path::{Path, PathBuf};

use artifacts::ArtifactError;

/// Error of a picture or page that cannot be written: the cause, then a remedy.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A file of the run cannot be read.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    /// The fields of a decision boundary contradict each other.
    #[error(
        "the decision boundary cannot be plotted: {problem}\n  check that the features of the data are finite and vary"
    )]
    Boundary {
        /// Description of the contradiction.
        problem: String,
    },
    /// A picture cannot be rendered or an image encoded.
    #[error("cannot render {}: {problem}\n  try another title; if that fails too, report it as a bug", path.display())]
    Render {
        /// The file.
        path: PathBuf,
        /// Error of the renderer.
        problem: String,
    },
    /// A file cannot be written.
    #[error("cannot write {}: {source}\n  check that its directory exists, its permissions and the free disk space", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Error of the operating system.
        source: io::Error,
    },
}

impl ReportError {
    pub(crate) fn render(path: &Path, problem: impl ToString) -> Self {
        Self::Render { path: path.to_owned(), problem: problem.to_string() }
    }
}
