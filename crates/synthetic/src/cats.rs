//! Synthetic cat / non-cat: an animal or an object made of simple shapes.
//!
//! Both classes share colours, poses, lighting and backgrounds; only the shapes differ.

mod shapes;

use std::f32::consts::TAU;
use std::ops::Range;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, seq::IndexedRandom};

use crate::rendering::{Grid, PIXELS, expose};
use crate::vector::{Vector, add, mix, rotate, scale};
use crate::{Images, rendering};
use shapes::{CAT, HOUSE, OTHERS, Paint, Part, Point};

/// Class names.
pub const CLASSES: [&str; 2] = ["non-cat", "cat"];

/// Generates the images at `items`, two in five of them cats as in the course's data set.
///
/// Image `i` and its label depend on `seed` and `i` alone.
pub fn generate(items: Range<usize>, seed: u64) -> Images {
    rendering::generate(items, [0, 0, 0, 1, 1], seed, image)
}

/// Shape `[64, 64, 3]`, row-major.
fn image(class: u32, rng: &mut ChaCha8Rng) -> Vec<u8> {
    let parts = if class == 1 { CAT } else { OTHERS.choose(rng).unwrap_or(&HOUSE) };
    let scene = Scene::random(parts, rng);
    expose(&Grid::from_fn(|row, column| scene.pixel(row, column)), rng)
}

/// A subject in front of a background. The image spans -1 to 1, across and down.
struct Scene {
    /// From back to front.
    parts: &'static [Part],
    /// Position of the subject's origin in the image.
    centre: Point,
    /// Subject units per image unit, across and down.
    scale: Point,
    /// Radians.
    rotation: f32,
    coat: Texture,
    wall: Texture,
    floor: Texture,
    /// Height at which the floor begins; it may lie outside the image.
    horizon: f32,
    exposure: f32,
    /// Relative change of brightness per unit, across and down.
    falloff: Point,
}

impl Scene {
    fn random(parts: &'static [Part], rng: &mut ChaCha8Rng) -> Self {
        let size = rng.random_range(1.2..2.2);
        Self {
            parts,
            centre: [(); 2].map(|()| rng.random_range(-0.22..0.22)),
            scale: [size * rng.random_range(0.9..1.1), size],
            rotation: rng.random_range(-0.3..0.3),
            coat: Texture::random(rng),
            wall: Texture::random(rng),
            floor: Texture::random(rng),
            horizon: rng.random_range(-0.4..1.4),
            exposure: rng.random_range(0.75..1.15),
            falloff: [(); 2].map(|()| rng.random_range(-0.3..0.3)),
        }
    }

    /// Mean colour of four samples.
    fn pixel(&self, row: usize, column: usize) -> Vector {
        let samples = [[0.25, 0.25], [0.75, 0.25], [0.25, 0.75], [0.75, 0.75]];
        let sum = samples.into_iter().fold([0.0; 3], |sum, [x, y]| {
            let position = [column as f32 + x, row as f32 + y];
            add(sum, self.colour(position.map(|value| 2.0 * value / PIXELS as f32 - 1.0)))
        });
        scale(sum, 0.25).map(|value| value.clamp(8.0, 246.0))
    }

    fn colour(&self, [x, y]: Point) -> Vector {
        let offset = rotate([x - self.centre[0], y - self.centre[1]], self.rotation);
        let point = [offset[0] * self.scale[0], offset[1] * self.scale[1]];
        let paint = self.parts.iter().rfind(|(_, shape)| shape.contains(point)).map(|part| part.0);
        let colour = match paint {
            Some(Paint::Coat) => self.coat.at(point),
            Some(Paint::Shaded) => scale(self.coat.at(point), 0.65),
            Some(Paint::Light) => mix(self.coat.at(point), [236.0, 234.0, 228.0], 0.6),
            Some(Paint::Pink) => [206.0, 142.0, 134.0],
            Some(Paint::Eye) => [190.0, 196.0, 88.0],
            Some(Paint::Dark) => [26.0, 24.0, 26.0],
            None if y > self.horizon => self.floor.at([x, y]),
            None => self.wall.at([x, y]),
        };
        scale(colour, self.exposure * (1.0 + self.falloff[0] * x + self.falloff[1] * y))
    }
}

/// Soft stripes of two colours.
struct Texture {
    colours: [Vector; 2],
    /// Wave vector, radians per unit.
    wave: Point,
    phase: f32,
}

impl Texture {
    fn random(rng: &mut ChaCha8Rng) -> Self {
        let first = colour(rng);
        let second = mix(first, colour(rng), rng.random_range(0.0..0.7));
        let wave = rotate([rng.random_range(2.0..14.0), 0.0], rng.random_range(0.0..TAU));
        Self { colours: [first, second], wave, phase: rng.random_range(0.0..TAU) }
    }

    fn at(&self, [x, y]: Point) -> Vector {
        let [first, second] = self.colours;
        let height = (self.wave[0] * x + self.wave[1] * y + self.phase).sin();
        mix(first, second, 0.5 + 0.5 * height)
    }
}

/// Any colour, red, green and blue in 0..=255, on average as warm as fur.
fn colour(rng: &mut ChaCha8Rng) -> Vector {
    [1.15, 1.0, 0.88].map(|warmth| warmth * rng.random_range(30.0..205.0))
}

#[cfg(test)]
mod tests;
