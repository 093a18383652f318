use std::io;
use std::path::{Path, PathBuf};

use artifacts::ArtifactError;

/// Error of a picture or page that cannot be written: the cause, then a remedy.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages describe them")]
pub enum ReportError {
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    #[error(
        "the decision boundary cannot be plotted: {problem}\n  check that the features of the data are finite and vary"
    )]
    Boundary { problem: String },
    #[error("cannot render {}: {problem}\n  try another title; if that fails too, report it as a bug", path.display())]
    Render { path: PathBuf, problem: String },
    #[error("cannot write {}: {source}\n  check that its directory exists, its permissions and the free disk space", path.display())]
    Write { path: PathBuf, source: io::Error },
}

impl ReportError {
    pub(crate) fn render(path: &Path, problem: impl ToString) -> Self {
        Self::Render { path: path.to_owned(), problem: problem.to_string() }
    }
}
