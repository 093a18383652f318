use super::gesture::{Finger, Gesture};
use crate::vector::{Vector, add, rotate, scale};

/// Part of the hand: a sphere swept along a segment while its radius changes linearly.
///
/// In the hand's frame the unit is the length of the palm, the wrist is at the origin, the fingers
/// point along y, the palm faces along z and the thumb is on the side of negative x.
pub struct Bone {
    /// Centre of the sphere at both ends.
    pub ends: [Vector; 2],
    /// Radius of the sphere at both ends.
    pub radii: [f32; 2],
    /// Width over which the surface blends into its neighbours.
    pub blend: f32,
    /// Redness of the skin at both ends, 0 to 1.
    pub flush: [f32; 2],
}

/// Returns the bones of a right hand that makes `gesture`.
pub fn bones(gesture: &Gesture) -> Vec<Bone> {
    let mut bones = palm();
    bones.push(forearm(gesture.wrist));
    for (joints, build) in gesture.fingers.iter().zip(&BUILDS) {
        bones.extend(finger(joints, build));
    }
    bones.extend(thumb(&gesture.thumb));
    bones
}

/// Measurements of one finger, in palm lengths.
struct Build {
    knuckle: Vector,
    lengths: [f32; 3],
    radius: f32,
}

/// Index, middle, ring and little finger.
const BUILDS: [Build; 4] = [
    Build { knuckle: [-0.29, 0.88, 0.0], lengths: [0.44, 0.25, 0.17], radius: 0.088 },
    Build { knuckle: [-0.09, 0.92, 0.02], lengths: [0.49, 0.28, 0.18], radius: 0.092 },
    Build { knuckle: [0.10, 0.88, 0.01], lengths: [0.45, 0.27, 0.18], radius: 0.087 },
    Build { knuckle: [0.28, 0.79, -0.02], lengths: [0.36, 0.20, 0.16], radius: 0.076 },
];

const THUMB_ROOT: Vector = [-0.2, 0.14, 0.06];
/// Length, radii at both ends and blend of each bone of the thumb.
const THUMB: [(f32, [f32; 2], f32); 3] =
    [(0.42, [0.16, 0.125], 0.14), (0.3, [0.125, 0.1], 0.05), (0.22, [0.1, 0.085], 0.05)];

/// Skin is redder towards the tip of a finger.
const FLUSH: [[f32; 2]; 3] = [[0.3, 0.35], [0.35, 0.55], [0.55, 1.0]];

fn palm() -> Vec<Bone> {
    let metacarpal = |build: &Build| {
        let [x, y, z] = build.knuckle;
        palm_bone([[0.62 * x, 0.1, -0.02], [x, y - 0.03, z]], [0.16, 0.125])
    };
    let mut bones: Vec<Bone> = BUILDS.iter().map(metacarpal).collect();
    bones.push(palm_bone([[0.18, 0.16, 0.03], [0.27, 0.55, 0.02]], [0.16, 0.15]));
    bones.push(palm_bone([[-0.2, 0.3, 0.04], [-0.3, 0.72, 0.0]], [0.13, 0.1]));
    bones
}

fn palm_bone(ends: [Vector; 2], radii: [f32; 2]) -> Bone {
    Bone { ends, radii, blend: 0.16, flush: [0.25, 0.45] }
}

fn forearm(bend: f32) -> Bone {
    let elbow = scale([bend.sin(), -bend.cos(), -0.05], 3.5);
    let ends = [[0.0, 0.06, -0.12], add(elbow, [0.0, 0.0, -0.12])];
    Bone { ends, radii: [0.24, 0.42], blend: 0.2, flush: [0.1, 0.0] }
}

fn finger(joints: &Finger, build: &Build) -> impl Iterator<Item = Bone> {
    let mut flexion = 0.0;
    let mut joint = build.knuckle;
    let bones = joints.flexion.iter().zip(build.lengths).zip(FLUSH).enumerate();
    bones.map(move |(i, ((bend, length), flush))| {
        flexion += bend;
        let [y, z] = rotate([length, 0.0], flexion);
        let [x, y] = rotate([0.0, y], -joints.splay);
        let ends = [joint, add(joint, [x, y, z])];
        joint = ends[1];
        let thin = |joint: usize| build.radius * (1.06 - 0.09 * joint as f32);
        Bone { ends, radii: [thin(i), thin(i + 1)], blend: 0.05, flush }
    })
}

fn thumb(directions: &[Vector; 3]) -> impl Iterator<Item = Bone> {
    let mut joint = THUMB_ROOT;
    let bones = directions.iter().zip(THUMB).zip(FLUSH);
    bones.map(move |((direction, (length, radii, blend)), flush)| {
        let ends = [joint, add(joint, scale(*direction, length))];
        joint = ends[1];
        Bone { ends, radii, blend, flush }
    })
}
