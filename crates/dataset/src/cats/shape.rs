/// A point or direction of the plane: x to the right, y down.
pub type Point = [f32; 2];

/// An area of the plane.
#[derive(Clone, Copy)]
pub enum Shape {
    /// Centre and radii.
    Oval(Point, Point),
    /// Corners, which are rounded outwards by a radius.
    Polygon(&'static [Point], f32),
    /// A disc that moves along a line while its radius changes from one value to the other.
    Stroke(&'static [Point], [f32; 2]),
}

impl Shape {
    /// How far a point lies outside; negative inside.
    pub fn distance(&self, point: Point) -> f32 {
        match self {
            Self::Oval(centre, radii) => oval(sub(point, *centre), *radii),
            Self::Polygon(corners, rounding) => polygon(point, corners) - rounding,
            Self::Stroke(line, radii) => stroke(point, line, *radii),
        }
    }
}

/// Exact at the border only.
fn oval(point: Point, radii: Point) -> f32 {
    let relative = [point[0] / radii[0], point[1] / radii[1]];
    let slope = length([relative[0] / radii[0], relative[1] / radii[1]]);
    let size = length(relative);
    size * (size - 1.0) / slope.max(1e-6)
}

fn polygon(point: Point, corners: &[Point]) -> f32 {
    let mut nearest = f32::INFINITY;
    let mut inside = false;
    for (&from, &to) in corners.iter().zip(corners.iter().cycle().skip(1)) {
        nearest = nearest.min(segment(point, from, to).0);
        let crossed = (from[1] > point[1]) != (to[1] > point[1]);
        let side = cross(sub(to, from), sub(point, from));
        inside ^= crossed && (side > 0.0) == (to[1] > from[1]);
    }
    if inside { -nearest } else { nearest }
}

fn stroke(point: Point, line: &[Point], [start, end]: [f32; 2]) -> f32 {
    let pieces = (line.len() - 1) as f32;
    let outside = |(i, &[from, to]): (usize, &[Point; 2])| {
        let (distance, along) = segment(point, from, to);
        distance - start - (i as f32 + along) / pieces * (end - start)
    };
    line.array_windows().enumerate().map(outside).fold(f32::INFINITY, f32::min)
}

/// How far the segment is, and where on it, 0 to 1, the nearest place lies.
fn segment(point: Point, from: Point, to: Point) -> (f32, f32) {
    let [way, offset] = [sub(to, from), sub(point, from)];
    let along = (dot(offset, way) / dot(way, way)).clamp(0.0, 1.0);
    (length([offset[0] - along * way[0], offset[1] - along * way[1]]), along)
}

fn sub(a: Point, b: Point) -> Point {
    [a[0] - b[0], a[1] - b[1]]
}

fn dot(a: Point, b: Point) -> f32 {
    a[0] * b[0] + a[1] * b[1]
}

fn cross(a: Point, b: Point) -> f32 {
    a[0] * b[1] - a[1] * b[0]
}

fn length(a: Point) -> f32 {
    dot(a, a).sqrt()
}
