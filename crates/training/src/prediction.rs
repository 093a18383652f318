use std::fs;
use std::io::Cursor;
use std::path::Path;

use image::imageops::FilterType;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};
use serde::Serialize;

use crate::error::RunError;
use crate::scores::largest;

/// What a model takes an image or a point for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Prediction {
    /// The path of the image file, as far as it is Unicode, or the features.
    pub input: String,
    /// The name of the most likely class.
    pub class: String,
    /// Its probability.
    pub probability: f32,
    /// The probability of each class, in the order of the labels.
    pub probabilities: Vec<ClassProbability>,
}

/// The probability of one class.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassProbability {
    /// The name of the class.
    pub class: String,
    /// Its probability.
    pub probability: f32,
}

/// The most that decoding one image may take, in bytes.
const DECODING_LIMIT: u64 = 1 << 30;

impl Prediction {
    /// The prediction for `input` with one probability a class; `None` if there is no class.
    pub fn new(input: String, classes: &[String], probabilities: &[f32]) -> Option<Self> {
        let pairs = classes.iter().cloned().zip(probabilities.iter().copied());
        let all: Vec<_> =
            pairs.map(|(class, probability)| ClassProbability { class, probability }).collect();
        let ClassProbability { class, probability } = all.get(largest(probabilities))?.clone();
        Some(Self { input, class, probability, probabilities: all })
    }
}

/// Reads a PNG or JPEG of any size as pixels `[height, width, channels]` of `shape`.
///
/// The image is turned as its EXIF orientation says and stretched to the size, as in the courses.
pub fn read_image(path: &Path, [height, width, channels]: [usize; 3]) -> Result<Vec<u8>, RunError> {
    let error = |reason: String| RunError::Image { path: path.to_owned(), reason };
    let bytes = fs::read(path).map_err(|unread| error(unread.to_string()))?;
    if is_cut_jpeg(&bytes) {
        return Err(error("it is cut short: its end is missing".into()));
    }
    let image = decode(&bytes).map_err(|undecoded| error(undecoded.to_string()))?;
    let image = image.resize_exact(width as u32, height as u32, FilterType::Triangle);
    Ok(match channels {
        1 => image.to_luma8().into_raw(),
        _ => image.to_rgb8().into_raw(),
    })
}

/// Whether these are the bytes of a JPEG whose pixels have no end. The decoder would fill what is
/// missing with grey.
fn is_cut_jpeg(bytes: &[u8]) -> bool {
    let is_jpeg = image::guess_format(bytes).is_ok_and(|format| format == ImageFormat::Jpeg);
    is_jpeg
        && !pixels_of_jpeg(bytes)
            .is_some_and(|pixels| pixels.windows(2).any(|marker| marker == [0xff, 0xd9]))
}

/// What follows the header of the first scan: the segments before it, of which a thumbnail may be
/// one, say how long they are.
fn pixels_of_jpeg(bytes: &[u8]) -> Option<&[u8]> {
    let mut rest = bytes.get(2..)?;
    loop {
        let &[0xff, marker, high, low, ..] = rest else { return None };
        rest = rest.get(2 + usize::from(u16::from_be_bytes([high, low]))..)?;
        if marker == 0xda {
            return Some(rest);
        }
    }
}

fn decode(bytes: &[u8]) -> image::ImageResult<DynamicImage> {
    let mut limits = Limits::default();
    limits.max_alloc = Some(DECODING_LIMIT);
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format()?;
    reader.limits(limits.clone());
    let mut decoder = reader.into_decoder()?;
    limits.reserve(decoder.total_bytes())?;
    let orientation = decoder.orientation()?;
    let mut image = DynamicImage::from_decoder(decoder)?;
    image.apply_orientation(orientation);
    Ok(image)
}
