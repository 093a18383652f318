use super::shape::Point;

/// Where a frame lies in another: stretched, then turned, then moved.
#[derive(Clone, Copy)]
pub struct Pose {
    centre: Point,
    stretch: Point,
    /// Cosine and sine.
    turn: [f32; 2],
}

impl Pose {
    /// Nothing moved.
    pub const UNMOVED: Self = Self { centre: [0.0, 0.0], stretch: [1.0, 1.0], turn: [1.0, 0.0] };

    /// `stretch` is negative across for a mirror image, `angle` in radians.
    pub fn new(centre: Point, stretch: Point, angle: f32) -> Self {
        Self { centre, stretch, turn: [angle.cos(), angle.sin()] }
    }

    /// The point in the inner frame, for one in the outer.
    pub fn enter(&self, point: Point) -> Point {
        let [x, y] = [point[0] - self.centre[0], point[1] - self.centre[1]];
        let [cos, sin] = self.turn;
        [(cos * x + sin * y) / self.stretch[0], (cos * y - sin * x) / self.stretch[1]]
    }

    /// The length in the outer frame, across, for one in the inner.
    pub fn outer(&self, length: f32) -> f32 {
        length * self.stretch[0].abs()
    }
}
