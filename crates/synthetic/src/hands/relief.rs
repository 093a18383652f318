use super::anatomy::Bone;
use crate::rendering::vector::{Vector, add, mix, scale, unit};
use crate::rendering::{Grid, PIXELS};

/// Samples per pixel along one axis.
pub const PER_PIXEL: usize = 2;

/// Samples of the relief along one axis.
pub const EDGE: usize = PER_PIXEL * PIXELS;

/// Height of the wall in pixels, below every part of a tilted arm.
const WALL_HEIGHT: f32 = -30.0;

/// Visible surface, one sample per quarter of a pixel.
pub struct Relief {
    pub samples: Grid<Sample, EDGE>,
}

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

impl Relief {
    /// Renders bones given in pixels.
    pub fn new(bones: &[Bone]) -> Self {
        let mut relief = Self { samples: Grid::filled(Sample::WALL) };
        bones.iter().for_each(|bone| relief.cover(bone));
        relief
    }

    fn cover(&mut self, bone: &Bone) {
        let [from, to] = bone.ends;
        let radius = bone.radii[0].max(bone.radii[1]);
        let columns = extent([from[0], to[0]], radius);
        let rows = extent([from[1], to[1]], radius);
        let sweep = Sweep::new(bone);
        for row in rows {
            for column in columns.clone() {
                if let Some(sample) = sweep.surface([centre(column), centre(row)]) {
                    let under = self.samples.at_mut(row, column);
                    *under = if under.is_skin() { under.merge(sample, bone.blend) } else { sample };
                }
            }
        }
    }
}

/// Returns the samples along one axis that a bone between `a` and `b` may cover.
fn extent([a, b]: [f32; 2], radius: f32) -> std::ops::Range<usize> {
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
    /// Vector from the first end to the second.
    along: Vector,
    /// Squared length of the bone in the image.
    span: f32,
    /// Shift of the intersection along a tilted bone, relative to the section of the sphere.
    lean: f32,
}

impl<'a> Sweep<'a> {
    fn new(bone: &'a Bone) -> Self {
        let along = add(bone.ends[1], scale(bone.ends[0], -1.0));
        let span = (along[0] * along[0] + along[1] * along[1]).max(1e-3);
        let lean = along[2] * (span / (span + along[2] * along[2])).sqrt();
        Self { bone, along, span, lean }
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
        (rise > 0.0).then(|| self.sample(t, radius, [dx, dy, rise.sqrt()]))
    }

    fn radius(&self, t: f32) -> f32 {
        let [from, to] = self.bone.radii;
        from + t.clamp(0.0, 1.0) * (to - from)
    }

    fn sample(&self, t: f32, radius: f32, outwards: Vector) -> Sample {
        let [pale, red] = self.bone.flush;
        Sample {
            height: self.bone.ends[0][2] + t * self.along[2] + outwards[2],
            normal: scale(outwards, 1.0 / radius),
            flush: pale + t * (red - pale),
        }
    }
}
