//! Reads image files as pixels.

use std::fs;
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use image::imageops::{self, FilterType};
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};
use serde::Serialize;

/// Resizing of an image with another aspect ratio.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fit {
    /// Scale height and width independently, as the courses and predictions do.
    #[default]
    Stretch,
    /// Crop the centre to the aspect ratio.
    Crop,
    /// Add black borders around the whole image.
    Pad,
}

/// Error of reading an image file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ImageFileError(String);

/// Maximum size of an image file, and of the memory for decoding it, in bytes.
const MAX_BYTES: u64 = 1 << 30;

/// Reads a PNG or JPEG of any size, rotated according to its EXIF orientation, and resizes it to
/// `shape`: `[height, width, channels]`, 1 or 3 channels.
///
/// # Errors
///
/// If the file cannot be read, is corrupt, or has another format.
pub fn read_image(path: &Path, shape: [usize; 3], fit: Fit) -> Result<Vec<u8>, ImageFileError> {
    Ok(pixels(&open_image(path)?, shape, fit))
}

/// Reads a PNG or JPEG, rotated according to its EXIF orientation.
pub(crate) fn open_image(path: &Path) -> Result<DynamicImage, ImageFileError> {
    let bytes = read(path)?;
    if is_truncated_jpeg(&bytes) {
        return Err(ImageFileError("the file is cut short: its end is missing".to_owned()));
    }
    decode_safely(|| decode(&bytes))
}

/// Height and width of the result of [`open_image`], from the header of the file.
pub(crate) fn image_size(path: &Path) -> Result<[usize; 2], ImageFileError> {
    let bytes = read(path)?;
    decode_safely(|| {
        let mut decoder =
            ImageReader::new(Cursor::new(&bytes)).with_guessed_format()?.into_decoder()?;
        let (width, height) = decoder.dimensions();
        // Orientations with an odd number of quarter turns are 5 to 8.
        Ok(match decoder.orientation()?.to_exif() {
            5.. => [width as usize, height as usize],
            _ => [height as usize, width as usize],
        })
    })
}

/// Resizes an image to `[height, width, channels]` pixels.
pub(crate) fn pixels(
    image: &DynamicImage,
    [height, width, channels]: [usize; 3],
    fit: Fit,
) -> Vec<u8> {
    let image = resized(image, width as u32, height as u32, fit);
    match channels {
        1 => image.into_luma8().into_raw(),
        _ => image.into_rgb8().into_raw(),
    }
}

fn resized(image: &DynamicImage, width: u32, height: u32, fit: Fit) -> DynamicImage {
    match fit {
        Fit::Stretch => image.resize_exact(width, height, FilterType::Triangle),
        Fit::Crop => {
            // Cropped before resizing, because a long narrow image would become huge.
            let [wide, high] = scaled_to_fit(width, height, image.width(), image.height());
            let (left, top) = ((image.width() - wide) / 2, (image.height() - high) / 2);
            let centre = image.crop_imm(left, top, wide, high);
            centre.resize_exact(width, height, FilterType::Triangle)
        }
        Fit::Pad => {
            let [wide, high] = scaled_to_fit(image.width(), image.height(), width, height);
            let whole = image.resize_exact(wide, high, FilterType::Triangle);
            let mut padded = DynamicImage::new(width, height, image.color());
            let (left, top) = ((width - wide) / 2, (height - high) / 2);
            imageops::replace(&mut padded, &whole, i64::from(left), i64::from(top));
            padded
        }
    }
}

/// Scales `width` and `height` to the largest size within the maxima, at least 1.
fn scaled_to_fit(width: u32, height: u32, max_width: u32, max_height: u32) -> [u32; 2] {
    let [width, height] = [width.max(1), height.max(1)].map(f64::from);
    let scale = (f64::from(max_width) / width).min(f64::from(max_height) / height);
    let scaled = |side: f64, max: u32| ((side * scale).round() as u32).clamp(1, max.max(1));
    [scaled(width, max_width), scaled(height, max_height)]
}

fn read(path: &Path) -> Result<Vec<u8>, ImageFileError> {
    let failed = |error: std::io::Error| ImageFileError(error.to_string());
    let length = fs::metadata(path).map_err(failed)?.len();
    if length > MAX_BYTES {
        return Err(ImageFileError(format!("the file has {length} bytes, more than 1 GiB")));
    }
    fs::read(path).map_err(failed)
}

/// Runs a decoder and returns its panics as errors.
fn decode_safely<T>(decode: impl FnOnce() -> image::ImageResult<T>) -> Result<T, ImageFileError> {
    match catch_unwind(AssertUnwindSafe(decode)) {
        Ok(decoded) => decoded.map_err(|error| ImageFileError(error.to_string())),
        Err(_) => Err(ImageFileError("the decoder panicked".to_owned())),
    }
}

fn decode(bytes: &[u8]) -> image::ImageResult<DynamicImage> {
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_BYTES);
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format()?;
    reader.limits(limits.clone());
    let mut decoder = reader.into_decoder()?;
    limits.reserve(decoder.total_bytes())?;
    let orientation = decoder.orientation()?;
    let mut image = DynamicImage::from_decoder(decoder)?;
    image.apply_orientation(orientation);
    Ok(image)
}

/// Returns true for a JPEG without an end marker. The decoder would fill the missing pixels with grey.
fn is_truncated_jpeg(bytes: &[u8]) -> bool {
    let is_jpeg = image::guess_format(bytes).is_ok_and(|format| format == ImageFormat::Jpeg);
    is_jpeg
        && !jpeg_scans(bytes)
            .is_some_and(|pixels| pixels.windows(2).any(|marker| marker == [0xff, 0xd9]))
}

/// The bytes after the header of the first scan. Segments before it, which may contain a thumbnail, are
/// skipped by their length.
fn jpeg_scans(bytes: &[u8]) -> Option<&[u8]> {
    let mut rest = bytes.get(2..)?;
    loop {
        let &[0xff, marker, high, low, ..] = rest else { return None };
        rest = rest.get(2 + usize::from(u16::from_be_bytes([high, low]))..)?;
        if marker == 0xda {
            return Some(rest);
        }
    }
}
