//! Shared by all synthetic image sets: random streams, vectors, pixel grids and sensor noise.

mod grid;
mod sensor;
pub mod vector;

use std::ops::Range;
use std::panic::resume_unwind;
use std::thread;

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;

use crate::Images;
pub use grid::Grid;
pub use sensor::expose;

/// Pixels along one edge of an image.
pub const PIXELS: usize = 64;

/// Height, width and channels of every image.
pub const SHAPE: [usize; 3] = [PIXELS, PIXELS, 3];

/// Bytes of an image.
#[cfg(test)]
pub const IMAGE_LEN: usize = PIXELS * PIXELS * 3;

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
    let images: Vec<(u32, u64)> = labels.iter().copied().zip(items.start as u64..).collect();
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let chunks = images.chunks(images.len().div_ceil(threads).max(1));
    let pixels = thread::scope(|scope| {
        let threads: Vec<_> =
            chunks.map(|chunk| scope.spawn(move || render_chunk(chunk, seed, render))).collect();
        let chunks = threads.into_iter().map(|thread| thread.join());
        chunks.flat_map(|pixels| pixels.unwrap_or_else(|panic| resume_unwind(panic))).collect()
    });
    Images { pixels, labels }
}

/// Renders images given by label and index.
fn render_chunk(images: &[(u32, u64)], seed: u64, render: Render) -> Vec<u8> {
    images.iter().flat_map(|&(label, index)| render(label, &mut stream(seed, index))).collect()
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
