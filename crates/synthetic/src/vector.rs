/// Point, direction or colour: x to the right, y, and z towards the viewer.
pub type Vector = [f32; 3];

pub fn add(a: Vector, b: Vector) -> Vector {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
}

pub fn scale(a: Vector, factor: f32) -> Vector {
    a.map(|value| value * factor)
}

/// Element-wise product.
pub fn product(a: Vector, b: Vector) -> Vector {
    [a[0] * b[0], a[1] * b[1], a[2] * b[2]]
}

pub fn dot(a: Vector, b: Vector) -> f32 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

/// Linear interpolation: `a` at 0, `b` at 1.
pub fn mix(a: Vector, b: Vector, share_of_b: f32) -> Vector {
    add(scale(a, 1.0 - share_of_b), scale(b, share_of_b))
}

/// Normalises `a` to length 1.
pub fn unit(a: Vector) -> Vector {
    scale(a, 1.0 / dot(a, a).sqrt().max(1e-6))
}

/// Rotates two coordinates by `angle` radians, from the first axis towards the second.
pub fn rotate([a, b]: [f32; 2], angle: f32) -> [f32; 2] {
    let (sin, cos) = angle.sin_cos();
    [cos * a - sin * b, sin * a + cos * b]
}

/// Smooth step from 0 at `low` to 1 at `high`.
pub fn smooth_step(low: f32, high: f32, value: f32) -> f32 {
    let t = ((value - low) / (high - low)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}
