use rand::{RngExt, rngs::ChaCha8Rng};

use crate::drawing::space::{Vector, add, unit};

/// What the joints of one hand do.
pub struct Gesture {
    /// Index, middle, ring and little finger.
    pub fingers: [Finger; 4],
    /// Directions of the thumb's metacarpal, proximal and distal bone, unit vectors in the hand's frame.
    pub thumb: [Vector; 3],
    /// Sideways angle of the forearm at the wrist, radians.
    pub wrist: f32,
}

/// The joint angles of one finger, in radians.
pub struct Finger {
    /// Sideways from the hand's axis, positive towards the little finger.
    pub splay: f32,
    /// Flexion towards the palm at the knuckle and at the two joints beyond it.
    pub flexion: [f32; 3],
}

impl Gesture {
    /// A gesture that shows `digit` (0 to 5) as people sign it, in one of many ways.
    pub fn draw(digit: u32, rng: &mut ChaCha8Rng) -> Self {
        let raised = raised_fingers(digit, rng);
        let spread = rng.random_range(SPREAD) * if digit == 2 { 1.4 } else { 1.0 };
        let reach = rng.random_range(-10.0..12.0);
        let [_, index, middle, ring, little] = raised;
        // Degrees between the hand's axis and each finger at a spread of 1.
        let fingers = [(index, -11.0), (middle, -2.0), (ring, 7.0), (little, 17.0)]
            .map(|(raised, splay)| draw_finger(raised, splay * spread, reach, rng));
        let thumb = thumb(raised).map(|bone| unit(add(bone, jitter(rng))));
        let wrist = rng.random_range(-0.4..0.4);
        Self { fingers, thumb, wrist }
    }
}

const SPREAD: std::ops::Range<f32> = 0.45..1.3;

const STRETCHED_OUT: [Vector; 3] = [[-0.75, 0.62, 0.3], [-0.62, 0.78, 0.1], [-0.5, 0.85, 0.0]];
const OVER_FOLDED_FINGERS: [Vector; 3] = [[-0.4, 0.6, 0.7], [0.35, 0.75, 0.5], [0.95, 0.3, 0.05]];
const ACROSS_THE_PALM: [Vector; 3] = [[-0.3, 0.75, 0.55], [0.6, 0.7, 0.3], [0.9, 0.4, -0.1]];

/// Thumb, index, middle, ring and little finger.
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

/// Where the thumb is laid that goes with the raised fingers.
fn thumb(raised: [bool; 5]) -> [Vector; 3] {
    match raised {
        [true, ..] => STRETCHED_OUT,
        [_, _, _, false, _] => OVER_FOLDED_FINGERS,
        _ => ACROSS_THE_PALM,
    }
}

/// `splay` and `reach`, the flexion that raised fingers share, are in degrees.
fn draw_finger(raised: bool, splay: f32, reach: f32, rng: &mut ChaCha8Rng) -> Finger {
    let mut vary = |mean: f32, range: f32| (mean + rng.random_range(-range..range)).to_radians();
    if raised {
        let flexion = [vary(reach, 6.0), vary(12.0, 10.0), vary(7.0, 6.0)];
        Finger { splay: vary(splay, 3.0), flexion }
    } else {
        let flexion = [vary(82.0, 8.0), vary(98.0, 8.0), vary(45.0, 12.0)];
        Finger { splay: vary(0.2 * splay, 2.0), flexion }
    }
}

fn jitter(rng: &mut ChaCha8Rng) -> Vector {
    std::array::from_fn(|_| rng.random_range(-0.12..0.12))
}
