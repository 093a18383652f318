//! Image files as pixels.

use std::fs;
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use image::imageops::{self, FilterType};
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};
use serde::Serialize;

/// How an image of another form is brought to a size.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fit {
    /// Height and width each to their size, as in the courses and in predictions.
    #[default]
    Stretch,
    /// Its middle, as much of it as has the form.
    Crop,
    /// All of it, in the middle between black borders.
    Pad,
}

/// Why an image file cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ImageFileError(String);

/// The most that decoding one image may take, in bytes, and the longest file.
const LIMIT: u64 = 1 << 30;

/// Reads a PNG or JPEG of any size as pixels `[height, width, channels]` of `shape`, 1 or 3 channels,
/// turned as its EXIF orientation says.
///
/// # Errors
///
/// If it cannot be read, is damaged, or is something else.
pub fn read_image(path: &Path, shape: [usize; 3], fit: Fit) -> Result<Vec<u8>, ImageFileError> {
    Ok(pixels(&open_image(path)?, shape, fit))
}

/// Reads a PNG or JPEG, turned as its EXIF orientation says.
pub(crate) fn open_image(path: &Path) -> Result<DynamicImage, ImageFileError> {
    let bytes = read(path)?;
    if is_cut_jpeg(&bytes) {
        return Err(ImageFileError("it is cut short: its end is missing".to_owned()));
    }
    guarded(|| decode(&bytes))
}

/// The height and width of a PNG or JPEG as [`open_image`] gives it, told by its header.
pub(crate) fn image_size(path: &Path) -> Result<[usize; 2], ImageFileError> {
    let bytes = read(path)?;
    guarded(|| {
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

/// An image as pixels of `shape`.
pub(crate) fn pixels(
    image: &DynamicImage,
    [height, width, channels]: [usize; 3],
    fit: Fit,
) -> Vec<u8> {
    let image = fitted(image, width as u32, height as u32, fit);
    match channels {
        1 => image.into_luma8().into_raw(),
        _ => image.into_rgb8().into_raw(),
    }
}

fn fitted(image: &DynamicImage, width: u32, height: u32, fit: Fit) -> DynamicImage {
    match fit {
        Fit::Stretch => image.resize_exact(width, height, FilterType::Triangle),
        Fit::Crop => {
            // Cut before it is resized: of a long narrow image little is left.
            let [wide, high] = within(width, height, image.width(), image.height());
            let (left, top) = ((image.width() - wide) / 2, (image.height() - high) / 2);
            let middle = image.crop_imm(left, top, wide, high);
            middle.resize_exact(width, height, FilterType::Triangle)
        }
        Fit::Pad => {
            let [wide, high] = within(image.width(), image.height(), width, height);
            let whole = image.resize_exact(wide, high, FilterType::Triangle);
            let mut padded = DynamicImage::new(width, height, image.color());
            let (left, top) = ((width - wide) / 2, (height - high) / 2);
            imageops::replace(&mut padded, &whole, i64::from(left), i64::from(top));
            padded
        }
    }
}

/// The largest width and height of the form `width` to `height` within others, at least 1.
fn within(width: u32, height: u32, most_width: u32, most_height: u32) -> [u32; 2] {
    let [width, height] = [width.max(1), height.max(1)].map(f64::from);
    let scale = (f64::from(most_width) / width).min(f64::from(most_height) / height);
    let scaled = |side: f64, most: u32| ((side * scale).round() as u32).clamp(1, most.max(1));
    [scaled(width, most_width), scaled(height, most_height)]
}

fn read(path: &Path) -> Result<Vec<u8>, ImageFileError> {
    let unread = |error: std::io::Error| ImageFileError(error.to_string());
    let length = fs::metadata(path).map_err(unread)?.len();
    if length > LIMIT {
        return Err(ImageFileError(format!("it has {length} bytes, more than 1 GiB")));
    }
    fs::read(path).map_err(unread)
}

/// What a decoder makes of bytes that may hold anything.
fn guarded<T>(decode: impl FnOnce() -> image::ImageResult<T>) -> Result<T, ImageFileError> {
    match catch_unwind(AssertUnwindSafe(decode)) {
        Ok(decoded) => decoded.map_err(|error| ImageFileError(error.to_string())),
        Err(_) => Err(ImageFileError("its decoder broke off".to_owned())),
    }
}

fn decode(bytes: &[u8]) -> image::ImageResult<DynamicImage> {
    let mut limits = Limits::default();
    limits.max_alloc = Some(LIMIT);
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format()?;
    reader.limits(limits.clone());
    let mut decoder = reader.into_decoder()?;
    limits.reserve(decoder.total_bytes())?;
    let orientation = decoder.orientation()?;
    let mut image = DynamicImage::from_decoder(decoder)?;
    image.apply_orientation(orientation);
    Ok(image)
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
