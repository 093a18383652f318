//! What the drawn stand-ins share: random numbers, vectors, and the film in the camera.

mod film;
mod grid;
pub mod space;

use std::ops::Range;
use std::panic::resume_unwind;
use std::thread::{self, ScopedJoinHandle};

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;

use crate::Examples;
use crate::work::Work;
pub use film::develop;
pub use grid::Grid;

/// Pixels along one edge of an image.
pub const PIXELS: usize = 64;

/// Height, width and channels of an image.
pub const SHAPE: [usize; 3] = [PIXELS, PIXELS, 3];

/// The images at `items`: of the classes that `labels` has there, where `image` draws the pixels of
/// the one of a class at an index. On all processors, which changes nothing.
pub fn draw(
    items: Range<usize>,
    labels: impl Iterator<Item = u32>,
    image: impl Fn(u32, u64) -> Vec<u8> + Sync,
) -> Examples {
    let labels: Vec<u32> = labels.skip(items.start).take(items.len()).collect();
    let images: Vec<(u32, u64)> = labels.iter().copied().zip(items.start as u64..).collect();
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let (image, work) = (&image, &Work::begin("drawing images", images.len()));
    let parts: Vec<Vec<u8>> = thread::scope(|scope| {
        let parts = images.chunks(images.len().div_ceil(threads).max(1));
        let draw = |part: &[(u32, u64)]| {
            let drawn = |&(class, index): &(u32, u64)| {
                work.advance(1);
                image(class, index)
            };
            part.iter().flat_map(drawn).collect()
        };
        let threads: Vec<_> = parts.map(|part| scope.spawn(move || draw(part))).collect();
        let join = |thread: ScopedJoinHandle<'_, _>| {
            thread.join().unwrap_or_else(|panic| resume_unwind(panic))
        };
        threads.into_iter().map(join).collect()
    });
    Examples::images(SHAPE, parts.concat(), labels)
}

/// Labels without end, where every `N` in a row are those of `group` in an order of their own.
pub fn labels<const N: usize>(group: [u32; N], seed: u64) -> impl Iterator<Item = u32> {
    (0..).flat_map(move |number| {
        let mut group = group;
        group.shuffle(&mut stream(seed, u64::MAX - number));
        group
    })
}

/// The random numbers of one image or one group of labels.
pub fn stream(seed: u64, number: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(number);
    rng
}
