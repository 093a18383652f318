use rand::{RngExt, rngs::ChaCha8Rng, seq::IndexedRandom};

use super::bodies::{BODIES, Body};
use super::heads::{BEAR, CAT, DOG, Head, RABBIT};
use super::part::{Part, Role};
use super::pose::Pose;
use super::shape::Point;
use super::things::THINGS;

/// What an image shows, in a frame in which it reaches about 1 to each side of the origin.
pub struct Subject {
    /// From the back to the front.
    layers: Vec<(Pose, &'static [Part])>,
    /// Whether it wears fur.
    pub furry: bool,
}

/// Where a line of sight meets a subject.
pub struct Hit {
    pub role: Role,
    /// How far the border of the part is.
    pub depth: f32,
}

impl Subject {
    /// A cat, close, sitting, standing or lying.
    pub fn cat(rng: &mut ChaCha8Rng) -> Self {
        Self::animal(&CAT, rng)
    }

    /// Another animal, posed as the cats are, or a thing.
    pub fn other(rng: &mut ChaCha8Rng) -> Self {
        match rng.random_range(0..10) {
            0..3 => Self::animal([DOG, RABBIT, BEAR].choose(rng).unwrap_or(&DOG), rng),
            _ => Self::thing(THINGS.choose(rng).unwrap_or(&THINGS[0])),
        }
    }

    fn thing(parts: &'static [Part]) -> Self {
        Self { layers: vec![(Pose::UNMOVED, parts)], furry: false }
    }

    fn animal(head: &Head, rng: &mut ChaCha8Rng) -> Self {
        let body = BODIES.choose(rng).unwrap_or(&BODIES[0]);
        let tail = Pose::new(body.tail, [1.0; 2], rng.random_range(-0.4..0.4));
        let [outline, face] = head_poses(body, rng);
        let layers = vec![
            (tail, head.tail),
            (Pose::UNMOVED, body.parts),
            (outline, head.outline),
            (face, head.face),
        ];
        Self { layers, furry: true }
    }

    /// The foremost part at a point.
    pub fn hit(&self, point: Point) -> Option<Hit> {
        self.layers.iter().rev().find_map(|(pose, parts)| {
            let inside = pose.enter(point);
            let hit = |part: &Part| {
                let depth = pose.outer(part.depth(inside)?);
                Some(Hit { role: part.role, depth })
            };
            parts.iter().rev().find_map(hit)
        })
    }
}

/// The outline's, and the face's on it.
fn head_poses(body: &Body, rng: &mut ChaCha8Rng) -> [Pose; 2] {
    let [x, y] = body.head.map(|place| place + rng.random_range(-0.06..0.06));
    let stretch = [(); 2].map(|_| body.head_size * rng.random_range(0.9..1.12));
    let tilt = rng.random_range(-0.22..0.22);
    let gaze = body.head_size * rng.random_range(-0.14..0.14);
    [Pose::new([x, y], stretch, tilt), Pose::new([x + gaze, y], stretch, tilt)]
}
