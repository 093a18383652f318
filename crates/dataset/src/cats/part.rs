use super::shape::{Point, Shape};

/// One piece of a subject.
#[derive(Clone, Copy)]
pub struct Part {
    pub role: Role,
    /// In the frame of its layer.
    shape: Shape,
    /// The corners of a box around the shape.
    bounds: [Point; 2],
    /// Whether it is drawn a second time where x has the other sign.
    twin: bool,
}

/// What a part is made of; an image gives each role its colour.
#[derive(Clone, Copy)]
pub enum Role {
    /// Fur, feathers or paint.
    Coat,
    /// Ears, tails, roofs: as the coat or in a colour of their own.
    Trim,
    /// Muzzles, chests, paws.
    Pale,
    /// Inner ears, noses, tongues.
    Pink,
    Eye,
    Dark,
    White,
    Leaf,
    Wood,
}

pub const fn oval(role: Role, centre: Point, radii: Point) -> Part {
    let [[x, y], [rx, ry]] = [centre, radii];
    let bounds = [[x - rx, y - ry], [x + rx, y + ry]];
    Part { role, shape: Shape::Oval(centre, radii), bounds, twin: false }
}

pub const fn polygon(role: Role, rounding: f32, corners: &'static [Point]) -> Part {
    let shape = Shape::Polygon(corners, rounding);
    Part { role, shape, bounds: bounds(corners, rounding), twin: false }
}

pub const fn stroke(role: Role, radii: [f32; 2], line: &'static [Point]) -> Part {
    let shape = Shape::Stroke(line, radii);
    Part { role, shape, bounds: bounds(line, radii[0].max(radii[1])), twin: false }
}

const fn bounds(points: &[Point], margin: f32) -> [Point; 2] {
    let [mut low, mut high] = [[f32::INFINITY; 2], [f32::NEG_INFINITY; 2]];
    let mut rest = points;
    while let [[x, y], others @ ..] = rest {
        low = [low[0].min(*x), low[1].min(*y)];
        high = [high[0].max(*x), high[1].max(*y)];
        rest = others;
    }
    [[low[0] - margin, low[1] - margin], [high[0] + margin, high[1] + margin]]
}

impl Part {
    /// The part and its mirror image.
    pub const fn twins(self) -> Self {
        Self { twin: true, ..self }
    }

    /// How far the border is from a point inside; nothing outside.
    pub fn depth(&self, [x, y]: Point) -> Option<f32> {
        let x = if self.twin { x.abs() } else { x };
        let [low, high] = self.bounds;
        let near = low[0] < x && x < high[0] && low[1] < y && y < high[1];
        let depth = if near { -self.shape.distance([x, y]) } else { 0.0 };
        (depth > 0.0).then_some(depth)
    }
}
