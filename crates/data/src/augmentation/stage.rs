use rand::Rng;

use super::canvas::Canvas;
use super::crop_and_erase::RandomErasing;
use super::operation::Operation;
use super::spec::Augmentation;
use crate::pixel::Pixel;

/// Changes of an image that are applied at once.
#[derive(Debug)]
pub enum Stage {
    /// Geometric change; consecutive ones are a single resampling.
    Geometry(Augmentation),
    /// Colour changes, composed; pixels are clamped at the end.
    Colour(Vec<Augmentation>),
    /// One operation of random magnitude.
    TrivialAugment,
    /// Filled square with this side.
    Cutout(usize),
    /// Filled rectangle.
    Erasing(RandomErasing),
}

impl Stage {
    /// Stages of `list` in order; mixing is not one of them.
    pub fn all(list: &[Augmentation]) -> Vec<Self> {
        let alike = list.chunk_by(|one, next| one.is_colour() && next.is_colour());
        alike.filter_map(Self::of).collect()
    }

    /// Stage of a single change or of several colour changes.
    fn of(changes: &[Augmentation]) -> Option<Self> {
        Some(match *changes.first()? {
            first if first.is_colour() => Self::Colour(changes.to_vec()),
            Augmentation::TrivialAugment => Self::TrivialAugment,
            Augmentation::Cutout(side) => Self::Cutout(side),
            Augmentation::RandomErasing(erasing) => Self::Erasing(erasing),
            Augmentation::Mixup(_) | Augmentation::Cutmix(_) => return None,
            geometric => Self::Geometry(geometric),
        })
    }

    /// Samples the parameters of these changes and applies them to `canvas`. Cut parts have the colour
    /// `mean`.
    pub fn apply(&self, canvas: &mut Canvas, mean: Pixel, rng: &mut impl Rng) {
        match self {
            Self::Geometry(change) => {
                if let Some(map) = change.map(canvas.size, rng) {
                    canvas.transform(map);
                }
            }
            Self::Colour(changes) => canvas.tint(changes, rng),
            Self::TrivialAugment => Operation::sample(canvas.size, rng).apply(canvas),
            Self::Cutout(side) => canvas.cut(*side, mean, rng),
            Self::Erasing(erasing) => {
                if let Some(region) = erasing.region(canvas.size, rng) {
                    canvas.fill(&region, mean);
                }
            }
        }
    }
}
