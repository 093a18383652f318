use rand::{RngExt, rngs::ChaCha8Rng};

use super::shape::Point;
use crate::drawing::space::{Vector, mix, smooth_step};

/// A surface of two colours, which meet in stripes or blotches.
#[derive(Clone, Copy)]
pub struct Material {
    /// Red, green and blue, 0 to 255.
    pub colours: [Vector; 2],
    waves: [Wave; 4],
    /// The height of the waves from which on the second colour shows.
    level: f32,
}

/// Radians a unit across and down, and radians at the origin.
type Wave = [f32; 3];

impl Material {
    /// Stripes, blotches or, with equal colours, nothing of it.
    pub fn draw(colours: [Vector; 2], rng: &mut ChaCha8Rng) -> Self {
        let course = rng.random_range(0.0..std::f32::consts::TAU);
        let spread = if rng.random_bool(0.4) { 0.25 } else { 3.0 };
        let number = rng.random_range(4.0..14.0);
        let wave = |_| {
            let turn: f32 = course + rng.random_range(-spread..spread);
            let number = number * rng.random_range(0.7..1.3);
            [number * turn.cos(), number * turn.sin(), rng.random_range(0.0..7.0)]
        };
        Self { colours, waves: [(); 4].map(wave), level: rng.random_range(-0.3..0.8) }
    }

    /// The colour at a point.
    pub fn at(&self, [x, y]: Point) -> Vector {
        let height: f32 = self.waves.iter().map(|[kx, ky, at]| (kx * x + ky * y + at).sin()).sum();
        mix(self.colours[0], self.colours[1], smooth_step(-0.4, 0.4, height - self.level))
    }
}
