use std::path::Path;

use super::groups::{Groups, Lacking};
use super::new_directory::{NewDirectory, must_be_free};
use super::{MadePart, MadeSet, Role, TransferError, Watch, watched};
use crate::examples::Examples;
use crate::hdf5::{self, Contents, Hdf5Error, Hdf5File, Keep, Part};
use crate::split::{Division, SplitConfig};

/// How the training set of a file is divided into parts.
#[derive(Debug, Clone)]
pub struct Partition {
    /// How much is held out; a part whose share is 0 is not made.
    pub split: SplitConfig,
    /// What it depends on.
    pub seed: u64,
    /// Whether twins and equal examples stay in one part.
    pub keeps_twins_together: bool,
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
        watch: &mut Watch,
    ) -> Result<MadeSet, TransferError> {
        must_be_free(out)?;
        must_train(path)?;
        let file = hdf5::open(path, Part::Train, Keep::Automatic)?;
        let directory = NewDirectory::begin(out)?;
        let made = self.divide(file, directory.partial(), out, watch)?;
        directory.finish()?;
        Ok(made)
    }

    /// Divides the training set `file` into files in `directory`, which will be moved to `out`.
    pub(super) fn divide(
        &self,
        file: Hdf5File,
        directory: &Path,
        out: &Path,
        watch: &mut Watch,
    ) -> Result<MadeSet, TransferError> {
        let Hdf5File { examples, classes, stand_in, .. } = file;
        let groups = match self.keeps_twins_together {
            true => Groups::of_twins(&examples, watch)?,
            false => Groups::single(examples.len()),
        };
        let mut together = self.keeps_twins_together.then(|| groups.together(examples.len()));
        let (shape, are_images) = (examples.shape, examples.are_images());
        let mut writer = Writer { examples, classes, stand_in, done: 0, watch };
        let mut parts = Vec::new();
        for (role, items) in self.items(&writer.examples.labels, &groups)? {
            let place = out.join(role.file());
            let written = writer.write(&directory.join(role.file()), role, &items);
            written.map_err(|error| error.of(&place))?;
            let labels = writer.examples.labels_at(&items).into_iter();
            parts.push(MadePart::new(role, place, labels, writer.classes.len()));
        }
        let classes = writer.classes;
        if let Some(together) = &mut together {
            together.lacking = self.lacking(&parts, &classes);
        }
        Ok(MadeSet { shape, are_images, classes, stand_in, parts, together })
    }

    /// The classes of which a part has none, though its share of them is one or more.
    fn lacking(&self, parts: &[MadePart], classes: &[String]) -> Vec<Lacking> {
        let shares = [
            (Role::Validation, self.split.validation_fraction),
            (Role::Test, self.split.test_fraction),
        ];
        let lacking = shares.into_iter().flat_map(|(role, share)| {
            let of_class = |part: &MadePart, class| part.classes.get(class).copied().unwrap_or(0);
            let own = parts.iter().find(|part| part.part == role);
            classes.iter().enumerate().filter_map(move |(class, name)| {
                let all = parts.iter().map(|part| of_class(part, class)).sum::<usize>();
                let due = (all as f64 * share).round() >= 1.0 && all > 1;
                let has_none = own.map_or(0, |part| of_class(part, class)) == 0;
                (due && has_none).then(|| Lacking { part: role, class: name.clone() })
            })
        });
        lacking.collect()
    }

    /// The examples of each part, ascending.
    fn items(
        &self,
        labels: &[u32],
        groups: &Groups,
    ) -> Result<Vec<(Role, Vec<usize>)>, TransferError> {
        let label = |group: &Vec<usize>| labels.get(*group.first()?).copied();
        let own: Vec<u32> = groups.members.iter().filter_map(label).collect();
        let sizes: Vec<usize> = groups.members.iter().map(Vec::len).collect();
        let Division { train, validation, test } =
            self.split.divide_groups(&own, &sizes, self.seed)?;
        let parts = Role::ALL.into_iter().zip([train, validation, test]);
        let items = parts.filter(|(_, chosen)| !chosen.is_empty()).map(|(role, chosen)| {
            let chosen = chosen.iter().filter_map(|&group| groups.members.get(group));
            let mut items: Vec<usize> = chosen.flatten().copied().collect();
            items.sort_unstable();
            (role, items)
        });
        Ok(items.collect())
    }
}

/// What the parts are taken from.
struct Writer<'a, 'w> {
    examples: Examples,
    classes: Vec<String>,
    stand_in: bool,
    /// How many examples are written.
    done: usize,
    watch: &'a mut Watch<'w>,
}

impl Writer<'_, '_> {
    fn write(&mut self, path: &Path, role: Role, items: &[usize]) -> Result<(), TransferError> {
        let Self { examples, classes, stand_in, done, watch } = self;
        let contents = Contents {
            part: role.set(),
            count: items.len(),
            shape: examples.shape,
            are_images: examples.are_images(),
            classes,
            stand_in: *stand_in,
        };
        contents.write(path, |range| {
            watched(watch, "writing examples", *done, examples.len())?;
            *done += range.len();
            let chosen = items.get(range).unwrap_or_default();
            let (taken, places) = examples.in_memory(chosen)?;
            Ok(taken.select(&places))
        })
    }
}

/// Fails unless the file at `path` holds a training set and nothing else.
fn must_train(path: &Path) -> Result<(), TransferError> {
    let holds = |part| match hdf5::outline(path, part) {
        Err(Hdf5Error::WrongPart { .. }) => Ok(false),
        outline => outline.map(|_| true),
    };
    if !holds(Part::Train)? {
        let remedy = "name a file with a training set";
        return Err(TransferError::form(path, "it holds a test set only", remedy));
    }
    match holds(Part::Test)? {
        true => Err(TransferError::form(
            path,
            "it holds a test set already",
            "hold a validation set out of its training set with `split.validation_fraction` in the config",
        )),
        false => Ok(()),
    }
}
