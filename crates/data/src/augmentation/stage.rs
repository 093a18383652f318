use rand::Rng;

use super::affine::Affine;
use super::canvas::Canvas;
use super::spec::Augmentation;
use crate::pixel::Pixel;

/// Changes of an image that are applied at once.
#[derive(Debug)]
pub enum Stage {
    /// Geometric changes, composed into a single resampling.
    Geometry(Vec<Augmentation>),
    /// Colour changes, composed; pixels are clamped at the end.
    Colour(Vec<Augmentation>),
    /// Filled square with this side.
    Cutout(usize),
}

impl Stage {
    /// Stages of `list` in order; mixing is not one of them.
    pub fn all(list: &[Augmentation]) -> Vec<Self> {
        let kind = |one: &Augmentation| (one.is_geometric(), one.is_colour());
        let alike = list.chunk_by(|one, next| kind(one) == kind(next));
        alike.flat_map(Self::of).collect()
    }

    /// Stages of changes of one kind.
    fn of(changes: &[Augmentation]) -> Vec<Self> {
        match changes.first() {
            Some(first) if first.is_geometric() => vec![Self::Geometry(changes.to_vec())],
            Some(first) if first.is_colour() => vec![Self::Colour(changes.to_vec())],
            _ => {
                let side = |change: &Augmentation| match change {
                    Augmentation::Cutout(side) => Some(Self::Cutout(*side)),
                    _ => None,
                };
                changes.iter().filter_map(side).collect()
            }
        }
    }

    /// Samples the parameters of these changes and applies them to `canvas`.
    pub fn apply(&self, canvas: &mut Canvas, mean: Pixel, rng: &mut impl Rng) {
        match self {
            Self::Geometry(changes) => {
                let maps = changes.iter().filter_map(|change| change.map(canvas.size, rng));
                let map = maps.fold(Affine::IDENTITY, Affine::then);
                canvas.resample(map);
            }
            Self::Colour(changes) => canvas.tint(changes, rng),
            Self::Cutout(side) => canvas.cut(*side, mean, rng),
        }
    }
}
