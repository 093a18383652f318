use std::env;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::thread::{self, ScopedJoinHandle};

use config::Check;
use data::{DatasetError, DatasetInfo, LoadedDataset, SplitKind};
use data_hdf5::{Hdf5File, Residency};
use serde::{Deserialize, Serialize};

use super::error::FilesError;
use super::synthetic::SyntheticConfig;

/// HDF5 files in the layout of the courses: `train_set_x` u8 `[count, height, width, channels]` or
/// floats `[count, features]`, `train_set_y`, `list_classes`, and the same with `test_set_`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hdf5Config {
    /// The directory of the files, relative to the working directory.
    pub directory: PathBuf,
    /// The environment variable that names another directory, if it is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub directory_env: Option<String>,
    /// The file of the training set.
    pub train: PathBuf,
    /// The file of the validation set, also under `train_set_`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation: Option<PathBuf>,
    /// The file of the test set; it may be the one of the training set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<PathBuf>,
    /// Whether pixels and features are read into memory, or row by row as they are wanted; if absent,
    /// into memory where they take no more than a quarter of what is free.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_memory: Option<bool>,
    /// What to do where none of the files is there.
    #[serde(default)]
    pub on_missing: OnMissing,
    /// The stand-in to draw then.
    #[serde(default)]
    pub synthetic: SyntheticConfig,
}

/// What to do where none of the files of a data set is there.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum OnMissing {
    /// Stop with an error.
    #[default]
    Fail,
    /// Draw the stand-in.
    Synthesize,
}

impl Hdf5Config {
    /// What this config means here and now: the directory absolute, the environment variable
    /// applied, the stand-in in place of files that are not there.
    pub fn resolve(&self) -> Result<Option<Self>, DatasetError> {
        let named = self.directory_env.as_ref().and_then(env::var_os).filter(|dir| !dir.is_empty());
        let may_draw = self.on_missing == OnMissing::Synthesize && named.is_none();
        let directory = named.map_or_else(|| self.directory.clone(), PathBuf::from);
        let directory = std::path::absolute(&directory).unwrap_or(directory);

        let resolved = Self { directory, ..self.clone() };
        let missing = resolved.files().find(|file| !file.exists());
        match missing {
            Some(_) if may_draw && !resolved.files().any(|file| file.exists()) => Ok(None),
            Some(file) => Err(FilesError::Missing { file, env: self.directory_env.clone() }.into()),
            // What was there once must not be replaced by the stand-in later.
            None => Ok(Some(Self { on_missing: OnMissing::Fail, ..resolved })),
        }
    }

    /// Reads all parts, side by side.
    pub fn load(&self) -> Result<LoadedDataset, DatasetError> {
        let (train, test, validation) = thread::scope(|scope| {
            let spawn = |split, file: &Option<PathBuf>| {
                let file = file.clone()?;
                Some(scope.spawn(move || self.read(split, &file)))
            };
            let test = spawn(SplitKind::Test, &self.test);
            let validation = spawn(SplitKind::Validation, &self.validation);
            let train = self.read(SplitKind::Train, &self.train);
            (train, test.map(joined), validation.map(joined))
        });
        let (train, test, validation) = (train?, test.transpose()?, validation.transpose()?);
        let parts: Vec<_> =
            [Some(&train), test.as_ref(), validation.as_ref()].into_iter().flatten().collect();
        parts.iter().try_for_each(|part| train.must_match(part))?;
        must_differ(&parts)?;
        let sha256 =
            parts.iter().map(|part| (part.split.as_str().to_owned(), part.file.sha256.clone()));
        Ok(LoadedDataset {
            synthetic: parts.iter().any(|part| part.file.synthetic),
            sha256: sha256.collect(),
            classes: train.file.classes,
            train: train.file.examples,
            validation: validation.map(|part| part.file.examples),
            test: test.map(|part| part.file.examples),
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
        check.require("directory_env", length <= 256, "a variable has at most 256 bytes");
        let alike = self.test.is_some() && self.validation.is_none();
        check.require(
            "on_missing",
            self.on_missing == OnMissing::Fail || alike,
            "the stand-in has a test set and no validation set: name `test` and no `validation`, or leave this key out",
        );
    }

    fn read(&self, split: SplitKind, file: &Path) -> Result<Loaded, DatasetError> {
        let path = self.directory.join(file);
        let keep = match self.in_memory {
            None => Residency::Automatic,
            Some(true) => Residency::InMemory,
            Some(false) => Residency::InFile,
        };
        let file = data_hdf5::open(&path, split, keep)?;
        Ok(Loaded { split, path, file })
    }

    fn files(&self) -> impl Iterator<Item = PathBuf> {
        let files = [Some(&self.train), self.test.as_ref(), self.validation.as_ref()];
        files.into_iter().flatten().map(|file| self.directory.join(file))
    }
}

/// One file of a data set.
struct Loaded {
    split: SplitKind,
    path: PathBuf,
    file: Hdf5File,
}

/// What a reader ended with.
fn joined<T>(reader: ScopedJoinHandle<'_, T>) -> T {
    reader.join().unwrap_or_else(|panic| resume_unwind(panic))
}

/// A model that is validated or tested on what it was trained on only seems to be good.
fn must_differ(parts: &[&Loaded]) -> Result<(), DatasetError> {
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

impl Loaded {
    /// Examples of another size or other classes cannot be what this training set is tested on.
    fn must_match(&self, other: &Self) -> Result<(), DatasetError> {
        let of = |part: &Self| format!("{:?} of {:?}", part.file.examples.shape, part.file.classes);
        let kind = |part: &Self| (part.file.examples.shape, part.file.examples.are_images());
        if (kind(self), &self.file.classes) == (kind(other), &other.file.classes) {
            return Ok(());
        }
        Err(FilesError::Mismatch {
            train: self.path.clone(),
            train_holds: of(self),
            other: other.path.clone(),
            other_holds: of(other),
        }
        .into())
    }
}
