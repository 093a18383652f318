use std::ops::Range;

use super::anatomy::Bone;
use crate::rendering::{Grid, PIXELS};
use crate::vector::{Vector, add, mix, scale, unit};

/// Samples per pixel along one axis.
pub const PER_PIXEL: usize = 2;

/// Samples of the relief along one axis.
pub const EDGE: usize = PER_PIXEL * PIXELS;

/// Height of the wall in pixels, below every part of a tilted arm.
const WALL_HEIGHT: f32 = -30.0;

/// Visible surface, one sample per quarter of a pixel.
pub type Relief = Grid<Sample, EDGE>;

/// Point of the surface.
#[derive(Clone, Copy)]
pub struct Sample {
    /// Height towards the viewer, in pixels.
    pub height: f32,
    /// Unit normal, y down.
    pub normal: Vector,
    /// Redness of the skin, 0 to 1.
    pub flush: f32,
}

impl Sample {
    const WALL: Self = Self { height: WALL_HEIGHT, normal: [0.0, 0.0, 1.0], flush: 0.0 };

    /// Returns whether the sample lies on the hand, not on the wall.
    pub fn is_skin(&self) -> bool {
        self.height > WALL_HEIGHT
    }

    /// Returns the smooth maximum of two surfaces.
    fn merge(self, other: Self, blend: f32) -> Self {
        let share = (0.5 + 0.5 * (other.height - self.height) / blend).clamp(0.0, 1.0);
        let rise = blend * share * (1.0 - share);
        Self {
            height: self.height + share * (other.height - self.height) + rise,
            normal: unit(mix(self.normal, other.normal, share)),
            flush: self.flush + share * (other.flush - self.flush),
        }
    }
}

/// Renders bones given in pixels.
pub fn relief(bones: &[Bone]) -> Relief {
    let sweeps: Vec<Sweep> = bones.iter().map(Sweep::new).collect();
    Grid::from_fn(|row, column| {
        let covering = sweeps.iter();
        let covering = covering
            .filter(|sweep| sweep.rows.contains(&row) && sweep.columns.contains(&column))
            .filter_map(|sweep| Some((sweep.surface([centre(column), centre(row)])?, sweep.bone)));
        covering.fold(Sample::WALL, |under, (sample, bone)| {
            if under.is_skin() { under.merge(sample, bone.blend) } else { sample }
        })
    })
}

/// Returns the samples along one axis that a bone between `a` and `b` may cover.
fn extent([a, b]: [f32; 2], radius: f32) -> Range<usize> {
    let sample = |pixel: f32| (pixel * PER_PIXEL as f32).clamp(0.0, EDGE as f32) as usize;
    sample(a.min(b) - radius)..sample(a.max(b) + radius + 1.0)
}

/// Returns the pixel coordinate of the centre of a sample.
fn centre(sample: usize) -> f32 {
    (sample as f32 + 0.5) / PER_PIXEL as f32
}

/// Bone with precomputed terms of the ray intersection.
struct Sweep<'a> {
    bone: &'a Bone,
    /// Samples that it may cover.
    rows: Range<usize>,
    columns: Range<usize>,
    /// Vector from the first end to the second.
    along: Vector,
    /// Squared length of the bone in the image.
    span: f32,
    /// Shift of the intersection along a tilted bone, relative to the section of the sphere.
    lean: f32,
}

impl<'a> Sweep<'a> {
    fn new(bone: &'a Bone) -> Self {
        let ([from, to], radius) = (bone.ends, bone.radii[0].max(bone.radii[1]));
        let columns = extent([from[0], to[0]], radius);
        let rows = extent([from[1], to[1]], radius);
        let along = add(to, scale(from, -1.0));
        let span = (along[0] * along[0] + along[1] * along[1]).max(1e-3);
        let lean = along[2] * (span / (span + along[2] * along[2])).sqrt();
        Self { bone, rows, columns, along, span, lean }
    }

    /// Returns the highest point of the swept sphere over a point of the image.
    fn surface(&self, [x, y]: [f32; 2]) -> Option<Sample> {
        let [from, along] = [self.bone.ends[0], self.along];
        let [u, v] = [x - from[0], y - from[1]];
        let nearest = u * along[0] + v * along[1];
        let across = u * along[1] - v * along[0];
        let section = self.radius(nearest / self.span).powi(2) - across * across / self.span;
        if section <= 0.0 {
            return None;
        }
        let t = ((nearest + section.sqrt() * self.lean) / self.span).clamp(0.0, 1.0);
        let radius = self.radius(t);
        let [dx, dy] = [u - t * along[0], v - t * along[1]];
        let rise = radius * radius - dx * dx - dy * dy;
        let [pale, red] = self.bone.flush;
        (rise > 0.0).then(|| Sample {
            height: from[2] + t * along[2] + rise.sqrt(),
            normal: scale([dx, dy, rise.sqrt()], 1.0 / radius),
            flush: pale + t * (red - pale),
        })
    }

    fn radius(&self, t: f32) -> f32 {
        let [from, to] = self.bone.radii;
        from + t.clamp(0.0, 1.0) * (to - from)
    }
}
