use super::affine::Affine;
use crate::pixel::{Pixel, padded};
use crate::scaler::Scaler;

/// Maximum value of a pixel.
pub const WHITE: f32 = 255.0;

/// An image while it is augmented.
#[derive(Debug, Default)]
pub struct Canvas {
    /// Height and width.
    pub size: [usize; 2],
    /// Number of channels.
    pub channels: usize,
    /// Pixels, row-major, 0 to 255, before `map` is applied.
    pub pixels: Vec<Pixel>,
    /// Geometric changes that are still to be applied, as one resampling.
    pub map: Affine,
    /// Scratch space for a copy.
    pub spare: Vec<Pixel>,
}

impl Canvas {
    /// Loads the image `values` of shape `[height, width, channels]`.
    pub fn load(&mut self, values: &[u8], [height, width, channels]: [usize; 3]) {
        (self.size, self.channels) = ([height, width], channels);
        self.map = Affine::IDENTITY;
        self.pixels.clear();
        match channels {
            3 => {
                let (pixels, _) = values.as_chunks::<3>();
                let pixel = |&[r, g, b]: &[u8; 3]| [r.into(), g.into(), b.into(), 0.0];
                self.pixels.extend(pixels.iter().map(pixel));
            }
            _ => {
                let pixels = values.chunks_exact(channels.max(1));
                self.pixels
                    .extend(pixels.map(|pixel| padded(pixel.iter().copied().map(f32::from))));
            }
        }
    }

    /// Applies a geometric change, together with those before and after it.
    pub fn transform(&mut self, map: Affine) {
        self.map = self.map.then(map);
    }

    /// Returns the pixels with all geometric changes applied.
    pub fn settled(&mut self) -> &mut [Pixel] {
        self.resample();
        &mut self.pixels
    }

    /// Scales the image and stores it in `inputs`, shape `[height, width, channels]`.
    pub fn store(&mut self, scaler: &Scaler, inputs: &mut [f32]) {
        self.resample();
        let (shift, scale) = scaler.pixel();
        match self.channels {
            3 => {
                let (inputs, _) = inputs.as_chunks_mut::<3>();
                for (input, pixel) in inputs.iter_mut().zip(&self.pixels) {
                    let [r, g, b, _] = scaled(*pixel, shift, scale);
                    *input = [r, g, b];
                }
            }
            channels => {
                let inputs = inputs.chunks_exact_mut(channels.max(1));
                for (input, pixel) in inputs.zip(&self.pixels) {
                    let pixel = scaled(*pixel, shift, scale);
                    input.iter_mut().zip(pixel).for_each(|(input, value)| *input = value);
                }
            }
        }
    }
}

fn scaled([r, g, b, _]: Pixel, shift: Pixel, scale: Pixel) -> Pixel {
    let [of_r, of_g, of_b, _] = shift;
    let [by_r, by_g, by_b, _] = scale;
    [(r - of_r) / by_r, (g - of_g) / by_g, (b - of_b) / by_b, 0.0]
}
