use rand::{Rng, RngExt, rngs::ChaCha8Rng};

use super::vector::{Vector, add, scale};
use super::{Grid, PIXELS};

/// Blurs an image slightly, adds noise and rounds to bytes.
pub fn expose(sharp: &Grid<Vector, PIXELS>, rng: &mut ChaCha8Rng) -> Vec<u8> {
    let softness = rng.random_range(0.02..0.14);
    let noise = rng.random_range(1.0..4.0);
    let soft = Grid::<_, PIXELS>::from_fn(|row, column| soften(sharp, row, column, softness));
    let values = soft.values().as_flattened().iter();
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
