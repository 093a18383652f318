//! What the drawn stand-ins share: random numbers, vectors, and the film in the camera.

mod film;
pub mod space;

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

pub use film::develop;

/// Pixels along one edge of an image.
pub const PIXELS: usize = 64;

/// Height, width and channels of an image.
pub const SHAPE: [usize; 3] = [PIXELS, PIXELS, 3];

/// The random numbers of one image or one group of labels.
pub fn stream(seed: u64, number: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(number);
    rng
}
