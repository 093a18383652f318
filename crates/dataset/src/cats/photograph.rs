use rand::{RngExt, rngs::ChaCha8Rng};

use super::backdrop::Backdrop;
use super::palette::Palette;
use super::part::Role;
use super::pose::Pose;
use super::shape::Point;
use super::subject::{Hit, Subject};
use crate::drawing::space::{Vector, add, scale, smooth_step};
use crate::drawing::{Grid, PIXELS, develop};

/// A picture of a subject, shape `[64, 64, 3]`, row-major.
pub fn photograph(subject: &Subject, rng: &mut ChaCha8Rng) -> Vec<u8> {
    let scene = Scene::draw(subject, rng);
    develop(&Grid::from_fn(|row, column| scene.pixel(row, column)), rng)
}

/// A subject before a background. The image reaches from -1 to 1, across and down.
struct Scene<'a> {
    subject: &'a Subject,
    /// Where the subject is in the image.
    view: Pose,
    palette: Palette,
    backdrop: Backdrop,
    /// From the subject to its shadow.
    shadow: Point,
    exposure: f32,
    /// Relative change of brightness a unit across and down.
    falloff: Point,
}

impl<'a> Scene<'a> {
    fn draw(subject: &'a Subject, rng: &mut ChaCha8Rng) -> Self {
        Self {
            subject,
            view: view(rng),
            palette: Palette::draw(subject.furry, rng),
            backdrop: Backdrop::draw(rng),
            shadow: [rng.random_range(-0.15..0.15), rng.random_range(0.02..0.12)],
            exposure: rng.random_range(0.78..1.18),
            falloff: [(); 2].map(|_| rng.random_range(-0.3..0.3)),
        }
    }

    /// The mean colour of four places.
    fn pixel(&self, row: usize, column: usize) -> Vector {
        let place = |pixel: usize, part: f32| (pixel as f32 + part) / (0.5 * PIXELS as f32) - 1.0;
        let colour = |[x, y]: Point| self.colour([place(column, x), place(row, y)]);
        let places = [[0.25, 0.25], [0.75, 0.25], [0.25, 0.75], [0.75, 0.75]];
        let sum = places.map(colour).into_iter().fold([0.0; 3], add);
        scale(sum, 0.25).map(|value| value.clamp(8.0, 246.0))
    }

    fn colour(&self, [x, y]: Point) -> Vector {
        let light = self.exposure * (1.0 + self.falloff[0] * x + self.falloff[1] * y);
        let inside = self.view.enter([x, y]);
        let colour = match self.subject.hit(inside) {
            Some(hit) => scale(self.palette.colour(hit.role, inside), shade(&hit)),
            None => self.background([x, y]),
        };
        scale(colour, light)
    }

    fn background(&self, [x, y]: Point) -> Vector {
        let caster = [x - self.shadow[0], y - self.shadow[1]];
        let shadow = self.subject.hit(self.view.enter(caster)).is_some();
        scale(self.backdrop.at([x, y]), if shadow { 0.72 } else { 1.0 })
    }
}

/// Large parts are round: darker towards their borders.
fn shade(hit: &Hit) -> f32 {
    match hit.role {
        Role::Coat | Role::Trim | Role::Leaf => 0.62 + 0.38 * smooth_step(0.0, 0.12, hit.depth),
        _ => 1.0,
    }
}

/// Large or small, upright or not, anywhere near the middle.
fn view(rng: &mut ChaCha8Rng) -> Pose {
    let centre = [(); 2].map(|_| rng.random_range(-0.13..0.13));
    let size = rng.random_range(0.78..1.02);
    let wide = size * rng.random_range(0.9..1.1);
    let across = if rng.random_bool(0.5) { wide } else { -wide };
    Pose::new(centre, [across, size], rng.random_range(-0.18..0.18))
}
