use super::part::{Part, Role::*, oval, stroke};
use super::shape::Point;

/// What carries a head, within 1 of the origin.
pub struct Body {
    pub parts: &'static [Part],
    /// Where the head is, and how large.
    pub head: Point,
    pub head_size: f32,
    /// Where the tail begins.
    pub tail: Point,
}

pub const BODIES: [Body; 5] = [CLOSE, CLOSE, SITTING, STANDING, LYING];

const CLOSE: Body = Body {
    parts: &[oval(Coat, [0.0, 1.05], [0.75, 0.75]), oval(Pale, [0.0, 1.0], [0.35, 0.4])],
    head: [0.0, 0.05],
    head_size: 0.72,
    tail: [0.0, 1.6],
};

const SITTING: Body = Body {
    parts: &[
        oval(Coat, [0.0, 0.4], [0.45, 0.6]),
        oval(Coat, [0.36, 0.74], [0.26, 0.24]).twins(),
        oval(Pale, [0.0, 0.22], [0.2, 0.3]),
        stroke(Coat, [0.13, 0.11], &[[0.15, 0.3], [0.15, 0.88]]).twins(),
        oval(Pale, [0.16, 0.94], [0.14, 0.08]).twins(),
    ],
    head: [0.0, -0.38],
    head_size: 0.5,
    tail: [-0.45, 0.85],
};

const STANDING: Body = Body {
    parts: &[
        stroke(Trim, [0.12, 0.09], &[[-0.35, 0.2], [-0.28, 0.85]]),
        stroke(Trim, [0.12, 0.09], &[[0.35, 0.2], [0.62, 0.82]]),
        stroke(Coat, [0.3, 0.27], &[[-0.5, 0.12], [0.45, 0.08]]),
        stroke(Coat, [0.17, 0.09], &[[-0.58, 0.2], [-0.72, 0.55], [-0.62, 0.9]]),
        stroke(Coat, [0.14, 0.1], &[[0.45, 0.15], [0.42, 0.9]]),
        oval(Pale, [-0.6, 0.92], [0.12, 0.07]),
        oval(Pale, [0.45, 0.92], [0.12, 0.07]),
    ],
    head: [0.6, -0.3],
    head_size: 0.38,
    tail: [-0.72, 0.0],
};

const LYING: Body = Body {
    parts: &[
        oval(Coat, [-0.05, 0.42], [0.85, 0.42]),
        oval(Coat, [-0.45, 0.5], [0.4, 0.36]),
        stroke(Coat, [0.13, 0.11], &[[0.3, 0.72], [0.75, 0.78]]),
        oval(Pale, [0.8, 0.78], [0.13, 0.1]),
    ],
    head: [0.5, -0.02],
    head_size: 0.46,
    tail: [-0.8, 0.45],
};
