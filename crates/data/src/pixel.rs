/// A pixel of up to three channels, padded with zeros to the width of a vector.
pub type Pixel = [f32; 4];

/// Returns the first four of `values`, one per channel, padded with zeros.
pub fn padded(values: impl IntoIterator<Item = f32>) -> Pixel {
    let mut pixel = [0.0; 4];
    pixel.iter_mut().zip(values).for_each(|(lane, value)| *lane = value);
    pixel
}

/// Returns the result of `of` for each channel of two pixels.
#[inline(always)]
pub fn zip([a, b, c, d]: Pixel, [w, x, y, z]: Pixel, of: impl Fn(f32, f32) -> f32) -> Pixel {
    [of(a, w), of(b, x), of(c, y), of(d, z)]
}

/// Sum of two pixels.
#[inline(always)]
pub fn add(one: Pixel, other: Pixel) -> Pixel {
    zip(one, other, |one, other| one + other)
}

/// A pixel multiplied by a number.
#[inline(always)]
pub fn times(pixel: Pixel, by: f32) -> Pixel {
    pixel.map(|value| value * by)
}
