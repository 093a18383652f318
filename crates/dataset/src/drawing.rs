//! What the drawn stand-ins share: random numbers, vectors, and the film in the camera.

mod film;
mod grid;
pub mod space;

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;

use crate::Examples;
pub use film::develop;
pub use grid::Grid;

/// Pixels along one edge of an image.
pub const PIXELS: usize = 64;

/// Height, width and channels of an image.
pub const SHAPE: [usize; 3] = [PIXELS, PIXELS, 3];

/// So many images: of the classes that `labels` begins with, where `image` draws the pixels of the
/// one of a class at an index.
pub fn draw(
    count: usize,
    labels: impl Iterator<Item = u32>,
    image: impl Fn(u32, u64) -> Vec<u8>,
) -> Examples {
    let labels: Vec<u32> = labels.take(count).collect();
    let mut pixels = Vec::with_capacity(count * SHAPE.iter().product::<usize>());
    for (&class, index) in labels.iter().zip(0..) {
        pixels.extend(image(class, index));
    }
    Examples::images(SHAPE, pixels, labels)
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
