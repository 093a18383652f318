mod proposal;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use config::Check;
use data::{DatasetError, DatasetInfo, Examples, Fit, LoadedDataset, SplitKind};
use regex::Regex;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use support::ProgressTask;
use support::sha256::hexadecimal;

use super::expand_home;
use super::image_size::ImageSize;
use crate::images::{
    Frame, ImageList, ImagesError, Labelling, LoadedImages, Loading, UnreadableImage,
    cache_directory, counted, first_few,
};

/// Image files in folders: one folder per class, `<class>/**/*.jpg`, or file names that start with
/// the class, `<class>_17.jpg`. Either may be inside folders `train`, `validation` and `test`.
///
/// Images are resized once and kept in the user's cache directory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FolderConfig {
    /// Directory of the images, relative to the working directory.
    pub directory: PathBuf,
    /// Folder of the training images, relative to the directory; if absent, the folders of the parts
    /// are found by their names, such as `train`, `val`, `valid` or `Testing`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub train: Option<PathBuf>,
    /// Folder of the validation images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation: Option<PathBuf>,
    /// Folder of the test images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<PathBuf>,
    /// Height and width that images are resized to: one side, or `[height, width]`.
    pub size: ImageSize,
    /// Resizing of images with another aspect ratio, by an antialiased bilinear filter. Predictions
    /// follow it.
    #[serde(default)]
    pub fit: Fit,
    /// Whether to use one grey channel instead of three.
    #[serde(default)]
    pub grey: bool,
    /// Regular expression for the path of an image in the folder of its part. Its group `label`, or
    /// else its first group, is the class: `^([a-z]+)\.\d+` for `cat.0.jpg`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label_pattern: Option<String>,
    /// Table of the labels, a CSV file with the columns `path`, `label` and, if it has parts,
    /// `split`, relative to the directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<PathBuf>,
    /// Whether to skip images that cannot be read.
    #[serde(default)]
    pub skip_corrupt: bool,
}

impl FolderConfig {
    /// Images of `directory` in `frame`, labelled by their folders or names.
    pub fn new(directory: &Path, frame: Frame) -> Self {
        let [height, width, channels] = frame.shape;
        Self {
            directory: directory.to_owned(),
            train: None,
            validation: None,
            test: None,
            size: ImageSize { height, width },
            fit: frame.fit,
            grey: channels == 1,
            label_pattern: None,
            labels: None,
            skip_corrupt: false,
        }
    }

    /// Makes the directory absolute and finds the folders of the parts.
    pub fn resolve(&self) -> Result<Self, DatasetError> {
        let directory = expand_home(&self.directory);
        let directory = std::path::absolute(&directory).unwrap_or(directory);
        let mut resolved = Self { directory, ..self.clone() };
        if self.labels.is_none() {
            let folders = resolved.part_folders()?;
            let folder = |split| {
                let (_, folder) = folders.iter().find(|(own, _)| *own == split)?;
                Some(folder.strip_prefix(&resolved.directory).unwrap_or(folder).to_owned())
            };
            let [train, validation, test] = SplitKind::ALL.map(folder);
            (resolved.train, resolved.validation, resolved.test) = (train, validation, test);
        }
        Ok(resolved)
    }

    /// Reads the images, or finds them in the cache.
    pub fn load(&self) -> Result<LoadedDataset, DatasetError> {
        let mut list = self.list()?;
        let loading = Loading {
            frame: self.frame(),
            are_compared: true,
            directory: Some(&self.directory),
            skip_corrupt: self.skip_corrupt,
        };
        let (mut task, total) = (None, list.count());
        let mut on_block = |done| {
            let task = task.get_or_insert_with(|| ProgressTask::start("decoding images", total));
            task.set_done(done);
            ControlFlow::Continue(())
        };
        let loaded = loading.load(&mut list, cache_directory().as_deref(), &mut on_block)?;
        let LoadedImages { mut parts, facts, unreadable } = loaded;
        let sha256 =
            parts.iter().map(|(split, part)| (split.as_str().to_owned(), self.identity(part)));
        let sha256 = sha256.collect();
        let remedy = "mark the training images as `train`";
        let no_train = || ImagesError::layout(&self.directory, "has no training images", remedy);
        Ok(LoadedDataset {
            sha256,
            train: parts.remove(&SplitKind::Train).ok_or_else(no_train)?,
            validation: parts.remove(&SplitKind::Validation),
            test: parts.remove(&SplitKind::Test),
            fit: Some(self.fit),
            synthetic: list.synthetic,
            notes: notes(&list),
            warnings: facts.warning().into_iter().chain(skipped(&unreadable)).collect(),
            classes: list.classes,
        })
    }

    /// Describes the training images; none is decoded.
    pub fn info(&self) -> Result<DatasetInfo, DatasetError> {
        let ImageList { classes, synthetic, parts, .. } = self.list()?;
        let (shape, count) = (self.frame().shape, parts.get(&SplitKind::Train).map_or(0, Vec::len));
        Ok(DatasetInfo { shape, are_images: true, classes, synthetic, count })
    }

    /// Returns whether there are images of a part; `None` if the directory or the table of the
    /// labels cannot be read.
    pub fn has(&self, split: SplitKind) -> Option<bool> {
        let directory = expand_home(&self.directory);
        let config = Self { directory, ..self.clone() };
        if config.labels.is_some() {
            return Some(config.list().ok()?.parts.contains_key(&split));
        }
        Some(config.part_folders().ok()?.iter().any(|(own, _)| *own == split))
    }

    /// Reports invalid values.
    pub fn check(&self, check: &mut Check) {
        let error = self.label_pattern.as_ref().and_then(|pattern| Regex::new(pattern).err());
        let message = error.map(|error| error.to_string());
        check.require("label_pattern", message.is_none(), message.unwrap_or_default());
        check.require(
            "labels",
            self.labels.is_none() || self.label_pattern.is_none(),
            "the labels are either in a table or in the paths: remove this key or `label_pattern`",
        );
        let has_other = self.validation.is_some() || self.test.is_some();
        check.require(
            "train",
            self.train.is_some() || !has_other,
            "name the folder of the training images too",
        );
    }

    /// Shape and fit of the images.
    pub fn frame(&self) -> Frame {
        let channels = if self.grey { 1 } else { 3 };
        Frame { shape: self.size.shape(channels), fit: self.fit }
    }

    fn part_folders(&self) -> Result<Vec<(SplitKind, PathBuf)>, ImagesError> {
        if self.train.is_none() {
            return ImageList::part_folders(&self.directory);
        }
        let folders = [&self.train, &self.validation, &self.test];
        let folders = SplitKind::ALL.into_iter().zip(folders);
        let folder = |(split, folder): (_, &Option<PathBuf>)| {
            Some((split, self.directory.join(folder.as_ref()?)))
        };
        Ok(folders.filter_map(folder).collect())
    }

    /// The files and their classes.
    fn list(&self) -> Result<ImageList, DatasetError> {
        let pattern = self.label_pattern.as_ref().map(|pattern| Regex::new(pattern));
        let pattern = pattern.transpose().map_err(DatasetError::source)?;
        let csv = self.labels.as_ref().map(|table| self.directory.join(table));
        let folders = if csv.is_some() {
            vec![(None, self.directory.clone())]
        } else {
            let folders = self.part_folders()?.into_iter();
            folders.map(|(split, folder)| (Some(split), folder)).collect()
        };
        Ok(ImageList::scan_parts(&folders, &Labelling { pattern, csv })?)
    }

    /// SHA-256 of the files of a part, their labels and their frame.
    fn identity(&self, part: &Examples) -> String {
        let mut hash = Sha256::new();
        let Frame { shape, fit } = self.frame();
        hash.update(format!("{shape:?} {}\n", fit.as_str()));
        for (origin, label) in part.origins.iter().zip(&part.labels) {
            hash.update(origin.sha256);
            hash.update(label.to_le_bytes());
        }
        hexadecimal(&hash.finalize())
    }
}

fn notes(list: &ImageList) -> Vec<String> {
    let names: Vec<_> = list.left_out.iter().map(|path| path.display().to_string()).collect();
    let left_out = (!names.is_empty()).then(|| {
        format!("left out {}: {}", counted(names.len(), "other file or folder"), first_few(&names))
    });
    list.notes.iter().cloned().chain(left_out).collect()
}

fn skipped(unreadable: &[UnreadableImage]) -> Option<String> {
    let first = unreadable.first()?;
    let images = counted(unreadable.len(), "unreadable image");
    Some(format!("skipped {images}, for example {}: {}", first.path.display(), first.reason))
}
