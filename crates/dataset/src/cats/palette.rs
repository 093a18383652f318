use rand::{RngExt, rngs::ChaCha8Rng, seq::IndexedRandom};

use super::material::Material;
use super::part::Role;
use super::shape::Point;
use crate::drawing::space::{Vector, mix, scale};

/// The colours of one subject: red, green and blue, 0 to 255.
pub struct Palette {
    coat: Material,
    trim: Material,
    pale: Vector,
    pink: Vector,
    eye: Vector,
    leaf: Vector,
    wood: Vector,
}

impl Palette {
    /// Fur, or paint of any colour.
    pub fn draw(furry: bool, rng: &mut ChaCha8Rng) -> Self {
        let first = if furry { fur(rng) } else { paint(rng) };
        let second = match rng.random_range(0..3) {
            0 => first,
            1 => scale(first, 0.55),
            _ => fur(rng),
        };
        let coat = Material::draw([first, second], rng);
        Self {
            coat,
            trim: trim(coat, furry, rng),
            pale: mix(first, WHITE, rng.random_range(0.15..1.0)),
            pink: vary([212.0, 146.0, 138.0], rng),
            eye: vary(*EYES.choose(rng).unwrap_or(&EYES[0]), rng),
            leaf: vary([78.0, 128.0, 62.0], rng),
            wood: vary([112.0, 82.0, 58.0], rng),
        }
    }

    /// The colour of a part at a point of the subject.
    pub fn colour(&self, role: Role, point: Point) -> Vector {
        match role {
            Role::Coat => self.coat.at(point),
            Role::Trim => self.trim.at(point),
            Role::Pale => self.pale,
            Role::Pink => self.pink,
            Role::Eye => self.eye,
            Role::Dark => [26.0, 24.0, 26.0],
            Role::White => WHITE,
            Role::Leaf => self.leaf,
            Role::Wood => self.wood,
        }
    }
}

const WHITE: Vector = [236.0, 234.0, 228.0];

const FURS: [Vector; 8] = [
    [44.0, 42.0, 44.0],
    [92.0, 94.0, 102.0],
    [138.0, 134.0, 132.0],
    [228.0, 222.0, 214.0],
    [216.0, 186.0, 148.0],
    [206.0, 130.0, 64.0],
    [168.0, 130.0, 94.0],
    [108.0, 78.0, 58.0],
];

/// Green, yellow, amber and blue.
const EYES: [Vector; 4] =
    [[150.0, 190.0, 90.0], [222.0, 200.0, 84.0], [214.0, 150.0, 60.0], [120.0, 180.0, 216.0]];

/// Any colour, neither dark nor bright, and on average as warm as fur is.
pub fn paint(rng: &mut ChaCha8Rng) -> Vector {
    [1.18, 1.0, 0.88].map(|warmth| warmth * rng.random_range(30.0..205.0))
}

fn fur(rng: &mut ChaCha8Rng) -> Vector {
    vary(*FURS.choose(rng).unwrap_or(&FURS[0]), rng)
}

fn vary(colour: Vector, rng: &mut ChaCha8Rng) -> Vector {
    colour.map(|value| value * rng.random_range(0.88..1.12))
}

fn trim(coat: Material, furry: bool, rng: &mut ChaCha8Rng) -> Material {
    if furry && rng.random_bool(0.7) {
        return coat;
    }
    let colour = if furry { scale(coat.colours[0], 0.5) } else { paint(rng) };
    Material::draw([colour; 2], rng)
}
