use rand::{RngExt, rngs::ChaCha8Rng};

use super::anatomy::Bone;
use crate::rendering::vector::{Vector, rotate};

/// Position, orientation and scale of the hand in the image.
pub struct Camera {
    /// Rotation about the line of sight, radians.
    roll: f32,
    /// Rotations about the horizontal and the vertical axis, radians.
    tilt: [f32; 2],
    /// Pixels per palm length.
    scale: f32,
    mirrored: bool,
    /// Pixel position of the centre of the hand.
    centre: [f32; 2],
}

impl Camera {
    /// Samples a view of the whole hand, within 20 degrees of upright.
    pub fn random(rng: &mut ChaCha8Rng) -> Self {
        Self {
            roll: rng.random_range(-0.35..0.35),
            tilt: [rng.random_range(-0.3..0.25), rng.random_range(-0.3..0.3)],
            scale: rng.random_range(19.0..25.0),
            mirrored: rng.random_bool(0.5),
            centre: [rng.random_range(30.0..34.0), rng.random_range(31.0..35.0)],
        }
    }

    /// Transforms a bone to the image's frame: pixels, y down.
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
        let [x, y] = [if self.mirrored { -x } else { x }, y - HAND_CENTRE];
        let [y, z] = rotate([y, z], self.tilt[0]);
        let [x, z] = rotate([x, z], self.tilt[1]);
        let [x, y] = rotate([x, y], self.roll);
        let [x, y, z] = [x, y, z].map(|value| value * self.scale);
        [self.centre[0] + x, self.centre[1] - y, z]
    }
}

/// Distance from the wrist to the point the camera looks at, in palm lengths.
const HAND_CENTRE: f32 = 0.8;
