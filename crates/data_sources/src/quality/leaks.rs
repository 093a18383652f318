use data::{DatasetError, Examples, LoadedDataset, SplitKind};

use super::near_duplicates::{Measure, NearDuplicate, NearDuplicateIndex};

/// Images of one part of a data set with a near-duplicate in another.
#[derive(Debug, Clone, PartialEq)]
pub struct Leak {
    /// The held-out part, and the part with the near-duplicates.
    pub parts: [SplitKind; 2],
    /// Number of images of the held-out part.
    pub count: usize,
    /// The images with their closest near-duplicates.
    pub pairs: Vec<NearDuplicate>,
    /// Names of the first pair: paths of their files, or their indices.
    pub example: [String; 2],
}

impl Leak {
    /// Searches the parts that `source` has for near-duplicates in another part; nothing if they are not
    /// images.
    ///
    /// # Errors
    ///
    /// If examples are in a file that cannot be read.
    pub fn find(source: &LoadedDataset) -> Result<Vec<Self>, DatasetError> {
        let parts = source.parts();
        let images: Vec<&Examples> = parts.iter().map(|(_, part)| *part).collect();
        let Some(measure) = Measure::fit(&images)? else { return Ok(Vec::new()) };
        let indexes = parts.iter().map(|(split, part)| {
            Ok(NearDuplicateIndex::new(part, &measure)?.map(|index| (*split, *part, index)))
        });
        let indexes = indexes.collect::<Result<Vec<_>, DatasetError>>()?;
        let indexes: Vec<_> = indexes.into_iter().flatten().collect();
        let mut leaks = Vec::new();
        for (number, (split, part, index)) in indexes.iter().enumerate() {
            for (of_split, of_part, of) in indexes.iter().take(number) {
                let pairs = of.near_duplicates(index)?;
                let Some(first) = pairs.first() else { continue };
                let example = [part.name(first.index), of_part.name(first.of)];
                leaks.push(Self { parts: [*split, *of_split], count: part.len(), pairs, example });
            }
        }
        Ok(leaks)
    }

    /// The leak in a sentence.
    pub fn warning(&self) -> String {
        let ([part, of], [one, other]) = (self.parts, &self.example);
        let have = match self.pairs.len() {
            1 => "image has a near-duplicate".to_owned(),
            _ => "images have near-duplicates".to_owned(),
        };
        let count = match self.pairs.len() {
            1 => format!("1 of {} {part}", self.count),
            found => format!("{found} of {} {part}", self.count),
        };
        format!(
            "{count} {have} in the {of} set, for example {part} {one} and {of} {other}: the {part} score counts them"
        )
    }
}
