use std::path::Path;

use data::{Examples, Fit, LoadedDataset, SplitConfig, SplitIndices, SplitKind};
use data_hdf5::{FileContents, Hdf5File, Residency};

use super::converted_dataset::{ConvertedDataset, ConvertedSplit, DuplicateGroups};
use super::error::ConvertError;
use super::new_directory::{NewDirectory, check_free};
use super::progress::{ProgressCallback, report_progress};
use crate::quality::{GroupStatistics, Splitting};

/// Split of the training set of a file into several files.
#[derive(Debug, Clone)]
pub struct Partition {
    /// Held-out fractions; a split with fraction 0 is not written.
    pub split: SplitConfig,
    /// Seed of the split.
    pub seed: u64,
    /// Whether to keep equal and near-duplicate examples in one split.
    pub keep_duplicates_together: bool,
}

impl Partition {
    /// Splits the training set of the HDF5 file at `path` into files in the new directory `out`.
    ///
    /// With groups, the splits are those of a run with this [`SplitConfig`] and seed. Groups are not
    /// divided, so that slightly less than the fraction of a class may be held out.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, has a test set or is too small, or files cannot be written.
    pub fn apply(
        &self,
        path: &Path,
        out: &Path,
        progress: &mut ProgressCallback,
    ) -> Result<ConvertedDataset, ConvertError> {
        check_free(out)?;
        check_training_file(path)?;
        let file = data_hdf5::open(path, SplitKind::Train, Residency::Automatic)?;
        let directory = NewDirectory::create(out)?;
        let dataset = self.split_file(file, directory.partial(), out, progress)?;
        directory.finish()?;
        Ok(dataset)
    }

    /// Splits the training set `file` into files in `directory`, which is moved to `out` later.
    pub(super) fn split_file(
        &self,
        file: Hdf5File,
        directory: &Path,
        out: &Path,
        progress: &mut ProgressCallback,
    ) -> Result<ConvertedDataset, ConvertError> {
        let Hdf5File { examples, classes, synthetic, fit, .. } = file;
        let mut source = LoadedDataset::of_training_set(examples, classes);
        source.synthetic = synthetic;
        let splitting = Splitting {
            config: &self.split,
            seed: self.seed,
            keep_groups: self.keep_duplicates_together,
        };
        report_progress(progress, "searching for near-duplicates", 0, source.train.len())?;
        let division = splitting.divide(&source)?;
        let duplicate_groups = self.keep_duplicates_together.then(|| DuplicateGroups {
            statistics: GroupStatistics::of(&division.groups),
            missing_classes: division.missing_classes,
        });
        let LoadedDataset { train: examples, classes, .. } = source;
        let (shape, are_images) = (examples.shape, examples.are_images());
        let mut writer = SplitWriter { examples, classes, synthetic, fit, done: 0, progress };
        let mut parts = Vec::new();
        let SplitIndices { train, validation, test } = division.indices;
        let items = SplitKind::ALL.into_iter().zip([train, validation, test]);
        for (split, items) in items.filter(|(_, items)| !items.is_empty()) {
            let final_path = out.join(file_name(split));
            let written = writer.write(&directory.join(file_name(split)), split, &items);
            written.map_err(|error| error.at(&final_path))?;
            let labels = writer.examples.labels_at(&items).into_iter();
            parts.push(ConvertedSplit::new(split, final_path, labels, writer.classes.len()));
        }
        let classes = writer.classes;
        Ok(ConvertedDataset { shape, are_images, classes, synthetic, parts, duplicate_groups })
    }
}

/// Name of the HDF5 file of a split.
pub fn file_name(split: SplitKind) -> String {
    format!("{split}.h5")
}

/// Writer of the splits of a training set.
struct SplitWriter<'a, 'w> {
    examples: Examples,
    classes: Vec<String>,
    synthetic: bool,
    fit: Option<Fit>,
    /// Number of examples written.
    done: usize,
    progress: &'a mut ProgressCallback<'w>,
}

impl SplitWriter<'_, '_> {
    fn write(
        &mut self,
        path: &Path,
        split: SplitKind,
        items: &[usize],
    ) -> Result<(), ConvertError> {
        let Self { examples, classes, synthetic, fit, done, progress } = self;
        let contents = FileContents {
            split,
            count: items.len(),
            shape: examples.shape,
            are_images: examples.are_images(),
            fit: *fit,
            classes,
            synthetic: *synthetic,
        };
        contents.write(path, |range| {
            report_progress(progress, "writing examples", *done, examples.len())?;
            *done += range.len();
            let chosen = items.get(range).unwrap_or_default();
            let (block, rows) = examples.in_memory(chosen)?;
            Ok(block.select(&rows))
        })
    }
}

/// Fails unless the file at `path` contains a training set and no test set.
fn check_training_file(path: &Path) -> Result<(), ConvertError> {
    let splits = data_hdf5::splits(path)?;
    let contains = |split| splits.contains(&split);
    if contains(SplitKind::Test) && !contains(SplitKind::Train) {
        let (found, remedy) = ("contains a test set only", "choose a file with a training set");
        return Err(ConvertError::layout(path, found, remedy));
    }
    if contains(SplitKind::Test) {
        let remedy = "to hold out a validation set, set `split.validation_fraction` in the config";
        return Err(ConvertError::layout(path, "already contains a test set", remedy));
    }
    Ok(())
}
