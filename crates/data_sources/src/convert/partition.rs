use std::path::Path;

use data::{ExampleGroup, Examples, LoadedDataset, SplitConfig, SplitIndices, SplitKind};
use data_hdf5::{Hdf5File, Residency};
use support::sha256::hexadecimal;

use super::converted_dataset::{ConvertedDataset, ConvertedSplit, DuplicateGroups};
use super::error::ConvertError;
use super::new_directory::{NewDirectory, check_free};
use super::part_writer::{PartWriter, write_manifest};
use super::progress::{ProgressCallback, report_progress};
use crate::manifest::{self, ManifestRow};
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
        let mut file = data_hdf5::open(path, SplitKind::Train, Residency::Automatic)?;
        // A manifest of other examples is ignored, as it is by a run.
        let _ = manifest::read_origins(path, &mut file.examples);
        let (name, count) = (path.file_name().unwrap_or_default(), file.examples.len());
        manifest::number_examples(&mut file.examples, &name.to_string_lossy(), 0..count)?;
        let directory = NewDirectory::create(out)?;
        let (dataset, rows) = self.split_file(file, directory.partial(), out, progress)?;
        write_manifest(&directory.partial().join(manifest::FILE_NAME), rows)?;
        directory.finish()?;
        Ok(dataset)
    }

    /// Splits the training set `file`, whose examples have origins, into files in `directory`, which is
    /// moved to `out` later. Returns the rows of the manifest too.
    pub(super) fn split_file(
        &self,
        file: Hdf5File,
        directory: &Path,
        out: &Path,
        progress: &mut ProgressCallback,
    ) -> Result<(ConvertedDataset, Vec<ManifestRow>), ConvertError> {
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
        let LoadedDataset { train: mut examples, classes, .. } = source;
        name_groups(&mut examples, &division.groups);
        let (shape, are_images) = (examples.shape, examples.are_images());
        let total = examples.len();
        let mut writer = PartWriter { classes: &classes, synthetic, fit, done: 0, total, progress };
        let mut parts = Vec::new();
        let SplitIndices { train, validation, test } = division.indices;
        let items = SplitKind::ALL.into_iter().zip([train, validation, test]);
        let mut rows = Vec::new();
        for (split, items) in items.filter(|(_, items)| !items.is_empty()) {
            let final_path = out.join(file_name(split));
            let written = writer.write(&directory.join(file_name(split)), split, &examples, &items);
            rows.extend(written.map_err(|error| error.at(&final_path))?);
            let labels = examples.labels_at(&items).into_iter();
            parts.push(ConvertedSplit::new(split, final_path, labels, classes.len()));
        }
        let dataset =
            ConvertedDataset { shape, are_images, classes, synthetic, parts, duplicate_groups };
        Ok((dataset, rows))
    }
}

/// Name of the HDF5 file of a split.
pub fn file_name(split: SplitKind) -> String {
    format!("{split}.h5")
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
