//! What the drawn stand-ins share: random numbers, vectors, and the film in the camera.

mod film;
pub mod space;

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;

use crate::Examples;
pub use film::develop;

/// Pixels along one edge of an image.
pub const PIXELS: usize = 64;

/// Height, width and channels of an image.
pub const SHAPE: [usize; 3] = [PIXELS, PIXELS, 3];

/// So many images: `label` draws the class of the image at an index, `image` its pixels.
pub fn draw(
    count: usize,
    label: impl Fn(u64) -> u32,
    image: impl Fn(u32, u64) -> Vec<u8>,
) -> Examples {
    let labels: Vec<u32> = (0..count as u64).map(label).collect();
    let mut pixels = Vec::with_capacity(count * SHAPE.iter().product::<usize>());
    for (&class, index) in labels.iter().zip(0..) {
        pixels.extend(image(class, index));
    }
    Examples::images(SHAPE, pixels, labels)
}

/// The label at `index`, where every `N` in a row are those of `group` in an order of their own.
pub fn label<const N: usize>(mut group: [u32; N], index: u64, seed: u64) -> u32 {
    let size = N as u64;
    group.shuffle(&mut stream(seed, u64::MAX - index / size));
    group[(index % size) as usize]
}

/// The random numbers of one image or one group of labels.
pub fn stream(seed: u64, number: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(number);
    rng
}
