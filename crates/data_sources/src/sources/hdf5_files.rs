use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::{env, fmt, thread};

use config::Check;
use data::{DatasetError, DatasetInfo, Examples, Fit, LoadedDataset, SplitKind};
use data_hdf5::{ClassNames, Hdf5File, Hdf5Part, ImageLayout, ObjectKeys, Residency};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use support::sha256::hexadecimal;

use super::class_matching::match_classes;
use super::expand_home;
use super::image_size::ImageSize;
use super::resizing::resized;
use super::synthetic::SyntheticConfig;
use crate::images::{Frame, counted};
use crate::manifest;

#[cfg(test)]
mod tests;

/// HDF5 files: images or features, their labels, and class names. The objects are found by their usual
/// names, such as `train_set_x` and `train_set_y`, `x_train` and `y_train`, or `images` and `labels`. A
/// validation or test set in the file of the training set is used too.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hdf5Config {
    /// Directory of the files, relative to the working directory; `~` is the home directory.
    pub directory: PathBuf,
    /// Environment variable that overrides the directory if it is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub directory_env: Option<String>,
    /// File of the training set.
    pub train: PathBuf,
    /// File of the validation set, under the names of a validation or a training set; if absent, that
    /// of the training set if it contains one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation: Option<PathBuf>,
    /// File of the test set; if absent, that of the training set if it contains one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<PathBuf>,
    /// Height and width that images are resized to, by an antialiased bilinear filter: one side, or
    /// `[height, width]`; if absent, their size in the files. Files that are missing are then not replaced
    /// with synthetic data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<ImageSize>,
    /// How the images were resized from photos, and are resized to `size`, which predictions follow; if
    /// absent, as the file of the training set says, otherwise `stretch`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fit: Option<Fit>,
    /// Name of the images or features in the files, such as `x_train` or `/data/x`. `*` stands for any
    /// characters: of the names that match `*_x`, the training set has the one with `train` or `training`,
    /// the validation set that with `validation`, `valid`, `val` or `dev`, and the test set that with
    /// `test` or `testing`. If absent, the usual names are found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub images: Option<String>,
    /// Name of the labels in the files, like `images`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<String>,
    /// Name of the list of classes in the files; if absent, the usual names are found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub classes: Option<String>,
    /// Order of the axes of images, `nhwc` or `nchw`; if absent, channels are the axis of 1 or 3, the last
    /// one if two are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layout: Option<ImageLayout>,
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

/// A file of a data set that is missing.
#[derive(Debug, thiserror::Error)]
#[error("the data file {} is missing\n  put it there{}, name its directory with `dataset.hdf5.directory`, or set `on_missing = \"synthesize\"` to use synthetic data where none of the files exists", file.display(), env.as_ref().map(|name| format!(", set {name} to the directory that contains it")).unwrap_or_default())]
pub struct MissingFile {
    file: PathBuf,
    /// Environment variable that may name another directory.
    env: Option<String>,
}

impl Hdf5Config {
    /// The training set in the file `train` of `directory`, and the defaults of all other keys.
    pub fn new(directory: &Path, train: &Path) -> Self {
        Self { directory: directory.to_owned(), train: train.to_owned(), ..Self::default() }
    }

    /// Makes the directory absolute, applies the environment variable, and adds validation and test set
    /// in the file of the training set. `None` if missing files are to be replaced with synthetic data.
    pub fn resolve(&self) -> Result<Option<Self>, DatasetError> {
        let named = self.directory_env.as_ref().and_then(env::var_os).filter(|dir| !dir.is_empty());
        let may_synthesize =
            self.on_missing == OnMissing::Synthesize && named.is_none() && self.size.is_none();
        let directory = named.map_or_else(|| self.directory.clone(), PathBuf::from);
        let directory = expand_home(&directory);
        let directory = std::path::absolute(&directory).unwrap_or(directory);
        if directory.is_file() {
            return Err(unusable(format!(
                "`dataset.hdf5.directory` is {}, which is a file\n  set it to the directory of the file, and `train` to the name of the file",
                directory.display()
            )));
        }

        let resolved = Self { directory, ..self.clone() };
        let missing = resolved.files().find(|file| !file.exists());
        match missing {
            Some(_) if may_synthesize && !resolved.files().any(|file| file.exists()) => Ok(None),
            Some(file) => {
                let env = self.directory_env.clone();
                Err(DatasetError::source(MissingFile { file, env }))
            }
            // A resumed run must not replace files that existed.
            None => Self { on_missing: OnMissing::Fail, ..resolved }.with_all_parts().map(Some),
        }
    }

    /// Reads all splits in parallel. Classes are those of the training set. The files of the examples come
    /// from the manifest beside the HDF5 files; one that does not fit is ignored with a warning.
    pub fn load(&self) -> Result<LoadedDataset, DatasetError> {
        let keys = self.keys();
        let others = [(SplitKind::Validation, &self.validation), (SplitKind::Test, &self.test)];
        let others = others.into_iter().filter_map(|(split, file)| Some((split, file.as_ref()?)));
        let (mut train, mut others) =
            in_parallel((SplitKind::Train, &self.train), others.collect(), |(split, file)| {
                let path = self.path(file);
                Ok(SplitFile { split, contents: keys.open(&path, split)?, path })
            })?;
        let parts = [&mut train].into_iter().chain(&mut others).map(|file| &mut file.contents);
        Hdf5Part::share_scale(&mut parts.collect::<Vec<_>>())?;
        let residency = match self.in_memory {
            None => Residency::Automatic,
            Some(true) => Residency::InMemory,
            Some(false) => Residency::InFile,
        };
        let (mut train, mut others) =
            in_parallel(train, others, |SplitFile { split, path, contents }| {
                Ok(SplitFile { split, path, contents: contents.read(residency)? })
            })?;
        let fit = self.fit.or(train.contents.fit);
        for file in [&mut train].into_iter().chain(&mut others) {
            file.resize(self, fit.unwrap_or_default())?;
        }
        others.iter_mut().try_for_each(|other| train.match_with(other))?;
        let mut warnings = Vec::from_iter(check_distinct(&train, &others)?);
        for SplitFile { path, contents, .. } in [&mut train].into_iter().chain(&mut others) {
            warnings.extend(manifest::read_origins(path, &mut contents.examples).err());
        }
        let files: Vec<_> = [&train].into_iter().chain(&others).collect();
        let sha256 = files
            .iter()
            .map(|file| (file.split.as_str().to_owned(), file.contents.sha256.clone()))
            .collect();
        let notes = files.iter().filter_map(|file| file.note()).collect();
        Ok(LoadedDataset {
            synthetic: files.iter().any(|file| file.contents.synthetic),
            sha256,
            fit,
            notes,
            warnings,
            validation: take(SplitKind::Validation, &mut others),
            test: take(SplitKind::Test, &mut others),
            classes: train.contents.classes,
            train: train.contents.examples,
        })
    }

    /// Resizes the images of a file if the config has a size. Its checksum becomes that of file and frame.
    /// Features are not changed.
    pub fn resize(&self, file: &mut Hdf5File, fit: Fit) {
        let images = &file.examples;
        let Some(size) = self.size.filter(|_| images.are_images()) else { return };
        let shape = size.shape(images.shape[2]);
        // Near-duplicates are found in the standard frame, whatever the size is.
        let standard = Some(Box::new(resized(images, Frame::STANDARD)));
        file.examples = Examples { standard, ..resized(images, Frame { shape, fit }) };
        let identity = format!("{} {shape:?} {}", file.sha256, fit.as_str());
        file.sha256 = hexadecimal(&Sha256::digest(identity));
    }

    /// Describes the training set; only structure and labels of its file are read.
    pub fn info(&self) -> Result<DatasetInfo, DatasetError> {
        let mut info = self.keys().info(&self.path(&self.train), SplitKind::Train)?;
        if let (Some(size), true) = (self.size, info.are_images) {
            info.shape = size.shape(info.shape[2]);
        }
        Ok(info)
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
        for (key, name) in
            [("images", &self.images), ("labels", &self.labels), ("classes", &self.classes)]
        {
            let length = name.as_ref().map_or(1, String::len);
            let message = "the name of an object has 1 to 256 bytes";
            check.require(key, (1..=256).contains(&length), message);
        }
        let has_synthetic_splits = self.test.is_some() && self.validation.is_none();
        check.require(
            "on_missing",
            self.on_missing == OnMissing::Fail || has_synthetic_splits,
            "synthetic data have a test set and no validation set: set `test` but not `validation`, or remove this key",
        );
    }

    /// Names the file of the training set for the validation and test sets that it contains, unless
    /// the config names other files.
    fn with_all_parts(mut self) -> Result<Self, DatasetError> {
        if self.validation.is_some() && self.test.is_some() {
            return Ok(self);
        }
        let parts = self.keys().parts(&self.path(&self.train))?;
        let file = |split| parts.contains(&Some(split)).then(|| self.train.clone());
        let (validation, test) = (file(SplitKind::Validation), file(SplitKind::Test));
        self.validation = self.validation.or(validation);
        self.test = self.test.or(test);
        Ok(self)
    }

    fn keys(&self) -> ObjectKeys {
        ObjectKeys {
            images: self.images.clone(),
            labels: self.labels.clone(),
            classes: self.classes.clone(),
            layout: self.layout,
        }
    }

    fn path(&self, file: &Path) -> PathBuf {
        expand_home(&self.directory).join(expand_home(file))
    }

    fn files(&self) -> impl Iterator<Item = PathBuf> {
        let files = [Some(&self.train), self.test.as_ref(), self.validation.as_ref()];
        files.into_iter().flatten().map(|file| self.path(file))
    }
}

/// Applies `read` to each item in a thread of its own. Returns the results or the first error.
fn in_parallel<T: Send, U: Send>(
    first: T,
    others: Vec<T>,
    read: impl Fn(T) -> Result<U, DatasetError> + Sync,
) -> Result<(U, Vec<U>), DatasetError> {
    let read = &read;
    thread::scope(|scope| {
        let others = others.into_iter().map(|item| scope.spawn(move || read(item)));
        let others: Vec<_> = others.collect();
        let first = read(first);
        let others = others.into_iter();
        let others = others.map(|other| other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        let others: Vec<_> = others.collect();
        Ok((first?, others.into_iter().collect::<Result<_, _>>()?))
    })
}

/// Takes the examples of a split out of the files.
fn take(split: SplitKind, files: &mut Vec<SplitFile<Hdf5File>>) -> Option<Examples> {
    let index = files.iter().position(|file| file.split == split)?;
    Some(files.swap_remove(index).contents.examples)
}

fn unusable(message: String) -> DatasetError {
    DatasetError::Source(message.into())
}

/// Fails if the training set and another split have the same examples, which would invalidate scores.
/// Returns a warning if the two other splits have.
fn check_distinct(
    train: &SplitFile<Hdf5File>,
    others: &[SplitFile<Hdf5File>],
) -> Result<Option<String>, DatasetError> {
    for other in others {
        if other.contents.examples.has_same_content(&train.contents.examples)? {
            return Err(unusable(format!(
                "the {train}, and the {other}, hold the same examples\n  use different examples for each split"
            )));
        }
    }
    let [one, other] = others else { return Ok(None) };
    let same = one.contents.examples.has_same_content(&other.contents.examples)?;
    Ok(same.then(|| SAME_HELD_OUT.to_owned()))
}

const SAME_HELD_OUT: &str = "validation and test set hold the same examples: the test score is that \
                             of the epoch that is best on them, and too high";

/// File of a split, with its values read or not.
struct SplitFile<T> {
    split: SplitKind,
    path: PathBuf,
    contents: T,
}

impl<T> fmt::Display for SplitFile<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} set, {}", self.split, self.path.display())
    }
}

impl SplitFile<Hdf5File> {
    /// Resizes the images if the config says so. Fails if there are none.
    fn resize(&mut self, config: &Hdf5Config, fit: Fit) -> Result<(), DatasetError> {
        if config.size.is_some() && !self.contents.examples.are_images() {
            return Err(unusable(format!(
                "`dataset.hdf5.size` resizes images, and the {self}, has features\n  remove it"
            )));
        }
        config.resize(&mut self.contents, fit);
        Ok(())
    }

    /// Fails if another split has examples of another shape or kind, or classes that the training set
    /// lacks. Its labels become those of the training set. Classes have the same name, or the same number if
    /// one of the files names none.
    fn match_with(&self, other: &mut Self) -> Result<(), DatasetError> {
        let [own_kind, other_kind] = [&self.contents, &other.contents].map(kind);
        if own_kind != other_kind {
            return Err(unusable(format!(
                "the {other}, has {other_kind}, but the training set, {}, has {own_kind}\n  use files of the same data set",
                self.path.display()
            )));
        }
        let (known, file) = (&self.contents.classes, &mut other.contents);
        let by_number = matches!(
            (self.contents.class_names, file.class_names),
            (ClassNames::Numbered | ClassNames::Listed, ClassNames::Numbered)
                | (ClassNames::Numbered, ClassNames::Listed)
        );
        match match_classes(&file.examples.labels, &file.classes, known, by_number) {
            Ok(labels) => file.examples.labels = labels,
            Err(unknown) => {
                let unknown = unknown.iter().map(|(name, count)| {
                    format!("{} of class `{name}`", counted(*count, "example"))
                });
                return Err(unusable(format!(
                    "the {other}, has {}, but the training set has {} classes: {}\n  use files of the same data set, or remove these examples",
                    first(&unknown.collect::<Vec<_>>()),
                    known.len(),
                    first(known)
                )));
            }
        }
        file.classes.clone_from(known);
        Ok(())
    }

    /// What was inferred about the file.
    fn note(&self) -> Option<String> {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        Some(format!("{} set in {name}: {}", self.split, self.contents.note.as_ref()?))
    }
}

/// Kind and shape of the examples of a file, for messages.
fn kind(file: &Hdf5File) -> String {
    let kind = if file.examples.are_images() { "images" } else { "features" };
    format!("{kind} of shape {:?}", file.examples.shape)
}

/// The first of many names.
fn first(names: &[String]) -> String {
    const MOST: usize = 8;
    let rest = names.len().saturating_sub(MOST);
    let first = names.get(..MOST).unwrap_or(names).join(", ");
    if rest == 0 { first } else { format!("{first} and {rest} more") }
}
