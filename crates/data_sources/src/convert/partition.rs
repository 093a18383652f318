use std::path::Path;

use data::{ExampleGroup, Examples, LoadedDataset, SplitIndices, SplitKind};
use data_hdf5::{Hdf5File, Residency};
use support::sha256::hexadecimal;

use super::dataset_writer::{ConvertedDataset, DatasetWriter, DuplicateGroups};
use super::error::{ConvertError, ProgressCallback, report_progress};
use super::new_output::NewOutput;
use crate::manifest;
use crate::quality::{Division, GroupStatistics, Splitting};

impl Splitting {
    /// Splits the training set of the HDF5 file at `path` into files in the new directory `out`.
    ///
    /// With groups, the splits are those of a run with this config and seed. Groups are not divided, so
    /// that slightly less than the fraction of a class may be held out. Fails if the file cannot be read,
    /// has a test set or is too small, or files cannot be written.
    pub fn split_file(
        &self,
        path: &Path,
        out: &Path,
        progress: &mut ProgressCallback,
    ) -> Result<ConvertedDataset, ConvertError> {
        let output = NewOutput::directory(out)?;
        check_training_file(path)?;
        let mut file = data_hdf5::open(path, SplitKind::Train, Residency::Automatic)?;
        // A manifest of other examples is ignored, as it is by a run.
        let _ = manifest::read_origins(path, &mut file.examples);
        let Hdf5File { mut examples, classes, synthetic, fit, .. } = file;
        let (name, count) = (path.file_name().unwrap_or_default(), examples.len());
        manifest::number_examples(&mut examples, &name.to_string_lossy(), 0..count)?;
        let (shape, are_images) = (examples.shape, examples.are_images());
        let dataset =
            ConvertedDataset { shape, are_images, classes, synthetic, ..Default::default() };
        let mut writer = DatasetWriter::new(output, dataset, fit, count, progress);
        self.write(examples, &mut writer)?;
        writer.finish()
    }

    /// Writes the splits of a training set, whose `examples` have origins.
    pub(super) fn write(
        &self,
        examples: Examples,
        writer: &mut DatasetWriter,
    ) -> Result<(), ConvertError> {
        let mut source = LoadedDataset::of_training_set(examples, writer.dataset.classes.clone());
        let count = source.train.len();
        report_progress(writer.progress, "searching for near-duplicates", 0, count)?;
        let Division { indices, groups, missing_classes, .. } = self.divide(&source)?;
        writer.dataset.duplicate_groups = self
            .keep_groups
            .then(|| DuplicateGroups { statistics: GroupStatistics::of(&groups), missing_classes });
        name_groups(&mut source.train, &groups);
        let SplitIndices { train, validation, test } = indices;
        for (split, items) in SplitKind::ALL.into_iter().zip([train, validation, test]) {
            if !items.is_empty() {
                writer.write(split, &source.train, &items)?;
            }
        }
        Ok(())
    }
}

/// Names groups of several examples after their content, so that they stay together in later splits.
fn name_groups(examples: &mut Examples, groups: &[ExampleGroup]) {
    for group in groups.iter().filter(|group| group.members.len() > 1) {
        let name = hexadecimal(group.key.get(..6).unwrap_or_default());
        for &member in &group.members {
            if let Some(origin) = examples.origins.get_mut(member) {
                origin.group = Some(name.as_str().into());
            }
        }
    }
}

/// Fails unless the file at `path` contains a training set and no test set.
fn check_training_file(path: &Path) -> Result<(), ConvertError> {
    let splits = data_hdf5::splits(path)?;
    let (found, remedy) = match [SplitKind::Train, SplitKind::Test].map(|own| splits.contains(&own))
    {
        [_, false] => return Ok(()),
        [false, true] => ("contains a test set only", "choose a file with a training set"),
        [true, true] => (
            "already contains a test set",
            "to hold out a validation set, set `split.validation_fraction` in the config",
        ),
    };
    Err(ConvertError::layout(path, found, remedy))
}
