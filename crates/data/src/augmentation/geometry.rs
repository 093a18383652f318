//! Geometric changes as random affine maps of coordinates, and random rectangles.

use std::ops::Range;

use rand::{Rng, RngExt};

use super::spec::{Augmentation, RandomErasing, RandomResizedCrop};

/// Affine map from a point of the changed image to its origin in the source, `[x, y, 1]` to `[x', y']`,
/// both in pixels from the centre.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Affine {
    /// Coefficients of x'.
    pub x: [f64; 3],
    /// Coefficients of y'.
    pub y: [f64; 3],
}

impl Default for Affine {
    fn default() -> Self {
        Self::IDENTITY
    }
}

impl Affine {
    /// The identity.
    pub const IDENTITY: Self = Self { x: [1.0, 0.0, 0.0], y: [0.0, 1.0, 0.0] };

    /// Applies this change first and then `next`: points of the last image are mapped to the one before.
    pub fn then(self, next: Self) -> Self {
        let row = |[x, y, one]: [f64; 3]| {
            let through = |at: fn(&[f64; 3]) -> f64| x * at(&next.x) + y * at(&next.y);
            [through(|row| row[0]), through(|row| row[1]), through(|row| row[2]) + one]
        };
        Self { x: row(self.x), y: row(self.y) }
    }

    /// Horizontal flip.
    pub fn flip_horizontal() -> Self {
        Self { x: [-1.0, 0.0, 0.0], ..Self::IDENTITY }
    }

    /// Vertical flip.
    pub fn flip_vertical() -> Self {
        Self { y: [0.0, -1.0, 0.0], ..Self::IDENTITY }
    }

    /// Counter-clockwise rotation by `degrees`.
    pub fn rotate(degrees: f64) -> Self {
        // Rounded so that the cosine of 90 degrees is 0.
        let round = |value: f64| (value * 2_f64.powi(32)).round() / 2_f64.powi(32);
        let (sine, cosine) = degrees.to_radians().sin_cos();
        let (sine, cosine) = (round(sine), round(cosine));
        Self { x: [cosine, -sine, 0.0], y: [sine, cosine, 0.0] }
    }

    /// Magnification by `factor`.
    pub fn scale(factor: f64) -> Self {
        Self { x: [1.0 / factor, 0.0, 0.0], y: [0.0, 1.0 / factor, 0.0] }
    }

    /// Horizontal shear about the top left corner of an image of `height`: the content of a row moves to
    /// the left by `factor` times its distance from the top.
    pub fn shear_x(factor: f64, height: usize) -> Self {
        Self { x: [1.0, factor, factor * height as f64 / 2.0], ..Self::IDENTITY }
    }

    /// Vertical shear about the top left corner of an image of `width`.
    pub fn shear_y(factor: f64, width: usize) -> Self {
        Self { y: [factor, 1.0, factor * width as f64 / 2.0], ..Self::IDENTITY }
    }

    /// Magnification of `part` to an image of `height` and `width`.
    pub fn crop([height, width]: [usize; 2], part: &Region) -> Self {
        let [height, width] = [height, width].map(|side| side as f64);
        let middle = |range: &Range<usize>| (range.start + range.end) as f64 / 2.0;
        Self {
            x: [part.columns.len() as f64 / width, 0.0, middle(&part.columns) - width / 2.0],
            y: [0.0, part.rows.len() as f64 / height, middle(&part.rows) - height / 2.0],
        }
    }

    /// Translation by a number of pixels to the right and down.
    pub fn translate(right: f64, down: f64) -> Self {
        Self { x: [1.0, 0.0, -right], y: [0.0, 1.0, -down] }
    }
}

/// Rectangle of an image, in pixels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// Rows.
    pub rows: Range<usize>,
    /// Columns.
    pub columns: Range<usize>,
}

/// Number of rectangles that are tried.
const ATTEMPTS: usize = 10;

impl Region {
    /// Samples a rectangle whose fraction of the image is uniform in `area` and whose width, divided by
    /// its height, is log-uniform in `aspect`; `None` if the first ten are larger than `most`, a height
    /// and a width. This is the algorithm of torchvision.
    pub fn sample(
        [height, width]: [usize; 2],
        most: [usize; 2],
        area: [f64; 2],
        aspect: [f64; 2],
        rng: &mut impl Rng,
    ) -> Option<Self> {
        let [narrowest, widest] = aspect.map(f64::ln);
        (0..ATTEMPTS).find_map(|_| {
            let area = (height * width) as f64 * rng.random_range(area[0]..=area[1]);
            let aspect = rng.random_range(narrowest..=widest).exp();
            let sides = [(area / aspect).sqrt(), (area * aspect).sqrt()];
            let [high, wide] = sides.map(|side| side.round() as usize);
            ((1..=most[0]).contains(&high) && (1..=most[1]).contains(&wide)).then(|| {
                let top = rng.random_range(0..=height - high);
                let left = rng.random_range(0..=width - wide);
                Self { rows: top..top + high, columns: left..left + wide }
            })
        })
    }

    /// The largest rectangle at the centre whose aspect is in `aspect`.
    pub fn centre([height, width]: [usize; 2], [narrowest, widest]: [f64; 2]) -> Self {
        let aspect = width as f64 / height as f64;
        let [high, wide] = match aspect {
            _ if aspect < narrowest => [(width as f64 / narrowest).round() as usize, width],
            _ if aspect > widest => [height, (height as f64 * widest).round() as usize],
            _ => [height, width],
        };
        let (top, left) = ((height - high) / 2, (width - wide) / 2);
        Self { rows: top..top + high, columns: left..left + wide }
    }

    /// A rectangle of height and width `sides` whose centre is random in an image of `size`, cut off at its
    /// edges.
    pub fn around_random_point(sides: [usize; 2], size: [usize; 2], rng: &mut impl Rng) -> Self {
        let mut range = |side: usize, size: usize| {
            let first = rng.random_range(0..size.max(1)) as i64 - (side / 2) as i64;
            first.max(0) as usize..(first + side as i64).clamp(0, size as i64) as usize
        };
        Self { rows: range(sides[0], size[0]), columns: range(sides[1], size[1]) }
    }
}

impl RandomResizedCrop {
    /// Samples the part of an image of `size`, height and width.
    pub fn region(self, size: [usize; 2], rng: &mut impl Rng) -> Region {
        let region = Region::sample(size, size, self.area, self.aspect, rng);
        region.unwrap_or_else(|| Region::centre(size, self.aspect))
    }
}

impl RandomErasing {
    /// Samples the rectangle of an image of `size`, height and width, smaller than it on both sides.
    pub fn region(self, [height, width]: [usize; 2], rng: &mut impl Rng) -> Option<Region> {
        let most = [width, height].map(|side| side.saturating_sub(1));
        let erased = rng.random_bool(self.probability);
        let sampled = || Region::sample([width, height], most, self.area, self.aspect, rng);
        // The aspect is height by width: a rectangle of the transposed image.
        let Region { rows, columns } = erased.then(sampled)??;
        Some(Region { rows: columns, columns: rows })
    }
}

impl Augmentation {
    /// Samples the map for an image of `size`, height and width; `None` if this is not a geometric change.
    pub fn map(self, size @ [height, width]: [usize; 2], rng: &mut impl Rng) -> Option<Affine> {
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
            Self::RandomResizedCrop(crop) => Affine::crop(size, &crop.region(size, rng)),
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
