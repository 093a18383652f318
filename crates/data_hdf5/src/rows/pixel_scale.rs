use super::encoding::Encoding;
use crate::context::ErrorContext;
use crate::error::Hdf5Error;
use crate::mend;
use crate::number::Number;

/// Number in a file that stands for the brightest pixel, 255.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PixelScale(u16);

impl PixelScale {
    /// Numbers from 0 to 255 are pixels.
    pub const BYTE: Self = Self(255);
    const UNIT: Self = Self(1);
    const BITS_12: Self = Self((1 << 12) - 1);
    const BITS_16: Self = Self(u16::MAX);

    /// Converts a number of the file.
    pub fn pixel(self, number: f64) -> u8 {
        (number * 255.0 / f64::from(self.0)).round() as u8
    }

    /// The largest number.
    pub fn white(self) -> u16 {
        self.0
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
        let remedy = mend::command(context, "np.nan_to_num(x, posinf=0, neginf=0)");
        Err(context.content(format!("{bad} in the image at index {row}"), "finite numbers", remedy))
    }

    /// Infers the scale from the values: 0 to 1, 0 to 255, or 12 or 16 bits.
    pub fn scale(
        &self,
        context: &ErrorContext,
        encoding: Encoding,
    ) -> Result<PixelScale, Hdf5Error> {
        let Self { min, max, whole } = *self;
        let fits = |white: f64| {
            (min / white * 255.0).round() >= 0.0 && (max / white * 255.0).round() <= 255.0
        };
        match encoding.number {
            _ if fits(1.0) => Ok(PixelScale::UNIT),
            _ if fits(255.0) && (whole || max >= BRIGHT) => Ok(PixelScale::BYTE),
            Number::Integer { size: 2, signed: false, .. } if max <= 4095.0 => {
                Ok(PixelScale::BITS_12)
            }
            Number::Integer { size: 2, signed: false, .. } => Ok(PixelScale::BITS_16),
            number => {
                let found = format!("{number} from {} to {}", Short(min), Short(max));
                Err(context.content(
                    found,
                    "pixels from 0 to 1 or from 0 to 255",
                    self.remedy(context),
                ))
            }
        }
    }

    /// Returns the command that maps the range to 0 to 255.
    fn remedy(&self, context: &ErrorContext) -> String {
        let Self { min, max, .. } = *self;
        let is_symmetric = (-1.0..0.0).contains(&min) && max <= 1.0;
        let (min, max) = if is_symmetric { (-1.0, 1.0) } else { (min.min(0.0), max) };
        let number = if min < 0.0 {
            format!("(x.astype('f4') + {})", Short(-min))
        } else {
            "x.astype('f4')".to_owned()
        };
        let range = Short(max - min);
        let expression =
            format!("({number} * (255 / {range})).round().clip(0, 255).astype('uint8')");
        mend::command(context, &expression)
            + " (with the same numbers for every file of the data set)"
    }
}

/// A number with at most four decimals.
struct Short(f64);

impl std::fmt::Display for Short {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", (self.0 * 1e4).round() / 1e4)
    }
}
