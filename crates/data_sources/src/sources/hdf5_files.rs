use std::env;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::thread::{self, ScopedJoinHandle};

use config::Check;
use data::{DatasetError, DatasetInfo, Fit, LoadedDataset, SplitKind};
use data_hdf5::{Hdf5File, Residency};
use serde::{Deserialize, Serialize};

use super::error::FilesError;
use super::synthetic::SyntheticConfig;

/// HDF5 files in the layout of the courses: `train_set_x` as u8 `[count, height, width, channels]` or
/// floats `[count, features]`, `train_set_y` and `list_classes`; for the test set, `test_set_x` and
/// `test_set_y`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hdf5Config {
    /// Directory of the files, relative to the working directory.
    pub directory: PathBuf,
    /// Environment variable that overrides the directory if it is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub directory_env: Option<String>,
    /// File of the training set.
    pub train: PathBuf,
    /// File of the validation set, with the names of a training set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation: Option<PathBuf>,
    /// File of the test set; it may be that of the training set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<PathBuf>,
    /// How the images were resized from photos, which predictions follow; if absent, as the file of
    /// the training set says, otherwise `stretch`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fit: Option<Fit>,
    /// Whether to read examples into memory, or row by row on demand; if absent, into memory if they
    /// need at most a quarter of the free memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_memory: Option<bool>,
    /// Action if none of the files exists.
    #[serde(default)]
    pub on_missing: OnMissing,
    /// Synthetic data for `on_missing = "synthesize"`.
    #[serde(default)]
    pub synthetic: SyntheticConfig,
}

/// Action if none of the files of a data set exists.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum OnMissing {
    /// Stop with an error.
    #[default]
    Fail,
    /// Generate synthetic data.
    Synthesize,
}

impl Hdf5Config {
    /// Makes the directory absolute and applies the environment variable. `None` if missing files are to
    /// be replaced with synthetic data.
    pub fn resolve(&self) -> Result<Option<Self>, DatasetError> {
        let named = self.directory_env.as_ref().and_then(env::var_os).filter(|dir| !dir.is_empty());
        let may_synthesize = self.on_missing == OnMissing::Synthesize && named.is_none();
        let directory = named.map_or_else(|| self.directory.clone(), PathBuf::from);
        let directory = std::path::absolute(&directory).unwrap_or(directory);

        let resolved = Self { directory, ..self.clone() };
        let missing = resolved.files().find(|file| !file.exists());
        match missing {
            Some(_) if may_synthesize && !resolved.files().any(|file| file.exists()) => Ok(None),
            Some(file) => Err(FilesError::Missing { file, env: self.directory_env.clone() }.into()),
            // A resumed run must not replace files that existed.
            None => Ok(Some(Self { on_missing: OnMissing::Fail, ..resolved })),
        }
    }

    /// Reads all splits in parallel.
    pub fn load(&self) -> Result<LoadedDataset, DatasetError> {
        let (train, test, validation) = thread::scope(|scope| {
            let spawn = |split, file: &Option<PathBuf>| {
                let file = file.clone()?;
                Some(scope.spawn(move || self.read(split, &file)))
            };
            let test = spawn(SplitKind::Test, &self.test);
            let validation = spawn(SplitKind::Validation, &self.validation);
            let train = self.read(SplitKind::Train, &self.train);
            (train, test.map(join), validation.map(join))
        });
        let (train, test, validation) = (train?, test.transpose()?, validation.transpose()?);
        let parts: Vec<&LoadedFile> =
            [Some(&train), test.as_ref(), validation.as_ref()].into_iter().flatten().collect();
        parts.iter().try_for_each(|part| train.check_compatible(part))?;
        check_distinct(&parts)?;
        let sha256 =
            parts.iter().map(|part| (part.split.as_str().to_owned(), part.file.sha256.clone()));
        Ok(LoadedDataset {
            synthetic: parts.iter().any(|part| part.file.synthetic),
            sha256: sha256.collect(),
            classes: train.file.classes,
            train: train.file.examples,
            validation: validation.map(|part| part.file.examples),
            test: test.map(|part| part.file.examples),
            fit: self.fit.or(train.file.fit),
            notes: Vec::new(),
            warnings: Vec::new(),
        })
    }

    /// Describes the training set; only structure and labels of its file are read.
    pub fn info(&self) -> Result<DatasetInfo, DatasetError> {
        Ok(data_hdf5::info(&self.directory.join(&self.train), SplitKind::Train)?)
    }

    /// Reports invalid values.
    pub fn check(&self, check: &mut Check) {
        check.table("synthetic", |check| self.synthetic.check(check));
        let length = self.directory_env.as_ref().map_or(0, String::len);
        check.require(
            "directory_env",
            length <= 256,
            "the name of an environment variable has at most 256 bytes",
        );
        let has_synthetic_splits = self.test.is_some() && self.validation.is_none();
        check.require(
            "on_missing",
            self.on_missing == OnMissing::Fail || has_synthetic_splits,
            "synthetic data have a test set and no validation set: set `test` but not `validation`, or remove this key",
        );
    }

    fn read(&self, split: SplitKind, file: &Path) -> Result<LoadedFile, DatasetError> {
        let path = self.directory.join(file);
        let residency = match self.in_memory {
            None => Residency::Automatic,
            Some(true) => Residency::InMemory,
            Some(false) => Residency::InFile,
        };
        let file = data_hdf5::open(&path, split, residency)?;
        Ok(LoadedFile { split, path, file })
    }

    fn files(&self) -> impl Iterator<Item = PathBuf> {
        let files = [Some(&self.train), self.test.as_ref(), self.validation.as_ref()];
        files.into_iter().flatten().map(|file| self.directory.join(file))
    }
}

/// File of a split.
struct LoadedFile {
    split: SplitKind,
    path: PathBuf,
    file: Hdf5File,
}

/// Waits for a reader and propagates its panic.
fn join<T>(reader: ScopedJoinHandle<'_, T>) -> T {
    reader.join().unwrap_or_else(|panic| resume_unwind(panic))
}

/// Fails if two splits have the same examples, which would invalidate scores.
fn check_distinct(parts: &[&LoadedFile]) -> Result<(), DatasetError> {
    for (index, part) in parts.iter().enumerate() {
        for other in parts.iter().take(index) {
            if part.file.examples.has_same_content(&other.file.examples)? {
                return Err(FilesError::SameExamples {
                    one: (other.split, other.path.clone()),
                    other: (part.split, part.path.clone()),
                }
                .into());
            }
        }
    }
    Ok(())
}

impl LoadedFile {
    /// Fails if another split has examples of another shape or kind, or other classes.
    fn check_compatible(&self, other: &Self) -> Result<(), DatasetError> {
        let (own, others) = (&self.file.examples, &other.file.examples);
        let have_one_kind = own.shape == others.shape && own.are_images() == others.are_images();
        if have_one_kind && self.file.classes == other.file.classes {
            return Ok(());
        }
        Err(FilesError::Mismatch {
            train: self.path.clone(),
            train_contents: self.contents(),
            other: other.path.clone(),
            other_contents: other.contents(),
        }
        .into())
    }

    /// Shape and classes, for messages.
    fn contents(&self) -> String {
        let examples = &self.file.examples;
        let kind = if examples.are_images() { "images" } else { "features" };
        format!("{kind} of shape {:?} in the classes {:?}", examples.shape, self.file.classes)
    }
}
