use Paint::{Coat, Dark, Eye, Light, Pink, Shaded};
use Shape::{Ellipse, Polygon};

/// A point of the plane: x to the right, y down.
pub type Point = [f32; 2];

/// Shape and colour, in a frame in which a head spans about -1 to 1.
pub type Part = (Paint, Shape);

/// Colour of a part; each image has its own coat.
#[derive(Clone, Copy)]
pub enum Paint {
    Coat,
    Shaded,
    Light,
    Pink,
    Eye,
    Dark,
}

/// Shape in the half-plane of positive x, and its mirror image.
pub enum Shape {
    /// Centre and radii.
    Ellipse(Point, Point),
    /// Corners of a convex polygon, clockwise.
    Polygon(&'static [Point]),
}

impl Shape {
    pub fn contains(&self, [x, y]: Point) -> bool {
        let x = x.abs();
        match self {
            Ellipse([cx, cy], [rx, ry]) => ((x - cx) / rx).powi(2) + ((y - cy) / ry).powi(2) < 1.0,
            Polygon(corners) => {
                let mut edges = corners.iter().zip(corners.iter().cycle().skip(1));
                edges.all(|([ax, ay], [bx, by])| (bx - ax) * (y - ay) > (by - ay) * (x - ax))
            }
        }
    }
}

const BODY: Part = (Coat, Ellipse([0.0, 1.6], [0.85, 0.95]));

pub const CAT: &[Part] = &[
    BODY,
    (Coat, Polygon(&[[0.15, -0.6], [0.9, -1.3], [0.95, -0.1]])),
    (Pink, Polygon(&[[0.45, -0.65], [0.8, -1.05], [0.83, -0.4]])),
    (Coat, Ellipse([0.0, 0.0], [1.0, 0.85])),
    (Light, Ellipse([0.2, 0.42], [0.3, 0.22])),
    (Dark, Ellipse([0.42, -0.1], [0.29, 0.24])),
    (Eye, Ellipse([0.42, -0.1], [0.25, 0.2])),
    (Dark, Ellipse([0.42, -0.1], [0.08, 0.2])),
    (Pink, Polygon(&[[-0.14, 0.22], [0.14, 0.22], [0.0, 0.38]])),
];

pub const OTHERS: [&[Part]; 5] = [BEAR, DOG, HOUSE, CAR, FLOWER];

const BEAR: &[Part] = &[
    BODY,
    (Coat, Ellipse([0.7, -0.68], [0.36, 0.36])),
    (Pink, Ellipse([0.7, -0.68], [0.2, 0.2])),
    (Coat, Ellipse([0.0, 0.0], [1.0, 0.88])),
    (Light, Ellipse([0.0, 0.42], [0.45, 0.36])),
    (Dark, Ellipse([0.36, -0.1], [0.12, 0.13])),
    (Dark, Ellipse([0.0, 0.28], [0.2, 0.14])),
];

const DOG: &[Part] = &[
    BODY,
    (Coat, Ellipse([0.0, 0.05], [0.8, 0.9])),
    (Shaded, Ellipse([0.88, -0.05], [0.24, 0.62])),
    (Light, Ellipse([0.0, 0.55], [0.42, 0.38])),
    (Eye, Ellipse([0.34, -0.14], [0.18, 0.16])),
    (Dark, Ellipse([0.34, -0.13], [0.13, 0.14])),
    (Dark, Ellipse([0.0, 0.35], [0.23, 0.16])),
    (Pink, Ellipse([0.0, 0.85], [0.14, 0.2])),
];

pub const HOUSE: &[Part] = &[
    (Coat, Polygon(&[[-1.0, -0.3], [1.0, -0.3], [1.0, 1.2], [-1.0, 1.2]])),
    (Shaded, Polygon(&[[-1.25, -0.25], [0.0, -1.1], [1.25, -0.25]])),
    (Dark, Polygon(&[[-0.2, 0.4], [0.2, 0.4], [0.2, 1.2], [-0.2, 1.2]])),
    (Light, Polygon(&[[0.4, 0.0], [0.8, 0.0], [0.8, 0.4], [0.4, 0.4]])),
];

const CAR: &[Part] = &[
    (Coat, Polygon(&[[-0.5, -0.6], [0.5, -0.6], [0.9, 0.1], [-0.9, 0.1]])),
    (Light, Polygon(&[[-0.4, -0.45], [0.4, -0.45], [0.65, 0.0], [-0.65, 0.0]])),
    (Coat, Polygon(&[[-1.3, 0.0], [1.3, 0.0], [1.3, 0.6], [-1.3, 0.6]])),
    (Dark, Ellipse([0.75, 0.6], [0.34, 0.34])),
    (Light, Ellipse([0.75, 0.6], [0.15, 0.15])),
];

const FLOWER: &[Part] = &[
    (Shaded, Polygon(&[[-0.08, 0.0], [0.08, 0.0], [0.08, 2.5], [-0.08, 2.5]])),
    (Coat, Ellipse([0.65, -0.35], [0.5, 0.34])),
    (Coat, Ellipse([0.4, 0.35], [0.36, 0.44])),
    (Coat, Ellipse([0.0, -0.75], [0.36, 0.5])),
    (Eye, Ellipse([0.0, -0.1], [0.36, 0.36])),
];
