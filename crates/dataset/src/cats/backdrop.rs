use rand::{RngExt, rngs::ChaCha8Rng, seq::IndexedRandom};

use super::material::Material;
use super::palette::paint;
use super::shape::Point;
use crate::drawing::space::{Vector, mix};

/// What is behind a subject: a wall, and a floor that may be out of sight.
pub struct Backdrop {
    wall: Material,
    floor: Material,
    /// Where the floor begins in the middle of the image, and its slope.
    horizon: [f32; 2],
}

/// Walls and floors, out of doors and in.
const PLACES: [[Vector; 2]; 6] = [
    [[150.0, 186.0, 220.0], [96.0, 138.0, 70.0]],
    [[206.0, 198.0, 180.0], [140.0, 98.0, 66.0]],
    [[62.0, 88.0, 54.0], [104.0, 124.0, 72.0]],
    [[116.0, 122.0, 134.0], [186.0, 172.0, 146.0]],
    [[54.0, 50.0, 56.0], [150.0, 66.0, 56.0]],
    [[190.0, 150.0, 110.0], [72.0, 92.0, 130.0]],
];

impl Backdrop {
    pub fn draw(rng: &mut ChaCha8Rng) -> Self {
        let [wall, floor] = *PLACES.choose(rng).unwrap_or(&PLACES[0]);
        Self {
            wall: surface(wall, rng),
            floor: surface(floor, rng),
            horizon: [rng.random_range(-0.4..1.4), rng.random_range(-0.25..0.25)],
        }
    }

    /// The colour at a point of the image.
    pub fn at(&self, point: Point) -> Vector {
        let [start, slope] = self.horizon;
        let below = point[1] > start + slope * point[0];
        if below { self.floor.at(point) } else { self.wall.at(point) }
    }
}

/// Of about the colour that is usual there.
fn surface(usual: Vector, rng: &mut ChaCha8Rng) -> Material {
    let first = mix(usual, paint(rng), rng.random_range(0.0..0.7));
    let second = mix(first, paint(rng), rng.random_range(0.0..0.5));
    Material::draw([first, second], rng)
}
