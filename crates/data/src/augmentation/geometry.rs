//! Geometric changes as random affine maps of coordinates.

use rand::{Rng, RngExt};

use super::affine::Affine;
use super::spec::Augmentation;

impl Augmentation {
    /// Samples the map for an image of `height` and `width`; `None` if this is not a geometric change.
    pub fn map(self, [height, width]: [usize; 2], rng: &mut impl Rng) -> Option<Affine> {
        let mut either_way = |most: f64| rng.random_range(-most..=most);
        Some(match self {
            Self::Rotate(degrees) => Affine::rotate(either_way(degrees)),
            Self::Translate(share) => {
                let right = either_way(share) * width as f64;
                Affine::translate(right, either_way(share) * height as f64)
            }
            Self::Scale([least, most]) => Affine::scale(rng.random_range(least..=most)),
            Self::Crop(padding) => {
                let most = i64::try_from(padding).unwrap_or(i64::MAX);
                let mut pixels = || rng.random_range(-most..=most) as f64;
                let right = pixels();
                Affine::translate(right, pixels())
            }
            Self::RandomResizedCrop(crop) => {
                let size = [height, width];
                Affine::crop(size, &crop.region(size, rng))
            }
            Self::FlipHorizontal => maybe(Affine::flip_horizontal(), rng),
            Self::FlipVertical => maybe(Affine::flip_vertical(), rng),
            _ => return None,
        })
    }
}

/// Returns `flip` with probability 1/2, otherwise the identity.
fn maybe(flip: Affine, rng: &mut impl Rng) -> Affine {
    if rng.random() { flip } else { Affine::IDENTITY }
}
