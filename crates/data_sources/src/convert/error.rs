use std::io;
use std::path::{Path, PathBuf};

use data::DatasetError;
use data_hdf5::Hdf5Error;

use crate::images::ImagesError;

/// Error of a conversion.
#[derive(Debug, thiserror::Error)]
pub enum ConvertError {
    /// Folders of images have an unsupported layout, or images cannot be read.
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
    /// The output path is in use.
    #[error("{} {state}\n  remove it first, or choose another output path", path.display())]
    OutputExists {
        /// Output path.
        path: PathBuf,
        /// `exists`, `is a file` or `is not empty`.
        state: &'static str,
    },
    /// Several splits cannot be written to one file.
    #[error("{} is one file, but there are {splits}\n  choose a directory as the output path", path.display())]
    NeedsDirectory {
        /// Output path.
        path: PathBuf,
        /// Description of the splits.
        splits: String,
    },
    /// The progress callback stopped the conversion.
    #[error("stopped; nothing was written")]
    Stopped,
    /// The examples are invalid, or their file cannot be read or written.
    #[error(transparent)]
    Dataset(Box<DatasetError>),
}

impl ConvertError {
    pub(super) fn unwritable(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Unwritable { path: path.to_owned(), source }
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
