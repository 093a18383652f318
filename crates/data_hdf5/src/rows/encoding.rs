use data::Values;
use serde::{Deserialize, Serialize};

use crate::element::{Number, NumberKind};
use crate::error::{ErrorContext, Hdf5Error};
use crate::object::reserve;

/// Encoding of the values of an example in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Encoding {
    pub number: Number,
    /// Order of the axes of an image; `None` for features.
    pub axes: Option<AxisOrder>,
}

/// Order of the axes of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
    pub const PIXELS: Self = Self { number: Number::BYTE, axes: Some(AxisOrder::Hwc) };

    pub fn are_pixels(self) -> bool {
        self.axes.is_some()
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
    ) -> Result<Values, Hdf5Error> {
        if self == Self::PIXELS {
            return Ok(Values::Pixels(bytes));
        }
        let (count, width) = (bytes.len() / self.number.size, shape.iter().product::<usize>());
        let images = bytes.chunks_exact((width * self.number.size).max(1));
        let Some(axes) = self.axes else {
            let mut features = reserve(context, count)?;
            for (row, bytes) in rows.zip(images) {
                let (mut column, mut bad) = (0, None);
                self.number.for_each(bytes, |number| {
                    features.push(number as f32);
                    if !(number as f32).is_finite() {
                        bad = bad.or(Some((column, number)));
                    }
                    column += 1;
                });
                if let Some((column, number)) = bad {
                    return Err(out_of_range(context, [row, column], number));
                }
            }
            return Ok(Values::Features(features));
        };
        let (mut pixels, mut image) = (reserve(context, count)?, Vec::new());
        for bytes in images {
            image.clear();
            self.number.for_each(bytes, |number| image.push(scale.pixel(number)));
            axes.append(&image, shape, &mut pixels);
        }
        Ok(Values::Pixels(pixels))
    }
}

/// Error for a feature at an index, row and column, that is not finite in `f32`.
pub fn out_of_range(context: &ErrorContext, index: [usize; 2], number: f64) -> Hdf5Error {
    let found = format!("{number:?} at index {index:?}");
    let remedy = "remove the example, or replace the value by a finite number";
    context.content(found, "numbers from -3.4e38 to 3.4e38, the range of float32", remedy)
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

/// Number in a file that stands for the brightest pixel, 255.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PixelScale(pub u16);

impl PixelScale {
    /// Numbers from 0 to 255 are pixels.
    pub const BYTE: Self = Self(255);

    /// Converts a number of the file.
    pub fn pixel(self, number: f64) -> u8 {
        (number * 255.0 / f64::from(self.0)).round() as u8
    }
}

/// Range of the values of images.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ValueRange {
    pub min: f64,
    pub max: f64,
    /// Whether all values are whole numbers.
    pub whole: bool,
}

/// Images with values from 0 to 255 that are not whole have a value of at least this.
const BRIGHT: f64 = 128.0;

impl ValueRange {
    /// The range of no value.
    pub const EMPTY: Self = Self { min: f64::INFINITY, max: f64::NEG_INFINITY, whole: true };

    /// Adds the values of the image at index `row`, which must be finite.
    pub fn add(
        &mut self,
        context: &ErrorContext,
        row: usize,
        bytes: &[u8],
        number: Number,
    ) -> Result<(), Hdf5Error> {
        let mut bad = None;
        number.for_each(bytes, |number| {
            if !number.is_finite() {
                bad = Some(number);
            }
            self.min = self.min.min(number);
            self.max = self.max.max(number);
            self.whole &= number.fract() == 0.0;
        });
        let Some(bad) = bad else { return Ok(()) };
        let remedy = context.replace_command("np.nan_to_num(x, posinf=0, neginf=0)");
        Err(context.content(format!("{bad} in the image at index {row}"), "finite numbers", remedy))
    }

    /// Infers the scale from the values: 0 to 1, 0 to 255, or 12 or 16 bits.
    pub fn scale(&self, context: &ErrorContext, number: Number) -> Result<PixelScale, Hdf5Error> {
        let Self { min, max, whole } = *self;
        let fits = |white: f64| {
            (min / white * 255.0).round() >= 0.0 && (max / white * 255.0).round() <= 255.0
        };
        match number {
            _ if fits(1.0) => Ok(PixelScale(1)),
            _ if fits(255.0) && (whole || max >= BRIGHT) => Ok(PixelScale::BYTE),
            Number { kind: NumberKind::Unsigned, size: 2, .. } => {
                Ok(PixelScale(if max <= 4095.0 { 4095 } else { u16::MAX }))
            }
            _ => {
                let found = format!("{number} from {} to {}", short(min), short(max));
                let expected = "pixels from 0 to 1 or from 0 to 255";
                Err(context.content(found, expected, self.remedy(context)))
            }
        }
    }

    /// Returns the command that maps the range to 0 to 255.
    fn remedy(&self, context: &ErrorContext) -> String {
        let Self { min, max, .. } = *self;
        let is_symmetric = (-1.0..0.0).contains(&min) && max <= 1.0;
        let (min, max) = if is_symmetric { (-1.0, 1.0) } else { (min.min(0.0), max) };
        let number = match min < 0.0 {
            true => format!("(x.astype('f4') + {})", short(-min)),
            false => "x.astype('f4')".to_owned(),
        };
        let factor = format!("(255 / {})", short(max - min));
        let expression = format!("({number} * {factor}).round().clip(0, 255).astype('uint8')");
        let command = context.replace_command(&expression);
        command + " (with the same numbers for every file of the data set)"
    }
}

/// A number with at most four decimals.
fn short(number: f64) -> f64 {
    (number * 1e4).round() / 1e4
}
