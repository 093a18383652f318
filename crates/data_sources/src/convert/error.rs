use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use data::DatasetError;
use data_hdf5::Hdf5Error;

use crate::images::ImagesError;

/// Called during a conversion with the current step, the number of items done and their total.
/// `Break` stops the conversion.
pub type ProgressCallback<'a> = dyn FnMut(&'static str, usize, usize) -> ControlFlow<()> + 'a;

/// Calls `progress`. Fails if it breaks.
pub(super) fn report_progress(
    progress: &mut ProgressCallback,
    step: &'static str,
    done: usize,
    total: usize,
) -> Result<(), ImagesError> {
    if progress(step, done, total).is_break() { Err(ImagesError::Stopped) } else { Ok(()) }
}

/// Error of a conversion.
#[derive(Debug, thiserror::Error)]
pub enum ConvertError {
    /// Folders of images have an unsupported layout, images cannot be read, or the conversion was stopped.
    #[error(transparent)]
    Images(#[from] ImagesError),
    /// A file or folder cannot be written.
    #[error("cannot write {}: {source}\n  check the permissions of the folder and the free disk space", path.display())]
    Unwritable {
        /// File or folder.
        path: PathBuf,
        /// Error of the operating system.
        source: io::Error,
    },
    /// The output path is in use, or does not suit.
    #[error("{} {found}\n  {remedy}", path.display())]
    Output {
        /// Output path.
        path: PathBuf,
        /// What is wrong with it.
        found: String,
        /// Correction.
        remedy: &'static str,
    },
    /// The examples are invalid, or their file cannot be read or written.
    #[error(transparent)]
    Dataset(Box<DatasetError>),
}

impl ConvertError {
    pub(super) fn unwritable(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Unwritable { path: path.to_owned(), source }
    }

    /// `found` is that the output path exists, is a file or is not empty.
    pub(super) fn in_use(path: &Path, found: &str) -> Self {
        let remedy = "remove it first, or choose another output path";
        Self::Output { path: path.to_owned(), found: found.to_owned(), remedy }
    }

    pub(super) fn layout(path: &Path, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        ImagesError::layout(path, found, remedy).into()
    }

    /// Replaces the path of a temporary file in the message by `path`, its final path.
    pub(super) fn at(self, path: &Path) -> Self {
        match self {
            Self::Dataset(error) => match *error {
                DatasetError::Source(error) => match error.downcast::<Hdf5Error>() {
                    Ok(error) => error.at(path).into(),
                    Err(error) => DatasetError::Source(error).into(),
                },
                other => other.into(),
            },
            other => other,
        }
    }
}

impl From<DatasetError> for ConvertError {
    fn from(error: DatasetError) -> Self {
        Self::Dataset(Box::new(error))
    }
}

impl From<Hdf5Error> for ConvertError {
    fn from(error: Hdf5Error) -> Self {
        DatasetError::from(error).into()
    }
}
