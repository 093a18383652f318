use data::{DatasetError, SplitKind};
use serde::Serialize;

use super::part::{ExampleLocation, InspectedPart};
use crate::quality::near_duplicates::{NearDuplicateIndex, Neighbour};

/// What the nearest training images say of the labels.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SuspectLabels {
    /// How many images were asked for.
    pub searched: usize,
    /// For how many of them all neighbours agree.
    pub agreed: usize,
    /// For how many of these they agree on the label.
    pub confirmed: usize,
    /// The images whose neighbours agree on another class and are near, those with the nearest
    /// first; none where neighbours are wrong too often to be believed.
    pub listed: Vec<SuspectLabel>,
}

/// An image whose neighbours are of another class.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SuspectLabel {
    /// The image.
    pub example: ExampleLocation,
    /// The nearest one, whose class is that of all neighbours.
    pub nearest: ExampleLocation,
    /// How far apart they are, as a share of the median distance between images of that class.
    pub distance: f32,
}

/// How many neighbours must agree.
const NEIGHBOURS: usize = 5;
/// The share of labels that neighbours who agree must confirm to be believed.
const RELIABLE: f64 = 0.95;
/// The share of the median distance between images of a class within which the nearest one must be.
///
/// Of SIGNS with 20 labels changed, five are then listed, and one that is right; without it seven,
/// and six.
const NEAR: f32 = 0.5;
/// The most pairs of images whose sketches are compared: about a quarter of a minute of one core.
const MOST_PAIRS: usize = 1 << 25;

impl SuspectLabels {
    /// The share of labels that neighbours confirm who agree.
    pub fn reliability(&self) -> f64 {
        self.confirmed as f64 / self.agreed.max(1) as f64
    }

    /// Whether neighbours are right often enough to be believed.
    pub fn are_founded(&self) -> bool {
        self.agreed > 0 && self.reliability() >= RELIABLE
    }
}

/// Asks the training images around each image of `parts` for its class.
pub fn of(
    parts: &[InspectedPart],
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
        let around = index.neighbours(others, NEIGHBOURS, MOST_PAIRS / parts.len())?;
        suspect_labels.searched += around.len();
        for (item, neighbours) in around {
            let Some(nearest) = spokesman(train, &neighbours) else { continue };
            let (example, distance) = (part.location(item, classes), index.relative(nearest));
            let nearest = train.location(nearest.index, classes);
            let confirmed = example.class == nearest.class;
            suspect_labels.agreed += 1;
            suspect_labels.confirmed += usize::from(confirmed);
            if !confirmed && distance < NEAR {
                suspect_labels.listed.push(SuspectLabel { example, nearest, distance });
            }
        }
    }
    suspect_labels.listed.sort_by(|one, other| one.distance.total_cmp(&other.distance));
    if !suspect_labels.are_founded() {
        suspect_labels.listed.clear();
    }
    Ok(Some(suspect_labels))
}

/// The nearest neighbour, if there are enough and all are of its class.
fn spokesman(train: &InspectedPart, neighbours: &[Neighbour]) -> Option<Neighbour> {
    let label = |neighbour: &Neighbour| train.examples.labels.get(neighbour.index);
    let nearest = *neighbours.first()?;
    let agree = neighbours.iter().all(|neighbour| label(neighbour) == label(&nearest));
    (agree && neighbours.len() == NEIGHBOURS).then_some(nearest)
}
