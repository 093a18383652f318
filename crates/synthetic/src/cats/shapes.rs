use Paint::{Coat, Dark, Eye, Light, Pink, Shaded};

/// A point of the plane: x to the right, y down.
pub type Point = [f32; 2];

/// A shape in one colour, in a frame in which a head spans about -1 to 1.
pub struct Part {
    pub paint: Paint,
    shape: Shape,
    /// Adds the mirror image at negative x.
    mirrored: bool,
}

/// Colour of a part; each image has its own coat and eyes.
#[derive(Clone, Copy)]
pub enum Paint {
    Coat,
    Shaded,
    Light,
    Pink,
    Eye,
    Dark,
}

enum Shape {
    /// Centre and radii.
    Ellipse(Point, Point),
    /// Convex; the corners are in clockwise order.
    Polygon(&'static [Point]),
}

impl Part {
    /// Returns whether the part covers a point.
    pub fn contains(&self, [x, y]: Point) -> bool {
        let x = if self.mirrored { x.abs() } else { x };
        match &self.shape {
            Shape::Ellipse([cx, cy], [rx, ry]) => {
                ((x - cx) / rx).powi(2) + ((y - cy) / ry).powi(2) < 1.0
            }
            Shape::Polygon(corners) => {
                let ends = corners.iter().cycle().skip(1);
                corners.iter().zip(ends).all(|([ax, ay], [bx, by])| {
                    (bx - ax) * (y - ay) > (by - ay) * (x - ax)
                })
            }
        }
    }
}

const fn ellipse(paint: Paint, centre: Point, radii: Point) -> Part {
    Part { paint, shape: Shape::Ellipse(centre, radii), mirrored: false }
}

const fn polygon(paint: Paint, corners: &'static [Point]) -> Part {
    Part { paint, shape: Shape::Polygon(corners), mirrored: false }
}

const fn mirrored(part: Part) -> Part {
    Part { mirrored: true, ..part }
}

pub const CAT: &[Part] = &[
    BODY,
    mirrored(polygon(Coat, &[[0.15, -0.6], [0.9, -1.3], [0.95, -0.1]])),
    mirrored(polygon(Pink, &[[0.45, -0.65], [0.8, -1.05], [0.83, -0.4]])),
    ellipse(Coat, [0.0, 0.0], [1.0, 0.85]),
    mirrored(ellipse(Light, [0.2, 0.42], [0.3, 0.22])),
    mirrored(ellipse(Dark, [0.42, -0.1], [0.29, 0.24])),
    mirrored(ellipse(Eye, [0.42, -0.1], [0.25, 0.2])),
    mirrored(ellipse(Dark, [0.42, -0.1], [0.08, 0.2])),
    polygon(Pink, &[[-0.14, 0.22], [0.14, 0.22], [0.0, 0.38]]),
];

pub const OTHERS: [&[Part]; 6] = [BEAR, DOG, BIRD, HOUSE, CAR, FLOWER];

const BEAR: &[Part] = &[
    BODY,
    mirrored(ellipse(Coat, [0.7, -0.68], [0.36, 0.36])),
    mirrored(ellipse(Pink, [0.7, -0.68], [0.2, 0.2])),
    ellipse(Coat, [0.0, 0.0], [1.0, 0.88]),
    ellipse(Light, [0.0, 0.42], [0.45, 0.36]),
    mirrored(ellipse(Dark, [0.36, -0.1], [0.12, 0.13])),
    ellipse(Dark, [0.0, 0.28], [0.2, 0.14]),
];

const DOG: &[Part] = &[
    BODY,
    ellipse(Coat, [0.0, 0.05], [0.8, 0.9]),
    mirrored(ellipse(Shaded, [0.88, -0.05], [0.24, 0.62])),
    ellipse(Light, [0.0, 0.55], [0.42, 0.38]),
    mirrored(ellipse(Eye, [0.34, -0.14], [0.18, 0.16])),
    mirrored(ellipse(Dark, [0.34, -0.13], [0.13, 0.14])),
    ellipse(Dark, [0.0, 0.35], [0.23, 0.16]),
    ellipse(Pink, [0.0, 0.85], [0.14, 0.2]),
];

const BIRD: &[Part] = &[
    polygon(Shaded, &[[-0.5, 0.1], [-0.5, 0.5], [-1.4, 0.6], [-1.4, 0.2]]),
    polygon(Eye, &[[0.7, -0.5], [1.3, -0.25], [0.7, -0.1]]),
    ellipse(Coat, [-0.1, 0.3], [0.8, 0.55]),
    ellipse(Coat, [0.5, -0.3], [0.42, 0.4]),
    ellipse(Shaded, [-0.3, 0.25], [0.5, 0.3]),
    ellipse(Dark, [0.6, -0.38], [0.09, 0.09]),
];

pub const HOUSE: &[Part] = &[
    polygon(Coat, &[[-1.0, -0.3], [1.0, -0.3], [1.0, 1.2], [-1.0, 1.2]]),
    polygon(Shaded, &[[-1.25, -0.25], [0.0, -1.1], [1.25, -0.25]]),
    polygon(Dark, &[[-0.2, 0.4], [0.2, 0.4], [0.2, 1.2], [-0.2, 1.2]]),
    mirrored(polygon(Light, &[[0.4, 0.0], [0.8, 0.0], [0.8, 0.4], [0.4, 0.4]])),
];

const CAR: &[Part] = &[
    polygon(Coat, &[[-0.6, -0.6], [0.4, -0.6], [0.8, 0.1], [-0.9, 0.1]]),
    polygon(Light, &[[-0.5, -0.45], [0.3, -0.45], [0.55, 0.0], [-0.7, 0.0]]),
    polygon(Coat, &[[-1.3, 0.0], [1.3, 0.0], [1.3, 0.6], [-1.3, 0.6]]),
    mirrored(ellipse(Dark, [0.75, 0.6], [0.34, 0.34])),
    mirrored(ellipse(Light, [0.75, 0.6], [0.15, 0.15])),
];

const FLOWER: &[Part] = &[
    polygon(Shaded, &[[-0.08, 0.0], [0.08, 0.0], [0.08, 2.5], [-0.08, 2.5]]),
    mirrored(ellipse(Coat, [0.65, -0.35], [0.5, 0.34])),
    mirrored(ellipse(Coat, [0.4, 0.35], [0.36, 0.44])),
    ellipse(Coat, [0.0, -0.75], [0.36, 0.5]),
    ellipse(Eye, [0.0, -0.1], [0.36, 0.36]),
];

const BODY: Part = ellipse(Coat, [0.0, 1.6], [0.85, 0.95]);
