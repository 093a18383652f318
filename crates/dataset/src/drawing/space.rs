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

/// The product of each coordinate of the one and that of the other.
pub fn product(a: Vector, b: Vector) -> Vector {
    [a[0] * b[0], a[1] * b[1], a[2] * b[2]]
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

/// Two coordinates turned by `angle` radians, from the first towards the second.
pub fn turn([a, b]: [f32; 2], angle: f32) -> [f32; 2] {
    let (sin, cos) = angle.sin_cos();
    [cos * a - sin * b, sin * a + cos * b]
}

/// 0 up to `low`, 1 from `high` on, and smooth in between.
pub fn smooth_step(low: f32, high: f32, value: f32) -> f32 {
    let t = ((value - low) / (high - low)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}
