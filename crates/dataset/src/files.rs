use std::env;
use std::path::{Path, PathBuf};

use config::Check;
use serde::{Deserialize, Serialize};

use crate::digest::sha256_of_file;
use crate::error::DatasetError;
use crate::examples::Examples;
use crate::hdf5::{self, Part};
use crate::source::{DatasetConfig, Source};
use crate::stand_in::StandInConfig;

/// HDF5 files in the layout of the courses: `train_set_x` u8 `[count, height, width, channels]` or
/// floats `[count, features]`, `train_set_y`, `list_classes`, and the same with `test_set_`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    /// What to do where none of the files is there.
    #[serde(default)]
    pub on_missing: OnMissing,
    /// The stand-in to draw then.
    #[serde(default)]
    pub stand_in: StandInConfig,
}

/// What to do where none of the files of a data set is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
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
    pub fn resolve(&self) -> Result<DatasetConfig, DatasetError> {
        let named = self.directory_env.as_ref().and_then(env::var_os).filter(|dir| !dir.is_empty());
        let may_draw = self.on_missing == OnMissing::Synthesize && named.is_none();
        let directory = named.map_or_else(|| self.directory.clone(), PathBuf::from);
        let directory = std::path::absolute(&directory).unwrap_or(directory);

        let resolved = Self { directory, ..self.clone() };
        let missing = resolved.files().find(|file| !file.exists());
        match missing {
            Some(_) if may_draw && !resolved.files().any(|file| file.exists()) => {
                Ok(DatasetConfig::StandIn(self.stand_in.clone()))
            }
            Some(file) => Err(DatasetError::Missing { file, env: self.directory_env.clone() }),
            // What was there once must not be replaced by the stand-in later.
            None => Ok(DatasetConfig::Hdf5(Self { on_missing: OnMissing::Fail, ..resolved })),
        }
    }

    /// Reads all parts.
    pub fn load(&self) -> Result<Source, DatasetError> {
        let read = |name, file: &Option<PathBuf>, part| {
            file.as_ref().map(|file| self.read(name, file, part)).transpose()
        };
        let train = self.read("train", &self.train, Part::Train)?;
        let test = read("test", &self.test, Part::Test)?;
        let validation = read("validation", &self.validation, Part::Train)?;

        let parts = [Some(&train), test.as_ref(), validation.as_ref()];
        let parts: Vec<_> = parts.into_iter().flatten().collect();
        parts.iter().try_for_each(|part| train.must_match(part))?;
        must_differ(&parts)?;
        let sha256 = parts.iter().map(|part| (part.name.to_owned(), part.sha256.clone()));
        Ok(Source {
            stand_in: parts.iter().any(|part| part.stand_in),
            sha256: sha256.collect(),
            classes: train.classes,
            train: train.examples,
            validation: validation.map(|part| part.examples),
            test: test.map(|part| part.examples),
        })
    }

    /// Notes every value that cannot be meant.
    pub fn check(&self, check: &mut Check) {
        check.table("stand_in", |check| self.stand_in.check(check));
        let length = self.directory_env.as_ref().map_or(0, String::len);
        check.require("directory_env", length <= 256, "a variable has at most 256 bytes");
        let alike = self.test.is_some() && self.validation.is_none();
        check.require(
            "on_missing",
            self.on_missing == OnMissing::Fail || alike,
            "the stand-in has a test set and no validation set: name `test` and no `validation`, or leave this key out",
        );
    }

    fn read(&self, name: &'static str, file: &Path, part: Part) -> Result<Loaded, DatasetError> {
        let path = self.directory.join(file);
        let hdf5::Hdf5File { examples, classes, stand_in } = hdf5::read(&path, part)?;
        let sha256 = sha256_of_file(&path)
            .map_err(|source| DatasetError::Unreadable { path: path.clone(), source })?;
        Ok(Loaded { name, path, examples, classes, stand_in, sha256 })
    }

    fn files(&self) -> impl Iterator<Item = PathBuf> {
        let files = [Some(&self.train), self.test.as_ref(), self.validation.as_ref()];
        files.into_iter().flatten().map(|file| self.directory.join(file))
    }
}

/// One file of a data set.
struct Loaded {
    name: &'static str,
    path: PathBuf,
    examples: Examples,
    classes: Vec<String>,
    stand_in: bool,
    sha256: String,
}

/// A model that is validated or tested on what it was trained on only seems to be good.
fn must_differ(parts: &[&Loaded]) -> Result<(), DatasetError> {
    for (index, part) in parts.iter().enumerate() {
        let equal = parts.iter().take(index).find(|other| other.examples == part.examples);
        if let Some(other) = equal {
            return Err(DatasetError::SameExamples {
                one: (other.name, other.path.clone()),
                other: (part.name, part.path.clone()),
            });
        }
    }
    Ok(())
}

impl Loaded {
    /// Examples of another size or other classes cannot be what this training set is tested on.
    fn must_match(&self, other: &Self) -> Result<(), DatasetError> {
        let of = |part: &Self| format!("{:?} of {:?}", part.examples.shape, part.classes);
        let kind = |part: &Self| (part.examples.shape, part.examples.are_images());
        if (kind(self), &self.classes) == (kind(other), &other.classes) {
            return Ok(());
        }
        Err(DatasetError::Mismatch {
            train: self.path.clone(),
            train_holds: of(self),
            other: other.path.clone(),
            other_holds: of(other),
        })
    }
}
