use std::sync::Arc;

use data::{
    DatasetError, ExampleGroup, Examples, LoadedDataset, Split, SplitConfig, SplitIndices,
    SplitKind,
};
use regex::Regex;
use serde::Serialize;

use super::groups::{GroupStatistics, groups, single_groups};
use super::leaks::leak_warnings;
use super::near_duplicates::Measure;
use super::phantom_classes::{class_counts, class_warning};

/// Split of the training set of a source that keeps equal and near-duplicate examples, and the files of a
/// named group, in one part.
///
/// The part of a group depends on its content and the seed alone, not on the order, the names or the size
/// of the images, nor on the other groups of its class but for their number.
#[derive(Debug, Clone)]
pub struct Splitting {
    /// Held-out fractions and the pattern of group names; a part with fraction 0 is not held out.
    pub config: SplitConfig,
    /// Seed of the split.
    pub seed: u64,
    /// Whether to keep groups together; otherwise every example is on its own.
    pub keep_groups: bool,
}

/// A divided training set.
#[derive(Debug)]
pub struct Division {
    /// Examples of each part.
    pub indices: SplitIndices,
    /// Groups, each in one part; empty if nothing is held out.
    pub groups: Vec<ExampleGroup>,
    /// Classes of which a held-out part has no examples because their groups are too large.
    pub missing_classes: Vec<MissingClass>,
    /// Whether near-duplicates were divided, since nothing could be held out otherwise.
    pub is_cut: bool,
}

/// A class of which a split should have examples but has none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MissingClass {
    /// The split.
    pub part: SplitKind,
    /// Name of the class.
    pub class: String,
}

/// Number of images up to which a run searches the parts of its source for leaks, which takes less than a
/// second.
const MAX_SEARCHED: usize = 20_000;

/// Share of the examples from which on a group is worth a warning.
const LARGE_GROUP: f64 = 0.2;

impl Splitting {
    /// The split of a run with `seed`.
    pub fn of_run(config: &SplitConfig, seed: u64) -> Self {
        Self { config: config.clone(), seed, keep_groups: true }
    }

    /// Splits `source`. Returns likely mistakes in its classes and parts and what a user should know about
    /// the groups too, one sentence each. Fails if a part would be empty, or a source cannot be read or has
    /// no file names for the pattern.
    pub fn apply(&self, source: LoadedDataset) -> Result<(Split, Vec<String>), DatasetError> {
        let division = self.divide_or_cut(&source)?;
        let mut warnings = Vec::from_iter(class_warning(&source.train.labels, &source.classes));
        let parts = source.parts();
        if parts.len() > 1
            && parts.iter().map(|(_, part)| part.len()).sum::<usize>() <= MAX_SEARCHED
        {
            warnings.extend(leak_warnings(&parts)?);
        }
        warnings.extend(division.warnings());
        let split = Split::new(source, &division.indices);
        let is_merged = self.config.train_on_validation;
        Ok((if is_merged { split.with_validation_in_train() } else { split }, warnings))
    }

    /// Assigns the examples of the training set of `source` to parts. If near-duplicates leave nothing to
    /// hold out, as in a set of one picture per class, they are divided too, with a warning.
    pub fn divide_or_cut(&self, source: &LoadedDataset) -> Result<Division, DatasetError> {
        match self.divide(source) {
            Err(DatasetError::EmptySplit { .. }) if self.config.group_pattern.is_none() => {
                let division = Self { keep_groups: false, ..self.clone() }.divide(source)?;
                Ok(Division { is_cut: self.keep_groups, ..division })
            }
            divided => divided,
        }
    }

    /// Assigns the examples of the training set of `source` to parts.
    pub fn divide(&self, source: &LoadedDataset) -> Result<Division, DatasetError> {
        let own = [(SplitKind::Test, &source.test), (SplitKind::Validation, &source.validation)];
        let held_out: Vec<_> =
            own.into_iter().filter(|(split, _)| self.config.fraction(*split) > 0.0).collect();
        if let Some(&(split, _)) = held_out.iter().find(|(_, own)| own.is_some()) {
            return Err(DatasetError::Unsuitable(format!(
                "the data set has a {split} set of its own, so that none is held out of the training set\n  \
                 remove `split.{split}_fraction`"
            )));
        }
        let held_out: Vec<SplitKind> = held_out.into_iter().map(|(split, _)| split).collect();
        let train = &source.train;
        if held_out.is_empty() {
            let (train, validation, test) = ((0..train.len()).collect(), Vec::new(), Vec::new());
            let indices = SplitIndices { train, validation, test };
            let (groups, missing_classes) = (Vec::new(), Vec::new());
            return Ok(Division { indices, groups, missing_classes, is_cut: false });
        }
        let groups = if self.keep_groups { self.groups(source)? } else { single_groups(train)? };
        let indices = self.config.divide(&train.labels, &groups, &held_out, self.seed)?;
        let missing_classes = self.missing_classes(source, &indices, &held_out);
        Ok(Division { indices, groups, missing_classes, is_cut: false })
    }

    fn groups(&self, source: &LoadedDataset) -> Result<Vec<ExampleGroup>, DatasetError> {
        let parts: Vec<&Examples> = source.parts().into_iter().map(|(_, part)| part).collect();
        let measure = Measure::fit(&parts)?;
        let names = self.group_names(&source.train)?;
        groups(&source.train, measure.as_ref(), names.into_iter())
    }

    /// Name of the group of each example: by the pattern, or as the source gives it.
    fn group_names(&self, train: &Examples) -> Result<Vec<Option<Arc<str>>>, DatasetError> {
        let Some(pattern) = &self.config.group_pattern else {
            let origin = |index: usize| train.origins.get(index)?.group.clone();
            return Ok((0..train.len()).map(origin).collect());
        };
        if train.origins.is_empty() {
            let message = "`split.group_pattern` finds groups in file names, and these data have none\n  use a \
                           folder of images, or HDF5 files with the manifest.csv that `trainer data import` \
                           writes beside them";
            return Err(DatasetError::Unsuitable(message.to_owned()));
        }
        let regex = Regex::new(pattern).map_err(DatasetError::source)?;
        let names = train.origins.iter().map(|origin| {
            let found = regex.captures(&origin.file)?;
            let name = found.name("group").or_else(|| found.get(1))?;
            Some(Arc::from(name.as_str()))
        });
        Ok(names.collect())
    }

    /// Classes of which a part has no example, although its fraction amounts to at least one.
    fn missing_classes(
        &self,
        source: &LoadedDataset,
        indices: &SplitIndices,
        held_out: &[SplitKind],
    ) -> Vec<MissingClass> {
        let all = class_counts(&source.train.labels, source.classes.len());
        let missing = held_out.iter().flat_map(|&split| {
            let items = if split == SplitKind::Test { &indices.test } else { &indices.validation };
            let own = class_counts(&source.train.labels_at(items), all.len());
            let classes = source.classes.iter().zip(all.clone()).zip(own);
            let missing = classes.filter(move |((_, all), own)| {
                *own == 0 && *all > 1 && (*all as f64 * self.config.fraction(split)).round() >= 1.0
            });
            missing.map(move |((name, _), _)| MissingClass { part: split, class: name.clone() })
        });
        missing.collect()
    }
}

impl Division {
    /// What a user should know about the groups, one sentence each.
    pub fn warnings(&self) -> Vec<String> {
        let count: usize = self.groups.iter().map(|group| group.members.len()).sum();
        let largest = GroupStatistics::of(&self.groups).largest;
        let large = (largest as f64 > LARGE_GROUP * count as f64).then(|| {
            format!(
                "{largest} of {count} examples are one group of near-duplicates, as the frames of a video are, and stay in one part"
            )
        });
        let missing = SplitKind::ALL.into_iter().filter_map(|split| {
            let classes = self.missing_classes.iter().filter(|missing| missing.part == split);
            let classes: Vec<&str> = classes.map(|missing| missing.class.as_str()).collect();
            let all = match classes.len() {
                0 => return None,
                1 => "all examples of this class are",
                _ => "all examples of each of these classes are",
            };
            Some(format!(
                "the {split} set has no examples of {}: {all} near-duplicates or one group, too large for its fraction",
                classes.join(", ")
            ))
        });
        let cut = self.is_cut.then(|| {
            "all images of every class are near-duplicates: the parts share them, and their scores say little about new images".to_owned()
        });
        cut.into_iter().chain(large).chain(missing).collect()
    }
}

#[cfg(test)]
mod tests;
