use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs};

use config::Check;
use serde::{Deserialize, Serialize};

use crate::digest::sha256;
use crate::error::DatasetError;
use crate::hands;
use crate::hdf5::{self, Part};
use crate::images::LabelledImages;

/// Where the images come from: `[dataset.hdf5]` or `[dataset.stand_in]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum DatasetConfig {
    /// HDF5 files in the layout of the courses.
    Hdf5(Hdf5Config),
    /// Hand signs drawn by the program itself.
    StandIn(StandInConfig),
}

/// HDF5 files in the layout of the courses: `train_set_x` u8 `[count, height, width, channels]`,
/// `train_set_y`, `list_classes`, and the same with `test_set_`.
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
    /// The file of the test set.
    pub test: PathBuf,
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

/// Hand signs with 0 to 5 raised fingers, 64 x 64 x 3, drawn by the program itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StandInConfig {
    /// The number of training images.
    pub train: usize,
    /// The number of test images.
    pub test: usize,
    /// What the drawing depends on.
    pub seed: u64,
}

/// The parts of a data set as their source divides them.
#[derive(Debug)]
pub struct Source {
    /// The training set.
    pub train: LabelledImages,
    /// The validation set, where it has a file of its own.
    pub validation: Option<LabelledImages>,
    /// The test set.
    pub test: LabelledImages,
    /// The name of each class, in the order of the labels.
    pub classes: Vec<String>,
    /// Whether any of it is drawn rather than real.
    pub stand_in: bool,
    /// SHA-256 of each part: of the file, or of the content where it was drawn.
    pub sha256: BTreeMap<String, String>,
}

impl Default for StandInConfig {
    fn default() -> Self {
        Self { train: 1080, test: 120, seed: 1 }
    }
}

impl DatasetConfig {
    /// What this config means here and now: the directory absolute, the environment variable
    /// applied, the stand-in in place of files that are not there.
    pub fn resolve(&self) -> Result<Self, DatasetError> {
        match self {
            Self::Hdf5(config) => config.resolve(),
            Self::StandIn(config) => Ok(Self::StandIn(config.clone())),
        }
    }

    /// Reads or draws the data set.
    pub fn load(&self) -> Result<Source, DatasetError> {
        match self {
            Self::Hdf5(config) => config.load(),
            Self::StandIn(config) => Ok(config.draw()),
        }
    }

    /// Whether the validation set has a file of its own.
    pub fn has_validation(&self) -> bool {
        matches!(self, Self::Hdf5(config) if config.validation.is_some())
    }

    /// Notes every value that cannot be meant.
    pub fn check(&self, check: &mut Check) {
        match self {
            Self::Hdf5(config) => check.table("hdf5", |check| {
                check.table("stand_in", |check| config.stand_in.check(check));
            }),
            Self::StandIn(config) => check.table("stand_in", |check| config.check(check)),
        }
    }
}

impl Hdf5Config {
    fn resolve(&self) -> Result<DatasetConfig, DatasetError> {
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

    fn load(&self) -> Result<Source, DatasetError> {
        let train = self.read("train", &self.train, Part::Train)?;
        let test = self.read("test", &self.test, Part::Test)?;
        let validation = self.validation.as_ref();
        let validation =
            validation.map(|file| self.read("validation", file, Part::Train)).transpose()?;

        let parts = [Some(&train), Some(&test), validation.as_ref()];
        let parts: Vec<_> = parts.into_iter().flatten().collect();
        parts.iter().try_for_each(|part| train.must_match(part))?;
        must_differ(&parts)?;
        let sha256 = parts.iter().map(|part| (part.name.to_owned(), part.sha256.clone()));
        Ok(Source {
            stand_in: parts.iter().any(|part| part.stand_in),
            sha256: sha256.collect(),
            classes: train.classes,
            train: train.images,
            validation: validation.map(|part| part.images),
            test: test.images,
        })
    }

    fn read(&self, name: &'static str, file: &Path, part: Part) -> Result<Loaded, DatasetError> {
        let path = self.directory.join(file);
        let hdf5::Hdf5File { images, classes, stand_in } = hdf5::read(&path, part)?;
        let bytes = fs::read(&path)
            .map_err(|source| DatasetError::Unreadable { path: path.clone(), source })?;
        Ok(Loaded { name, path, images, classes, stand_in, sha256: sha256(&bytes) })
    }

    fn files(&self) -> impl Iterator<Item = PathBuf> {
        let files = [Some(&self.train), Some(&self.test), self.validation.as_ref()];
        files.into_iter().flatten().map(|file| self.directory.join(file))
    }
}

/// One file of a data set.
struct Loaded {
    name: &'static str,
    path: PathBuf,
    images: LabelledImages,
    classes: Vec<String>,
    stand_in: bool,
    sha256: String,
}

/// A model that is validated or tested on what it was trained on only seems to be good.
fn must_differ(parts: &[&Loaded]) -> Result<(), DatasetError> {
    for (index, part) in parts.iter().enumerate() {
        let equal = parts.iter().take(index).find(|other| other.images == part.images);
        if let Some(other) = equal {
            return Err(DatasetError::SameImages {
                one: (other.name, other.path.clone()),
                other: (part.name, part.path.clone()),
            });
        }
    }
    Ok(())
}

impl Loaded {
    /// Images of another size or other classes cannot be what this training set is tested on.
    fn must_match(&self, other: &Self) -> Result<(), DatasetError> {
        let of = |part: &Self| format!("{:?} of {:?}", part.images.shape, part.classes);
        if (self.images.shape, &self.classes) == (other.images.shape, &other.classes) {
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

impl StandInConfig {
    fn draw(&self) -> Source {
        // One sequence for both parts, so that no test image is a training image.
        let all = hands::draw(self.train + self.test, self.seed);
        let part = |range: std::ops::Range<usize>| all.select(&range.collect::<Vec<_>>());
        let (train, test) = (part(0..self.train), part(self.train..all.len()));
        Source {
            stand_in: true,
            sha256: BTreeMap::from([
                ("train".to_owned(), train.sha256()),
                ("test".to_owned(), test.sha256()),
            ]),
            train,
            validation: None,
            test,
            classes: hands::CLASSES.map(String::from).to_vec(),
        }
    }

    fn check(&self, check: &mut Check) {
        // Twelve kilobytes an image: what fits into memory on an ordinary machine.
        check.count("train", self.train, 200_000);
        check.count("test", self.test, 200_000);
    }
}
