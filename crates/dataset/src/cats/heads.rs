use super::part::{Part, Role::*, oval, polygon, stroke};

/// A head seen from the front, about 1 wide to each side of the origin.
pub struct Head {
    pub outline: &'static [Part],
    /// What moves sideways when the head turns.
    pub face: &'static [Part],
    /// The tail that goes with it, from the origin to the left.
    pub tail: &'static [Part],
}

pub const CAT: Head = Head {
    outline: &[
        polygon(Trim, 0.07, &[[0.22, -0.6], [0.92, -0.2], [0.86, -1.25]]).twins(),
        polygon(Pink, 0.03, &[[0.45, -0.72], [0.8, -0.5], [0.79, -1.05]]).twins(),
        oval(Coat, [0.0, 0.0], [0.98, 0.84]),
        oval(Coat, [0.55, 0.32], [0.5, 0.4]).twins(),
    ],
    face: &[
        oval(Pale, [0.19, 0.44], [0.27, 0.21]).twins(),
        oval(Pale, [0.0, 0.62], [0.22, 0.15]),
        oval(Dark, [0.42, -0.07], [0.28, 0.235]).twins(),
        oval(Eye, [0.42, -0.07], [0.24, 0.2]).twins(),
        oval(Dark, [0.41, -0.07], [0.075, 0.18]).twins(),
        oval(White, [0.49, -0.16], [0.05, 0.05]).twins(),
        polygon(Pink, 0.03, &[[-0.14, 0.22], [0.14, 0.22], [0.0, 0.35]]),
        stroke(Dark, [0.03, 0.025], &[[0.0, 0.36], [0.0, 0.47], [0.24, 0.56]]).twins(),
        WHISKERS[0],
        WHISKERS[1],
    ],
    tail: &[stroke(
        Trim,
        [0.12, 0.09],
        &[[0.0, 0.0], [-0.22, -0.2], [-0.26, -0.6], [-0.12, -0.85]],
    )],
};

pub const DOG: Head = Head {
    outline: &[
        oval(Coat, [0.0, 0.0], [0.82, 0.88]),
        oval(Coat, [0.0, 0.5], [0.55, 0.5]),
        polygon(Trim, 0.13, &[[0.5, -0.72], [0.9, -0.6], [1.1, 0.25], [0.95, 0.5], [0.8, 0.1]])
            .twins(),
    ],
    face: &[
        oval(Pale, [0.0, 0.52], [0.42, 0.4]),
        oval(White, [0.34, -0.14], [0.17, 0.16]).twins(),
        oval(Dark, [0.34, -0.13], [0.13, 0.14]).twins(),
        oval(Dark, [0.0, 0.3], [0.23, 0.16]),
        oval(Pink, [0.0, 0.9], [0.16, 0.26]),
        stroke(Dark, [0.04, 0.03], &[[0.0, 0.4], [0.0, 0.66], [0.3, 0.7]]).twins(),
    ],
    tail: &[stroke(Trim, [0.1, 0.05], &[[0.0, 0.0], [-0.3, -0.15], [-0.48, -0.4]])],
};

pub const RABBIT: Head = Head {
    outline: &[
        stroke(Trim, [0.22, 0.2], &[[0.28, -0.6], [0.42, -1.3], [0.5, -1.9]]).twins(),
        stroke(Pink, [0.1, 0.07], &[[0.32, -0.8], [0.42, -1.3], [0.49, -1.85]]).twins(),
        oval(Coat, [0.0, 0.0], [0.78, 0.82]),
        oval(Coat, [0.42, 0.35], [0.42, 0.38]).twins(),
    ],
    face: &[
        oval(Pale, [0.17, 0.42], [0.25, 0.2]).twins(),
        polygon(White, 0.02, &[[-0.11, 0.55], [0.11, 0.55], [0.1, 0.78], [-0.1, 0.78]]),
        oval(Dark, [0.46, -0.12], [0.15, 0.19]).twins(),
        oval(White, [0.5, -0.2], [0.05, 0.06]).twins(),
        oval(Pink, [0.0, 0.24], [0.12, 0.08]),
        WHISKERS[0],
        WHISKERS[1],
    ],
    tail: &[oval(White, [-0.08, 0.0], [0.17, 0.16])],
};

pub const BEAR: Head = Head {
    outline: &[
        oval(Trim, [0.7, -0.66], [0.36, 0.36]).twins(),
        oval(Pink, [0.7, -0.64], [0.2, 0.2]).twins(),
        oval(Coat, [0.0, 0.0], [0.96, 0.88]),
    ],
    face: &[
        oval(Pale, [0.0, 0.4], [0.44, 0.36]),
        oval(Dark, [0.36, -0.12], [0.11, 0.12]).twins(),
        oval(Dark, [0.0, 0.24], [0.2, 0.14]),
        stroke(Dark, [0.04, 0.03], &[[0.0, 0.3], [0.0, 0.5], [0.2, 0.58]]).twins(),
    ],
    tail: &[oval(Trim, [-0.02, 0.0], [0.12, 0.11])],
};

const WHISKERS: [Part; 2] = [
    stroke(White, [0.02, 0.012], &[[0.42, 0.42], [1.35, 0.28]]).twins(),
    stroke(White, [0.02, 0.012], &[[0.42, 0.5], [1.32, 0.6]]).twins(),
];
