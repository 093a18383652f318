use std::path::Path;

use data::{Examples, SplitConfig, SplitIndices, SplitKind};
use data_hdf5::{FileContents, Hdf5Error, Hdf5File, Residency};

use super::converted_dataset::{ConvertedDataset, ConvertedSplit};
use super::error::ConvertError;
use super::groups::{ExampleGroups, MissingClass};
use super::new_directory::{NewDirectory, check_free};
use super::progress::{ProgressCallback, report_progress};
use super::split_folders::file_name;

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
    /// Without groups, the splits are those of a run with this [`SplitConfig`] and seed. Groups are not
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
        let Hdf5File { examples, classes, synthetic, .. } = file;
        let groups = if self.keep_duplicates_together {
            ExampleGroups::of_near_duplicates(&examples, progress)?
        } else {
            ExampleGroups::single(examples.len())
        };
        let mut duplicate_groups =
            self.keep_duplicates_together.then(|| groups.duplicate_groups(examples.len()));
        let (shape, are_images) = (examples.shape, examples.are_images());
        let mut writer = SplitWriter { examples, classes, synthetic, done: 0, progress };
        let mut parts = Vec::new();
        for (split, items) in self.items(&writer.examples.labels, &groups)? {
            let final_path = out.join(file_name(split));
            let written = writer.write(&directory.join(file_name(split)), split, &items);
            written.map_err(|error| error.at(&final_path))?;
            let labels = writer.examples.labels_at(&items).into_iter();
            parts.push(ConvertedSplit::new(split, final_path, labels, writer.classes.len()));
        }
        let classes = writer.classes;
        if let Some(duplicate_groups) = &mut duplicate_groups {
            duplicate_groups.missing_classes = self.missing_classes(&parts, &classes);
        }
        Ok(ConvertedDataset { shape, are_images, classes, synthetic, parts, duplicate_groups })
    }

    /// Classes of which a split has no example, although its fraction amounts to at least one.
    fn missing_classes(&self, parts: &[ConvertedSplit], classes: &[String]) -> Vec<MissingClass> {
        let fractions = [
            (SplitKind::Validation, self.split.validation_fraction),
            (SplitKind::Test, self.split.test_fraction),
        ];
        let missing_classes = fractions.into_iter().flat_map(|(split, fraction)| {
            let of_class =
                |part: &ConvertedSplit, class| part.classes.get(class).copied().unwrap_or(0);
            let own = parts.iter().find(|part| part.part == split);
            classes.iter().enumerate().filter_map(move |(class, name)| {
                let all = parts.iter().map(|part| of_class(part, class)).sum::<usize>();
                let expected = (all as f64 * fraction).round() >= 1.0 && all > 1;
                let has_none = own.map_or(0, |part| of_class(part, class)) == 0;
                (expected && has_none).then(|| MissingClass { part: split, class: name.clone() })
            })
        });
        missing_classes.collect()
    }

    /// Indices of the examples of each split, ascending.
    fn items(
        &self,
        labels: &[u32],
        groups: &ExampleGroups,
    ) -> Result<Vec<(SplitKind, Vec<usize>)>, ConvertError> {
        let label = |group: &Vec<usize>| labels.get(*group.first()?).copied();
        let own: Vec<u32> = groups.members.iter().filter_map(label).collect();
        let sizes: Vec<usize> = groups.members.iter().map(Vec::len).collect();
        let SplitIndices { train, validation, test } =
            self.split.divide_groups(&own, &sizes, self.seed)?;
        let parts = SplitKind::ALL.into_iter().zip([train, validation, test]);
        let items = parts.filter(|(_, chosen)| !chosen.is_empty()).map(|(split, chosen)| {
            let chosen = chosen.iter().filter_map(|&group| groups.members.get(group));
            let mut items: Vec<usize> = chosen.flatten().copied().collect();
            items.sort_unstable();
            (split, items)
        });
        Ok(items.collect())
    }
}

/// Writer of the splits of a training set.
struct SplitWriter<'a, 'w> {
    examples: Examples,
    classes: Vec<String>,
    synthetic: bool,
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
        let Self { examples, classes, synthetic, done, progress } = self;
        let contents = FileContents {
            split,
            count: items.len(),
            shape: examples.shape,
            are_images: examples.are_images(),
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
    let contains = |split| match data_hdf5::info(path, split) {
        Err(Hdf5Error::WrongPart { .. }) => Ok(false),
        info => info.map(|_| true),
    };
    if !contains(SplitKind::Train)? {
        let (found, remedy) = ("contains a test set only", "choose a file with a training set");
        return Err(ConvertError::layout(path, found, remedy));
    }
    if contains(SplitKind::Test)? {
        let remedy = "to hold out a validation set, set `split.validation_fraction` in the config";
        return Err(ConvertError::layout(path, "already contains a test set", remedy));
    }
    Ok(())
}
