use data::Rows;
use serde::{Deserialize, Serialize};

use super::pixel_scale::PixelScale;
use crate::buffer::reserve;
use crate::context::ErrorContext;
use crate::error::Hdf5Error;
use crate::features;
use crate::number::Number;

/// Encoding of the values of an example in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Encoding {
    pub number: Number,
    pub content: Content,
}

/// What the values of an example are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    Features,
    /// Pixels of an image, with its axes in this order.
    Pixels(AxisOrder),
}

/// Order of the axes of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AxisOrder {
    /// Height, width, channels.
    Hwc,
    /// Channels, height, width.
    Chw,
    /// Channels, width, height: that of MATLAB.
    Cwh,
}

impl Encoding {
    /// Bytes that are the pixels of [`data::Examples`].
    pub const PIXELS: Self =
        Self { number: Number::BYTE, content: Content::Pixels(AxisOrder::Hwc) };

    pub fn are_pixels(self) -> bool {
        matches!(self.content, Content::Pixels(_))
    }

    /// Returns whether the range of all values determines how they are scaled.
    pub fn needs_range(self) -> bool {
        self.are_pixels() && self.number != Number::BYTE
    }

    /// Number of bytes of a value in memory.
    pub fn decoded_size(self) -> usize {
        if self.are_pixels() { size_of::<u8>() } else { size_of::<f32>() }
    }

    /// Decodes `bytes`, rows of this `shape`. `rows` are their indices in the file, for errors.
    pub fn decode(
        self,
        context: &ErrorContext,
        bytes: Vec<u8>,
        (shape, scale): ([usize; 3], PixelScale),
        rows: impl Iterator<Item = usize>,
    ) -> Result<Rows, Hdf5Error> {
        let size = self.number.size();
        let width = (shape.iter().product::<usize>() * size).max(1);
        match self.content {
            Content::Features => {
                let mut features = reserve(context, bytes.len() / size)?;
                for (row, bytes) in rows.zip(bytes.chunks_exact(width)) {
                    features::append(context, row, bytes, self.number, &mut features)?;
                }
                Ok(Rows::Features(features))
            }
            Content::Pixels(_) if self == Self::PIXELS => Ok(Rows::Pixels(bytes)),
            Content::Pixels(order) => {
                let mut pixels = reserve(context, bytes.len() / size)?;
                let mut image = Vec::new();
                for bytes in bytes.chunks_exact(width) {
                    image.clear();
                    self.number.for_each(bytes, |number| image.push(scale.pixel(number)));
                    order.append(&image, shape, &mut pixels);
                }
                Ok(Rows::Pixels(pixels))
            }
        }
    }
}

impl AxisOrder {
    /// Appends an image in this order to `pixels`, which have the order height, width, channels.
    fn append(self, image: &[u8], [height, width, channels]: [usize; 3], pixels: &mut Vec<u8>) {
        let [down, right, channel] = match self {
            Self::Hwc => return pixels.extend_from_slice(image),
            Self::Chw => [width, 1, height * width],
            Self::Cwh => [1, height, height * width],
        };
        for y in 0..height {
            for x in 0..width {
                let values = image.iter().skip(y * down + x * right).step_by(channel.max(1));
                pixels.extend(values.take(channels));
            }
        }
    }
}
