use std::path::Path;

use data::{Examples, SplitConfig, SplitIndices, SplitKind};
use data_hdf5::{FileContents, Hdf5Error, Hdf5File, Residency};

use super::error::ConvertError;
use super::groups::{Groups, MissingClass};
use super::made::{MadePart, MadeSet};
use super::new_directory::{NewDirectory, must_be_free};
use super::progress::{ProgressCallback, report_progress};
use super::split_folders::file_name;

/// How the training set of a file is divided into parts.
#[derive(Debug, Clone)]
pub struct Partition {
    /// How much is held out; a part whose share is 0 is not made.
    pub split: SplitConfig,
    /// What it depends on.
    pub seed: u64,
    /// Whether twins and equal examples stay in one part.
    pub keeps_duplicates_together: bool,
}

impl Partition {
    /// Divides the training set of the HDF5 file at `path` into files in the new directory `out`.
    ///
    /// The shares are those of [`SplitConfig`], and without groups the parts are those of a run of
    /// this seed. Groups are taken whole, so that of a class a little less may be held out.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, has a test set already or is too small, or files cannot be written.
    pub fn apply(
        &self,
        path: &Path,
        out: &Path,
        progress: &mut ProgressCallback,
    ) -> Result<MadeSet, ConvertError> {
        must_be_free(out)?;
        must_train(path)?;
        let file = data_hdf5::open(path, SplitKind::Train, Residency::Automatic)?;
        let directory = NewDirectory::begin(out)?;
        let made = self.divide(file, directory.partial(), out, progress)?;
        directory.finish()?;
        Ok(made)
    }

    /// Divides the training set `file` into files in `directory`, which will be moved to `out`.
    pub(super) fn divide(
        &self,
        file: Hdf5File,
        directory: &Path,
        out: &Path,
        progress: &mut ProgressCallback,
    ) -> Result<MadeSet, ConvertError> {
        let Hdf5File { examples, classes, synthetic, .. } = file;
        let groups = match self.keeps_duplicates_together {
            true => Groups::of_near_duplicates(&examples, progress)?,
            false => Groups::single(examples.len()),
        };
        let mut duplicate_groups =
            self.keeps_duplicates_together.then(|| groups.duplicate_groups(examples.len()));
        let (shape, are_images) = (examples.shape, examples.are_images());
        let mut writer = Writer { examples, classes, synthetic, done: 0, progress };
        let mut parts = Vec::new();
        for (split, items) in self.items(&writer.examples.labels, &groups)? {
            let place = out.join(file_name(split));
            let written = writer.write(&directory.join(file_name(split)), split, &items);
            written.map_err(|error| error.of(&place))?;
            let labels = writer.examples.labels_at(&items).into_iter();
            parts.push(MadePart::new(split, place, labels, writer.classes.len()));
        }
        let classes = writer.classes;
        if let Some(duplicate_groups) = &mut duplicate_groups {
            duplicate_groups.missing_classes = self.missing_classes(&parts, &classes);
        }
        Ok(MadeSet { shape, are_images, classes, synthetic, parts, duplicate_groups })
    }

    /// The classes of which a part has none, though its share of them is one or more.
    fn missing_classes(&self, parts: &[MadePart], classes: &[String]) -> Vec<MissingClass> {
        let shares = [
            (SplitKind::Validation, self.split.validation_fraction),
            (SplitKind::Test, self.split.test_fraction),
        ];
        let missing_classes = shares.into_iter().flat_map(|(split, share)| {
            let of_class = |part: &MadePart, class| part.classes.get(class).copied().unwrap_or(0);
            let own = parts.iter().find(|part| part.part == split);
            classes.iter().enumerate().filter_map(move |(class, name)| {
                let all = parts.iter().map(|part| of_class(part, class)).sum::<usize>();
                let due = (all as f64 * share).round() >= 1.0 && all > 1;
                let has_none = own.map_or(0, |part| of_class(part, class)) == 0;
                (due && has_none).then(|| MissingClass { part: split, class: name.clone() })
            })
        });
        missing_classes.collect()
    }

    /// The examples of each part, ascending.
    fn items(
        &self,
        labels: &[u32],
        groups: &Groups,
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

/// What the parts are taken from.
struct Writer<'a, 'w> {
    examples: Examples,
    classes: Vec<String>,
    synthetic: bool,
    /// How many examples are written.
    done: usize,
    progress: &'a mut ProgressCallback<'w>,
}

impl Writer<'_, '_> {
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
            let (taken, places) = examples.in_memory(chosen)?;
            Ok(taken.select(&places))
        })
    }
}

/// Fails unless the file at `path` holds a training set and nothing else.
fn must_train(path: &Path) -> Result<(), ConvertError> {
    let holds = |part| match data_hdf5::info(path, part) {
        Err(Hdf5Error::WrongPart { .. }) => Ok(false),
        info => info.map(|_| true),
    };
    if !holds(SplitKind::Train)? {
        let remedy = "name a file with a training set";
        return Err(ConvertError::form(path, "it holds a test set only", remedy));
    }
    match holds(SplitKind::Test)? {
        true => Err(ConvertError::form(
            path,
            "it holds a test set already",
            "hold a validation set out of its training set with `split.validation_fraction` in the config",
        )),
        false => Ok(()),
    }
}
