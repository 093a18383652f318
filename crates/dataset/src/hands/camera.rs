use rand::{RngExt, rngs::ChaCha8Rng};

use super::anatomy::Bone;
use crate::drawing::space::{Vector, turn};

/// Where the hand is and how large it looks.
pub struct Camera {
    /// Rotation about the line of sight, radians.
    roll: f32,
    /// Rotations about the hand's two other axes, radians.
    tilt: [f32; 2],
    /// Pixels a palm length.
    scale: f32,
    mirrored: bool,
    /// Pixel that shows the hand's middle.
    middle: [f32; 2],
}

impl Camera {
    /// A view of the whole hand, within some 20 degrees of upright.
    pub fn draw(rng: &mut ChaCha8Rng) -> Self {
        Self {
            roll: rng.random_range(-0.35..0.35),
            tilt: [rng.random_range(-0.3..0.25), rng.random_range(-0.3..0.3)],
            scale: rng.random_range(19.0..25.0),
            mirrored: rng.random_bool(0.5),
            middle: [rng.random_range(30.0..34.0), rng.random_range(31.0..35.0)],
        }
    }

    /// The bone in the image's frame: pixels, y down.
    pub fn project(&self, bone: Bone) -> Bone {
        Bone {
            ends: bone.ends.map(|end| self.point(end)),
            radii: bone.radii.map(|radius| radius * self.scale),
            blend: bone.blend * self.scale,
            ..bone
        }
    }

    fn point(&self, point: Vector) -> Vector {
        let [x, y, z] = point;
        let [x, y] = [if self.mirrored { -x } else { x }, y - HAND_MIDDLE];
        let [y, z] = turn([y, z], self.tilt[0]);
        let [x, z] = turn([x, z], self.tilt[1]);
        let [x, y] = turn([x, y], self.roll);
        let [x, y, z] = [x, y, z].map(|value| value * self.scale);
        [self.middle[0] + x, self.middle[1] - y, z]
    }
}

/// Palm lengths from the wrist to the point that the camera looks at.
const HAND_MIDDLE: f32 = 0.8;
