use data::{DatasetError, SplitKind};
use serde::Serialize;

use super::{ExampleLocation, InspectedSplit};
use crate::quality::near_duplicates::{NearDuplicateIndex, Neighbour};

/// Comparison of labels with those of the nearest training images.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SuspectLabels {
    /// Number of images compared.
    pub searched: usize,
    /// Number of these whose neighbours all have the same label.
    pub agreed: usize,
    /// Number of these whose own label is that of the neighbours.
    pub confirmed: usize,
    /// Images whose neighbours agree on another label and are close, by increasing distance; empty
    /// if the comparison is not reliable.
    pub listed: Vec<SuspectLabel>,
}

/// An image whose neighbours all have another label.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SuspectLabel {
    /// The image.
    pub example: ExampleLocation,
    /// The nearest neighbour.
    pub nearest: ExampleLocation,
    /// Distance as a fraction of the median distance between images of the data set.
    pub distance: f32,
}

/// Number of neighbours that must agree.
const NEIGHBOURS: usize = 5;
/// Minimum share of agreeing neighbours that confirm the label.
const MIN_RELIABILITY: f64 = 0.95;
/// Maximum distance of the nearest neighbour, as a fraction of the median distance between images of
/// the data set.
///
/// In SIGNS with 20 changed labels, five of them and one correct label are listed; without this limit,
/// seven and six.
const MAX_DISTANCE: f32 = 0.5;
/// Maximum number of pairs of descriptors to compare: about 15 s on one core.
const MAX_PAIRS: usize = 1 << 25;

impl SuspectLabels {
    /// Returns true if agreeing neighbours confirm enough labels.
    pub fn is_reliable(&self) -> bool {
        self.confirmed as f64 / self.agreed.max(1) as f64 >= MIN_RELIABILITY
    }
}

/// Compares the label of each image with those of the nearest training images. `None` without a
/// training set of images.
pub fn of(
    parts: &[InspectedSplit],
    indexes: &[Option<NearDuplicateIndex>],
    classes: &[String],
) -> Result<Option<SuspectLabels>, DatasetError> {
    let Some((train, Some(index))) = parts.first().zip(indexes.first()) else { return Ok(None) };
    if train.split != SplitKind::Train {
        return Ok(None);
    }
    let mut suspect_labels =
        SuspectLabels { searched: 0, agreed: 0, confirmed: 0, listed: Vec::new() };
    for (part, others) in parts.iter().zip(indexes.iter().flatten()) {
        let neighbourhoods = index.neighbours(others, NEIGHBOURS, MAX_PAIRS / parts.len())?;
        suspect_labels.searched += neighbourhoods.len();
        for (item, neighbours) in neighbourhoods {
            let Some(nearest) = agreed_nearest(train, &neighbours) else { continue };
            let (example, distance) =
                (part.location(item, classes), index.relative_distance(others, item, nearest));
            let nearest = train.location(nearest.index, classes);
            let confirmed = example.class == nearest.class;
            suspect_labels.agreed += 1;
            suspect_labels.confirmed += usize::from(confirmed);
            if !confirmed && distance < MAX_DISTANCE {
                suspect_labels.listed.push(SuspectLabel { example, nearest, distance });
            }
        }
    }
    suspect_labels.listed.sort_by(|one, other| one.distance.total_cmp(&other.distance));
    if !suspect_labels.is_reliable() {
        suspect_labels.listed.clear();
    }
    Ok(Some(suspect_labels))
}

/// The nearest of [`NEIGHBOURS`] neighbours, if all have the same label.
fn agreed_nearest(train: &InspectedSplit, neighbours: &[Neighbour]) -> Option<Neighbour> {
    let label = |neighbour: &Neighbour| train.examples.labels.get(neighbour.index);
    let nearest = *neighbours.first()?;
    let agree = neighbours.iter().all(|neighbour| label(neighbour) == label(&nearest));
    (agree && neighbours.len() == NEIGHBOURS).then_some(nearest)
}
