use serde::Serialize;

use super::{InspectedPart, Place};
use crate::error::DatasetError;
use crate::twins::{Album, Neighbour};

/// What the nearest training images say of the labels.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Doubts {
    /// How many images were asked for.
    pub searched: usize,
    /// For how many of them all neighbours agree.
    pub agreed: usize,
    /// For how many of these they agree on the label.
    pub confirmed: usize,
    /// The images whose neighbours agree on another class and are near, those with the nearest
    /// first; none where neighbours are wrong too often to be believed.
    pub listed: Vec<Doubt>,
}

/// An image whose neighbours are of another class.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Doubt {
    /// The image.
    pub example: Place,
    /// The nearest one, whose class is that of all neighbours.
    pub nearest: Place,
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

impl Doubts {
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
    albums: &[Option<Album>],
    classes: &[String],
) -> Result<Option<Doubts>, DatasetError> {
    let Some((train, Some(album))) = parts.first().zip(albums.first()) else { return Ok(None) };
    if train.name != "train" {
        return Ok(None);
    }
    let mut doubts = Doubts { searched: 0, agreed: 0, confirmed: 0, listed: Vec::new() };
    for (part, others) in parts.iter().zip(albums.iter().flatten()) {
        let around = album.neighbours(others, NEIGHBOURS, MOST_PAIRS / parts.len())?;
        doubts.searched += around.len();
        for (item, neighbours) in around {
            let Some(nearest) = spokesman(train, &neighbours) else { continue };
            let (example, distance) = (part.place(item, classes), album.relative(nearest));
            let nearest = train.place(nearest.index, classes);
            let confirmed = example.class == nearest.class;
            doubts.agreed += 1;
            doubts.confirmed += usize::from(confirmed);
            if !confirmed && distance < NEAR {
                doubts.listed.push(Doubt { example, nearest, distance });
            }
        }
    }
    doubts.listed.sort_by(|one, other| one.distance.total_cmp(&other.distance));
    if !doubts.are_founded() {
        doubts.listed.clear();
    }
    Ok(Some(doubts))
}

/// The nearest neighbour, if there are enough and all are of its class.
fn spokesman(train: &InspectedPart, neighbours: &[Neighbour]) -> Option<Neighbour> {
    let label = |neighbour: &Neighbour| train.examples.labels.get(neighbour.index);
    let nearest = *neighbours.first()?;
    let agree = neighbours.iter().all(|neighbour| label(neighbour) == label(&nearest));
    (agree && neighbours.len() == NEIGHBOURS).then_some(nearest)
}
