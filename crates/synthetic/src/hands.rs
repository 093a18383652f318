//! Synthetic SIGNS: hands that show the digits 0 to 5 with their fingers.
//!
//! A gesture bends the joints of a hand made of swept spheres, a camera rotates, scales and mirrors
//! it, and the resulting relief is lit in front of a plain wall.

mod anatomy;
mod blur;
mod camera;
mod gesture;
mod relief;
mod render;
mod scene;

use std::ops::Range;

use rand::rngs::ChaCha8Rng;

use crate::{Images, rendering};
use anatomy::bones;
use camera::Camera;
use gesture::Gesture;
use relief::Relief;
use scene::Scene;

/// Class names: class `k` shows `k` raised fingers.
pub const CLASSES: [&str; 6] = ["0", "1", "2", "3", "4", "5"];

/// Generates the images at `items`.
///
/// Image `i` and its label depend on `seed` and `i` alone. In the first `n` images of a seed the
/// class sizes differ by at most one.
pub fn generate(items: Range<usize>, seed: u64) -> Images {
    rendering::generate(items, [0, 1, 2, 3, 4, 5], seed, image)
}

/// Shape `[64, 64, 3]`, row-major.
fn image(digit: u32, rng: &mut ChaCha8Rng) -> Vec<u8> {
    let relief = hand(digit, rng);
    let scene = Scene::random(rng);
    render::render(&relief, &scene, rng)
}

/// Returns the visible surface of a hand that shows `digit`.
fn hand(digit: u32, rng: &mut ChaCha8Rng) -> Relief {
    let gesture = Gesture::random(digit, rng);
    let camera = Camera::random(rng);
    let bones: Vec<_> = bones(&gesture).into_iter().map(|bone| camera.project(bone)).collect();
    Relief::new(&bones)
}

#[cfg(test)]
mod tests;
