//! What one should know of a data set before training on it: what it holds, and what is wrong
//! with it.

mod doubts;
mod facts;
mod histograms;
mod pairs;
#[cfg(test)]
mod tests;

use serde::Serialize;

use crate::error::DatasetError;
use crate::examples::Examples;
use crate::source::Source;
use crate::split::{Division, SplitConfig};
use crate::twins::Album;
pub use doubts::{Doubt, Doubts};
pub use facts::{ChannelFacts, PartFacts};
pub use histograms::Histogram;
pub use pairs::Pair;
pub(crate) use pairs::sums;

/// A part of a data set, to be inspected.
#[derive(Debug)]
pub struct InspectedPart {
    /// `train`, `validation` or `test`.
    pub name: &'static str,
    /// Its examples.
    pub examples: Examples,
    /// Where each stands in the file it comes from.
    pub indices: Vec<usize>,
}

/// What a data set holds, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Inspection {
    /// Height, width and channels of every image; 1, 1 and their number for plain features.
    pub shape: [usize; 3],
    /// Whether they are images.
    pub are_images: bool,
    /// The name of each class, in the order of the labels.
    pub classes: Vec<String>,
    /// What each part holds.
    pub parts: Vec<PartFacts>,
    /// Images of which every pixel is the same.
    pub blank: Vec<Place>,
    /// Equal examples of one part: each with the first that is equal to it.
    pub duplicates: Vec<Pair>,
    /// Examples of two parts that are one: equal, or of one picture.
    pub twins: Vec<Pair>,
    /// Labels that the images around contradict; none where there is no training set of images.
    pub doubts: Option<Doubts>,
    /// For how many examples of all pairs of parts a twin was looked for, and of how many.
    pub searched: [usize; 2],
}

/// Where an example stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// Its part.
    pub part: &'static str,
    /// Its index in the file of the part.
    pub index: usize,
    /// The name of its class.
    pub class: String,
    /// Its index in the part.
    #[serde(skip)]
    pub item: usize,
}

impl InspectedPart {
    /// A part that is all of a file.
    pub fn whole(name: &'static str, examples: Examples) -> Self {
        Self { name, indices: (0..examples.len()).collect(), examples }
    }

    /// The parts of `source` as the run with `seed` splits it, the training set first.
    ///
    /// # Errors
    ///
    /// If the split leaves a part with nothing in it.
    pub fn of(source: Source, split: &SplitConfig, seed: u64) -> Result<Vec<Self>, DatasetError> {
        let Division { train, validation, test } = split.divide(&source, seed)?;
        let split = split.apply(source, seed)?;
        let of = |name, examples: Examples, indices: Vec<usize>| match indices.is_empty() {
            true => Self::whole(name, examples),
            false => Self { name, examples, indices },
        };
        let validation = split.validation.map(|examples| of("validation", examples, validation));
        let train = of("train", split.train, train);
        Ok([Some(train), validation, Some(of("test", split.test, test))]
            .into_iter()
            .flatten()
            .collect())
    }

    fn place(&self, item: usize, classes: &[String]) -> Place {
        let label = self.examples.labels.get(item).copied().unwrap_or_default();
        let class = classes.get(label as usize).cloned().unwrap_or_else(|| label.to_string());
        let index = self.indices.get(item).copied().unwrap_or(item);
        Place { part: self.name, index, class, item }
    }
}

impl Inspection {
    /// Inspects `parts`, of which the first is the training set if there is one.
    ///
    /// # Errors
    ///
    /// If examples lie in a file that cannot be read.
    pub fn of(parts: &[InspectedPart], classes: &[String]) -> Result<Self, DatasetError> {
        let shape = parts.first().map_or([0; 3], |part| part.examples.shape);
        let are_images = parts.first().is_some_and(|part| part.examples.are_images());
        let facts = parts.iter().map(|part| facts::of(part, classes.len()));
        let albums = parts.iter().map(|part| Album::of(&part.examples));
        let albums: Vec<Option<Album>> = albums.collect::<Result<_, _>>()?;
        let found = pairs::of(parts, &albums, classes)?;
        Ok(Self {
            shape,
            are_images,
            classes: classes.to_vec(),
            parts: facts.collect::<Result<_, _>>()?,
            blank: facts::blank(parts, classes)?,
            duplicates: found.duplicates,
            twins: found.twins,
            doubts: doubts::of(parts, &albums, classes)?,
            searched: found.searched,
        })
    }

    /// Whether a twin was looked for for every example.
    pub fn was_searched_whole(&self) -> bool {
        let [searched, count] = self.searched;
        searched >= count
    }

    /// What makes scores worthless or contradicts itself, a line each.
    pub fn problems(&self) -> Vec<String> {
        let twins = self.twins.chunk_by(|one, other| one.parts() == other.parts());
        let leaks = twins.filter_map(|twins| {
            let (pair, count) = (twins.first()?, twins.len());
            let [part, of] = pair.parts();
            Some(match count {
                1 => format!("1 {part} example has a twin in the {of} set"),
                _ => format!("{count} {part} examples have a twin in the {of} set"),
            })
        });
        let both = self.duplicates.iter().chain(&self.twins);
        let torn = both.filter(|pair| !pair.is_of_one_class()).count();
        let torn = (torn > 0).then(|| match torn {
            1 => "1 pair of examples that are one has two labels".to_owned(),
            _ => format!("{torn} pairs of examples that are one have two labels"),
        });
        leaks.chain(torn).collect()
    }
}
