//! Synthetic SIGNS: hands that show the digits 0 to 5 with their fingers.
//!
//! A gesture bends the joints of a hand made of swept spheres, a camera rotates, scales and mirrors
//! it, and the resulting relief is lit in front of a plain wall.

mod anatomy;
mod gesture;
mod relief;
mod render;
mod scene;

use std::ops::Range;

use rand::{RngExt, rngs::ChaCha8Rng};

use crate::vector::{Vector, rotate};
use crate::{Images, rendering};
use anatomy::{Bone, bones};
use gesture::Gesture;
use relief::{Relief, relief};
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
    relief(&bones)
}

/// Position, orientation and scale of the hand in the image.
struct Camera {
    /// Rotation about the line of sight, radians.
    roll: f32,
    /// Rotations about the horizontal and the vertical axis, radians.
    tilt: [f32; 2],
    /// Pixels per palm length.
    scale: f32,
    mirrored: bool,
    /// Pixel position of the centre of the hand.
    centre: [f32; 2],
}

impl Camera {
    /// Samples a view of the whole hand, within 20 degrees of upright.
    fn random(rng: &mut ChaCha8Rng) -> Self {
        Self {
            roll: rng.random_range(-0.35..0.35),
            tilt: [rng.random_range(-0.3..0.25), rng.random_range(-0.3..0.3)],
            scale: rng.random_range(19.0..25.0),
            mirrored: rng.random_bool(0.5),
            centre: [rng.random_range(30.0..34.0), rng.random_range(31.0..35.0)],
        }
    }

    /// Transforms a bone to the image's frame: pixels, y down.
    fn project(&self, bone: Bone) -> Bone {
        Bone {
            ends: bone.ends.map(|end| self.point(end)),
            radii: bone.radii.map(|radius| radius * self.scale),
            blend: bone.blend * self.scale,
            ..bone
        }
    }

    fn point(&self, point: Vector) -> Vector {
        let [x, y, z] = point;
        let [x, y] = [if self.mirrored { -x } else { x }, y - HAND_CENTRE];
        let [y, z] = rotate([y, z], self.tilt[0]);
        let [x, z] = rotate([x, z], self.tilt[1]);
        let [x, y] = rotate([x, y], self.roll);
        let [x, y, z] = [x, y, z].map(|value| value * self.scale);
        [self.centre[0] + x, self.centre[1] - y, z]
    }
}

/// Distance from the wrist to the point the camera looks at, in palm lengths.
const HAND_CENTRE: f32 = 0.8;

#[cfg(test)]
mod tests;
