//! Shared by all synthetic image sets: random streams, pixel grids and sensor noise.

use std::ops::Range;

use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;
use rand::{Rng, RngExt, SeedableRng};
use rayon::prelude::*;

use crate::Images;
use crate::vector::{Vector, add, scale};

/// Pixels along one edge of an image.
pub const PIXELS: usize = 64;

/// Height, width and channels of every image.
pub const SHAPE: [usize; 3] = [PIXELS, PIXELS, 3];

/// Renders the pixels of an image of a class.
type Render = fn(u32, &mut ChaCha8Rng) -> Vec<u8>;

/// Generates the images at `items` on all processors. Each run of `N` labels is a random permutation
/// of `label_group`.
pub fn generate<const N: usize>(
    items: Range<usize>,
    label_group: [u32; N],
    seed: u64,
    render: Render,
) -> Images {
    let labels = labels(&items, label_group, seed);
    let images = labels.par_iter().zip(items);
    let images = images.map(|(&label, index)| render(label, &mut stream(seed, index as u64)));
    Images { pixels: images.collect::<Vec<_>>().concat(), labels }
}

/// Returns the labels of the images at `items`.
fn labels<const N: usize>(items: &Range<usize>, group: [u32; N], seed: u64) -> Vec<u32> {
    let first_group = (items.start / N) as u64;
    let shuffled = (first_group..).flat_map(|number| {
        let mut group = group;
        group.shuffle(&mut stream(seed, u64::MAX - number));
        group
    });
    shuffled.skip(items.start % N).take(items.len()).collect()
}

/// Returns the random numbers of one image or of one group of labels.
pub fn stream(seed: u64, number: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(number);
    rng
}

/// Square of values with `EDGE` rows and columns, at least one.
pub struct Grid<T, const EDGE: usize> {
    /// Shape `[EDGE * EDGE]`, row-major.
    pub values: Vec<T>,
}

impl<T, const EDGE: usize> Grid<T, EDGE> {
    /// Calls `value` for each row and column, in row-major order.
    pub fn from_fn(mut value: impl FnMut(usize, usize) -> T) -> Self {
        let mut values = Vec::with_capacity(EDGE * EDGE);
        for row in 0..EDGE {
            values.extend((0..EDGE).map(|column| value(row, column)));
        }
        Self { values }
    }

    /// Returns the value at a row and a column, clamped to the grid.
    #[expect(clippy::indexing_slicing, reason = "the index is within the square")]
    pub fn at(&self, row: usize, column: usize) -> &T {
        &self.values[row.min(EDGE - 1) * EDGE + column.min(EDGE - 1)]
    }
}

/// Blurs an image slightly, adds noise and rounds to bytes.
pub fn expose(sharp: &Grid<Vector, PIXELS>, rng: &mut ChaCha8Rng) -> Vec<u8> {
    let softness = rng.random_range(0.02..0.14);
    let noise = rng.random_range(1.0..4.0);
    let soft = Grid::<_, PIXELS>::from_fn(|row, column| soften(sharp, row, column, softness));
    let values = soft.values.as_flattened().iter();
    values.map(|value| (value + noise * gaussian(rng) + 0.5) as u8).collect()
}

/// Mixes one pixel with its four neighbours; `share` is the weight of each neighbour.
fn soften(pixels: &Grid<Vector, PIXELS>, row: usize, column: usize, share: f32) -> Vector {
    let neighbours = [
        pixels.at(row.saturating_sub(1), column),
        pixels.at(row + 1, column),
        pixels.at(row, column.saturating_sub(1)),
        pixels.at(row, column + 1),
    ];
    let around = neighbours.into_iter().fold([0.0; 3], |sum, pixel| add(sum, *pixel));
    add(scale(*pixels.at(row, column), 1.0 - 4.0 * share), scale(around, share))
}

/// Approximately normal with standard deviation 1: the sum of the four bytes of a random word.
fn gaussian(rng: &mut impl Rng) -> f32 {
    let sum: u32 = rng.next_u32().to_le_bytes().into_iter().map(u32::from).sum();
    (sum as f32 - 510.0) / 147.8
}
