/// A point or direction: x to the right, y, and z towards the viewer.
pub type Vector = [f32; 3];

/// The sum.
pub fn add(a: Vector, b: Vector) -> Vector {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
}

/// `a`, `factor` times as long.
pub fn scale(a: Vector, factor: f32) -> Vector {
    a.map(|value| value * factor)
}

/// The inner product.
pub fn dot(a: Vector, b: Vector) -> f32 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

/// `a` at a share of 0, `b` at 1, and what lies between.
pub fn mix(a: Vector, b: Vector, share_of_b: f32) -> Vector {
    add(scale(a, 1.0 - share_of_b), scale(b, share_of_b))
}

/// The direction of `a`, of length 1.
pub fn unit(a: Vector) -> Vector {
    scale(a, 1.0 / dot(a, a).sqrt().max(1e-6))
}

/// Turns `v` by `angle` radians in the plane of two axes, from the first towards the second.
pub fn turn(mut v: Vector, axes: [usize; 2], angle: f32) -> Vector {
    let (sin, cos) = angle.sin_cos();
    let [a, b] = [v[axes[0]], v[axes[1]]];
    v[axes[0]] = cos * a - sin * b;
    v[axes[1]] = sin * a + cos * b;
    v
}

/// 0 up to `low`, 1 from `high` on, and smooth in between.
pub fn smooth_step(low: f32, high: f32, value: f32) -> f32 {
    let t = ((value - low) / (high - low)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}
