use data::DatasetError;
use serde::Serialize;

use super::facts::{self, PartFacts};
use super::pairs::{self, Pair};
use super::part::{ExampleLocation, InspectedPart};
use super::suspect_labels::{self, SuspectLabels};
use crate::quality::near_duplicates::NearDuplicateIndex;

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
    pub blank: Vec<ExampleLocation>,
    /// Equal examples of one part: each with the first that is equal to it.
    pub duplicates: Vec<Pair>,
    /// Examples of two parts that are one: equal, or of one picture.
    pub near_duplicates: Vec<Pair>,
    /// Labels that the images around contradict; none where there is no training set of images.
    pub suspect_labels: Option<SuspectLabels>,
    /// For how many examples of all pairs of parts a twin was looked for, and of how many.
    pub searched: [usize; 2],
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
        let indexes = parts.iter().map(|part| NearDuplicateIndex::of(&part.examples));
        let indexes: Vec<Option<NearDuplicateIndex>> = indexes.collect::<Result<_, _>>()?;
        let found = pairs::of(parts, &indexes, classes)?;
        Ok(Self {
            shape,
            are_images,
            classes: classes.to_vec(),
            parts: facts.collect::<Result<_, _>>()?,
            blank: facts::blank(parts, classes)?,
            duplicates: found.duplicates,
            near_duplicates: found.near_duplicates,
            suspect_labels: suspect_labels::of(parts, &indexes, classes)?,
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
        let near_duplicates =
            self.near_duplicates.chunk_by(|one, other| one.parts() == other.parts());
        let leaks = near_duplicates.filter_map(|near_duplicates| {
            let (pair, count) = (near_duplicates.first()?, near_duplicates.len());
            let [part, of] = pair.parts();
            Some(match count {
                1 => format!("1 {part} example has a near-duplicate in the {of} set"),
                _ => format!("{count} {part} examples have near-duplicates in the {of} set"),
            })
        });
        let both = self.duplicates.iter().chain(&self.near_duplicates);
        let torn = both.filter(|pair| !pair.is_of_one_class()).count();
        let torn = (torn > 0).then(|| match torn {
            1 => "1 pair of equal or near-duplicate examples has conflicting labels".to_owned(),
            _ => {
                format!("{torn} pairs of equal or near-duplicate examples have conflicting labels")
            }
        });
        leaks.chain(torn).collect()
    }
}
