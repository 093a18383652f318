//! Batch norm of rows `[rows, channels]`, which is also how images lie in memory.

mod affine;
mod backward;
mod moments;
mod pooled;

pub use affine::Affine;
pub use backward::{Forward, Rectified};
pub use moments::Moments;
pub use pooled::Pooled;

use super::{Real, wide};

/// A piece of rows is some blocks of this many numbers, or of one row if that is longer: every
/// loop is over a whole block, however few channels there are.
const BLOCK: usize = 1024;
const BLOCKS: usize = 8;

/// The length of a block: a multiple of `channels`.
fn block(channels: usize) -> usize {
    channels * (BLOCK / channels).max(1)
}

/// Values of the channels, repeated to the length of a block.
fn tiled<T: Real>(values: impl Iterator<Item = T>, block: usize) -> Vec<T> {
    let values: Vec<T> = values.collect();
    values.iter().copied().cycle().take(block).collect()
}

/// The sum of each channel, of the sums of a block.
fn fold<T: Real>(sums: &[T], channels: usize) -> impl Iterator<Item = f64> {
    (0..channels)
        .map(move |channel| sums.iter().skip(channel).step_by(channels).map(|&sum| wide(sum)).sum())
}
