use png::ColorType;

use crate::output::png_data_uri;

/// One image of a data set with its captions.
#[derive(Debug, Clone)]
pub struct DataImage {
    /// Height, width and channels, 1 or 3.
    pub shape: [usize; 3],
    /// Pixels of this shape, row-major.
    pub pixels: Vec<u8>,
    /// Lines below the image; empty lines are omitted.
    pub captions: [String; 2],
}

/// Longest edge of an embedded image in pixels; larger images are reduced.
const EDGE: usize = 176;

impl DataImage {
    /// Returns the image as a PNG in a data URI.
    pub(super) fn uri(&self) -> Result<String, String> {
        let ([height, width], pixels) = self.reduced();
        png_data_uri([width, height], ColorType::Rgb, &pixels)
    }

    /// Returns height and width, at most [`EDGE`], and the pixels as RGB. Larger images are
    /// reduced by an integer factor; each pixel is the mean of a square block.
    fn reduced(&self) -> ([usize; 2], Vec<u8>) {
        let [height, width, channels] = self.shape;
        let step = height.max(width).div_ceil(EDGE).max(1);
        let size = [height / step, width / step].map(|edge| edge.max(1));
        let value = |y: usize, x: usize, channel: usize| {
            let at = (y * width + x) * channels + channel.min(channels.saturating_sub(1));
            self.pixels.get(at).copied().map_or(0, u32::from)
        };
        let mean = |row: usize, column: usize, channel: usize| {
            let (ys, xs) = (
                row * step..height.min((row + 1) * step),
                column * step..width.min((column + 1) * step),
            );
            let count = (ys.len() * xs.len()).max(1) as u32;
            let sum: u32 = ys
                .flat_map(|y| xs.clone().map(move |x| (y, x)))
                .map(|(y, x)| value(y, x, channel))
                .sum();
            (sum / count) as u8
        };
        let mut pixels = Vec::with_capacity(3 * size[0] * size[1]);
        for row in 0..size[0] {
            for column in 0..size[1] {
                pixels.extend([0, 1, 2].map(|channel| mean(row, column, channel)));
            }
        }
        (size, pixels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_image_is_reduced_to_the_means_of_its_pixels() {
        let pixels = (0..400 * 1000).map(|at| if at % 2 == 0 { 0 } else { 100 }).collect();
        let image = DataImage { shape: [400, 1000, 1], pixels, captions: Default::default() };
        let (size, pixels) = image.reduced();
        assert_eq!(size, [66, 166]);
        assert_eq!(pixels, [50; 3 * 66 * 166]);
    }
}
