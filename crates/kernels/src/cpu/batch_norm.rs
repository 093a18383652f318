//! Batch norm of rows `[rows, channels]`, the memory layout of channels-last images.

mod backward;
mod moments;
mod normalize;
mod with_max_pool;

pub use backward::{BackwardPass, Rectified};
pub use moments::Moments;
pub use normalize::Normalize;
pub use with_max_pool::PooledBackwardPass;

use super::{SimdFloat, to_f64};

/// Length of a block in values (one row if that is longer), and number of blocks per parallel
/// piece. Inner loops run over a whole block, so that they vectorise for any number of channels.
const BLOCK_LEN: usize = 1024;
const BLOCKS_PER_PIECE: usize = 8;

/// Returns the length of a block: a multiple of `channels`.
fn block_len(channels: usize) -> usize {
    channels * (BLOCK_LEN / channels).max(1)
}

/// Repeats per-channel values to the length of a block.
fn tiled<T: SimdFloat>(values: impl Iterator<Item = T>, block: usize) -> Vec<T> {
    let values: Vec<T> = values.collect();
    values.iter().copied().cycle().take(block).collect()
}

/// Reduces the sums of a block to one sum per channel.
fn fold_channels<T: SimdFloat>(sums: &[T], channels: usize) -> impl Iterator<Item = f64> {
    (0..channels).map(move |channel| {
        sums.iter().skip(channel).step_by(channels).map(|&sum| to_f64(sum)).sum()
    })
}
