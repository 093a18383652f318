use rand::{RngExt, rngs::ChaCha8Rng};

use crate::vector::{Vector, add, unit};

/// Joint angles of one hand.
pub struct Gesture {
    /// Index, middle, ring and little finger.
    pub fingers: [Finger; 4],
    /// Directions of the thumb's metacarpal, proximal and distal bone, unit vectors in the hand's frame.
    pub thumb: [Vector; 3],
    /// Sideways angle of the forearm at the wrist, radians.
    pub wrist: f32,
}

/// Joint angles of one finger, radians.
pub struct Finger {
    /// Sideways angle from the hand's axis, positive towards the little finger.
    pub splay: f32,
    /// Flexion towards the palm at the knuckle and at the two joints beyond it.
    pub flexion: [f32; 3],
}

impl Gesture {
    /// Samples a gesture that signs `digit` (0 to 5).
    pub fn random(digit: u32, rng: &mut ChaCha8Rng) -> Self {
        let raised = raised_fingers(digit, rng);
        let spread = rng.random_range(SPREAD) * if digit == 2 { 1.4 } else { 1.0 };
        let base_flexion = rng.random_range(-10.0..12.0);
        let [_, index, middle, ring, little] = raised;
        // Angle in degrees between the hand's axis and each finger at a spread of 1.
        let fingers = [(index, -11.0), (middle, -2.0), (ring, 7.0), (little, 17.0)]
            .map(|(raised, splay)| random_finger(raised, splay * spread, base_flexion, rng));
        let thumb = thumb(raised).map(|bone| unit(add(bone, jitter(rng))));
        let wrist = rng.random_range(-0.4..0.4);
        Self { fingers, thumb, wrist }
    }
}

const SPREAD: std::ops::Range<f32> = 0.45..1.3;

const STRETCHED_OUT: [Vector; 3] = [[-0.75, 0.62, 0.3], [-0.62, 0.78, 0.1], [-0.5, 0.85, 0.0]];
const OVER_FOLDED_FINGERS: [Vector; 3] = [[-0.4, 0.6, 0.7], [0.35, 0.75, 0.5], [0.95, 0.3, 0.05]];
const ACROSS_THE_PALM: [Vector; 3] = [[-0.3, 0.75, 0.55], [0.6, 0.7, 0.3], [0.9, 0.4, -0.1]];

/// Returns which of thumb, index, middle, ring and little finger are raised.
fn raised_fingers(digit: u32, rng: &mut ChaCha8Rng) -> [bool; 5] {
    let with_thumb = rng.random_bool(0.5);
    match digit {
        0 => [false; 5],
        1 => [false, true, false, false, false],
        2 => [false, true, true, false, false],
        3 => [with_thumb, true, true, !with_thumb, false],
        4 => [false, true, true, true, true],
        _ => [true; 5],
    }
}

/// Returns the directions of the thumb that go with the raised fingers.
fn thumb(raised: [bool; 5]) -> [Vector; 3] {
    match raised {
        [true, ..] => STRETCHED_OUT,
        [_, _, _, false, _] => OVER_FOLDED_FINGERS,
        _ => ACROSS_THE_PALM,
    }
}

/// `splay` and `base_flexion`, the flexion shared by all raised fingers, are in degrees.
fn random_finger(raised: bool, splay: f32, base_flexion: f32, rng: &mut ChaCha8Rng) -> Finger {
    let mut sample = |mean: f32, range: f32| (mean + rng.random_range(-range..range)).to_radians();
    if raised {
        let flexion = [sample(base_flexion, 6.0), sample(12.0, 10.0), sample(7.0, 6.0)];
        Finger { splay: sample(splay, 3.0), flexion }
    } else {
        let flexion = [sample(82.0, 8.0), sample(98.0, 8.0), sample(45.0, 12.0)];
        Finger { splay: sample(0.2 * splay, 2.0), flexion }
    }
}

fn jitter(rng: &mut ChaCha8Rng) -> Vector {
    std::array::from_fn(|_| rng.random_range(-0.12..0.12))
}
