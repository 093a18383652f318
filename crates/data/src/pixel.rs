/// A pixel of up to three channels, padded with zeros to the width of a vector.
pub type Pixel = [f32; 4];

/// Returns the first four of `values`, one per channel, padded with zeros.
pub fn padded(values: impl IntoIterator<Item = f32>) -> Pixel {
    let mut pixel = [0.0; 4];
    pixel.iter_mut().zip(values).for_each(|(lane, value)| *lane = value);
    pixel
}
