use rand::{Rng, RngExt, rngs::ChaCha8Rng};

use super::PIXELS;
use super::space::{Vector, add, scale};

/// What a camera makes of `sharp`, shape `[64 * 64]`: a little soft and noisy.
pub fn develop(sharp: &[Vector], rng: &mut ChaCha8Rng) -> Vec<u8> {
    let softness = rng.random_range(0.02..0.14);
    let noise = rng.random_range(1.0..4.0);
    let soft = (0..sharp.len()).map(|i| soften(sharp, i, softness));
    soft.flatten().map(|value| (value + noise * gaussian(rng) + 0.5) as u8).collect()
}

/// One pixel mixed with its four neighbours; `share` is what each of them contributes.
fn soften(pixels: &[Vector], index: usize, share: f32) -> Vector {
    let [row, column] = [index / PIXELS, index % PIXELS];
    let last = PIXELS - 1;
    let neighbours = [
        row.saturating_sub(1) * PIXELS + column,
        (row + 1).min(last) * PIXELS + column,
        row * PIXELS + column.saturating_sub(1),
        row * PIXELS + (column + 1).min(last),
    ];
    let around = neighbours.iter().fold([0.0; 3], |sum, &i| add(sum, pixels[i]));
    add(scale(pixels[index], 1.0 - 4.0 * share), scale(around, share))
}

/// Nearly normal with standard deviation 1: the sum of the four bytes of one random word.
fn gaussian(rng: &mut impl Rng) -> f32 {
    let sum: u32 = rng.next_u32().to_le_bytes().into_iter().map(u32::from).sum();
    (sum as f32 - 510.0) / 147.8
}
