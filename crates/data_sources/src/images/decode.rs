use std::fs;
use std::io::{self, Cursor};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use image::{
    ColorType, DynamicImage, GrayImage, ImageDecoder, ImageFormat, ImageReader, Limits, Rgb,
    RgbImage,
};

use support::regular_file;

use super::block::ImageFacts;
use super::frame::Frame;

/// An image with 8 bits per sample, rotated according to its EXIF orientation, its transparent parts
/// on white.
#[derive(Debug, Clone)]
pub struct DecodedImage {
    image: DynamicImage,
    /// Properties of its file.
    pub facts: ImageFacts,
}

/// What the header of an image file says about the result of [`DecodedImage::open`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageHeader {
    /// Height and width.
    pub size: [usize; 2],
    /// Whether the file stores colours.
    pub has_colours: bool,
}

/// Error of reading an image file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ImageFileError(String);

/// Maximum size of an image file, in bytes.
const MAX_BYTES: u64 = 1 << 30;
/// Maximum height and width.
const MAX_SIDE: u32 = 1 << 16;
/// Maximum number of pixels of an image file, more than most cameras have.
const MAX_PIXELS: u64 = 100_000_000;
/// Maximum number of bytes of a decoded image, for each pixel that it may have. While an image is decoded,
/// it may take twice as many.
const BYTES_PER_PIXEL: u64 = 4;

impl DecodedImage {
    /// Reads a JPEG, PNG, WebP, BMP, GIF (its first frame) or TIFF file (its first page). Fails if the file
    /// cannot be read, is damaged, too large, or has another format.
    pub fn open(path: &Path) -> Result<Self, ImageFileError> {
        Self::decode(&read(path)?)
    }

    /// Decodes the contents of an image file. Fails if they are damaged, of another format, or have more
    /// than 100 million pixels.
    pub fn decode(bytes: &[u8]) -> Result<Self, ImageFileError> {
        Self::decode_at_most(bytes, MAX_PIXELS)
    }

    /// Decodes the contents of an image file that, according to its header, has at most `max_pixels` and,
    /// decoded, four bytes for each of them. Fails if they are damaged, too large, or of another format.
    pub fn decode_at_most(bytes: &[u8], max_pixels: u64) -> Result<Self, ImageFileError> {
        if is_truncated_jpeg(bytes) {
            return Err(ImageFileError("the file is cut short: its end is missing".to_owned()));
        }
        safely(bytes, || decode(bytes, max_pixels)).map(Self::from)
    }

    /// Resizes to pixels `[height, width, channels]` of `frame`, row-major.
    pub fn pixels(&self, frame: Frame) -> Vec<u8> {
        frame.pixels(&self.image)
    }
}

impl ImageHeader {
    /// Reads the header of a file. Fails if the file cannot be read or has another format.
    pub fn open(path: &Path) -> Result<Self, ImageFileError> {
        Self::read(&read(path)?)
    }

    /// Reads the header of the contents of an image file. Fails if they have another format.
    pub fn read(bytes: &[u8]) -> Result<Self, ImageFileError> {
        safely(bytes, || {
            let mut decoder = reader(bytes, MAX_PIXELS)?.into_decoder()?;
            let (width, height) = decoder.dimensions();
            // Orientations with an odd number of quarter turns are 5 to 8.
            let size = match decoder.orientation()?.to_exif() {
                5.. => [width as usize, height as usize],
                _ => [height as usize, width as usize],
            };
            Ok(Self { size, has_colours: decoder.color_type().has_color() })
        })
    }
}

impl From<DynamicImage> for DecodedImage {
    fn from(image: DynamicImage) -> Self {
        let used_bits = used_bits(&image);
        let facts = ImageFacts {
            has_colours: image.color().has_color(),
            deep: usize::from(used_bits.is_some()),
            used_bits: used_bits.unwrap_or(0),
        };
        Self { image: opaque(image), facts }
    }
}

/// Reads a whole file.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, ImageFileError> {
    let failed = |error: io::Error| ImageFileError(error.to_string());
    let length = fs::metadata(path).map_err(failed)?.len();
    if length > MAX_BYTES {
        return Err(ImageFileError(format!("the file has {length} bytes, more than 1 GiB")));
    }
    regular_file::read(path).map_err(failed)
}

/// Runs a decoder of `bytes` and returns its panics as errors. The error of an unsupported format
/// names a program that converts it.
fn safely<T>(
    bytes: &[u8],
    decode: impl FnOnce() -> image::ImageResult<T>,
) -> Result<T, ImageFileError> {
    match catch_unwind(AssertUnwindSafe(decode)) {
        Ok(Ok(decoded)) => Ok(decoded),
        Ok(Err(error)) => Err(ImageFileError(
            unsupported_format(bytes).map_or_else(|| error.to_string(), str::to_owned),
        )),
        Err(_) => Err(ImageFileError("the decoder panicked".to_owned())),
    }
}

fn reader(bytes: &[u8], max_pixels: u64) -> image::ImageResult<ImageReader<Cursor<&[u8]>>> {
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format()?;
    reader.limits(limits(max_pixels));
    Ok(reader)
}

fn limits(max_pixels: u64) -> Limits {
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(2 * max_pixels * BYTES_PER_PIXEL);
    limits
}

fn decode(bytes: &[u8], max_pixels: u64) -> image::ImageResult<DynamicImage> {
    let mut decoder = reader(bytes, max_pixels)?.into_decoder()?;
    check_size(&decoder, max_pixels)?;
    limits(max_pixels).reserve(decoder.total_bytes())?;
    let orientation = decoder.orientation()?;
    let mut image = DynamicImage::from_decoder(decoder)?;
    image.apply_orientation(orientation);
    Ok(image)
}

/// Fails for an image that is too large, before anything is decoded: a small file can be a huge image.
fn check_size(decoder: &impl ImageDecoder, max_pixels: u64) -> image::ImageResult<()> {
    let (width, height) = decoder.dimensions();
    let megapixels = max_pixels / 1_000_000;
    let found = if u64::from(width) * u64::from(height) > max_pixels {
        format!(
            "{width} x {height} pixels are more than the limit of {megapixels} megapixels; make it smaller"
        )
    } else if decoder.total_bytes() > max_pixels * BYTES_PER_PIXEL {
        format!(
            "{width} x {height} pixels are too many for samples of this depth; save it with 8 bits per sample"
        )
    } else {
        return Ok(());
    };
    Err(image::ImageError::IoError(io::Error::other(found)))
}

/// Number of bits that the largest sample needs; `None` unless the file has 16 bits per sample.
fn used_bits(image: &DynamicImage) -> Option<u32> {
    let samples: &[u16] = match image {
        DynamicImage::ImageLuma16(image) => image.as_raw(),
        DynamicImage::ImageRgb16(image) => image.as_raw(),
        _ => return None,
    };
    samples.iter().max().map(|most| u16::BITS - most.leading_zeros())
}

/// Composites an image on white, as 8 bits per sample: grey or colours.
fn opaque(image: DynamicImage) -> DynamicImage {
    match image.color() {
        ColorType::L8 | ColorType::Rgb8 => image,
        ColorType::L16 => DynamicImage::from(image.into_luma8()),
        ColorType::La8 | ColorType::La16 => {
            let image = image.into_luma_alpha8();
            let pixels = image.pixels().map(|pixel| on_white(pixel[0], pixel[1]));
            GrayImage::from_raw(image.width(), image.height(), pixels.collect())
                .unwrap_or_default()
                .into()
        }
        colour if colour.has_alpha() => {
            let image = image.into_rgba8();
            RgbImage::from_fn(image.width(), image.height(), |x, y| {
                let [red, green, blue, alpha] = image.get_pixel(x, y).0;
                Rgb([red, green, blue].map(|sample| on_white(sample, alpha)))
            })
            .into()
        }
        _ => image.into_rgb8().into(),
    }
}

/// A sample of opacity `alpha` over white, rounded.
fn on_white(sample: u8, alpha: u8) -> u8 {
    let [sample, alpha] = [sample, alpha].map(u32::from);
    ((sample * alpha + 255 * (255 - alpha) + 127) / 255) as u8
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

/// Brands of the container of HEIC and AVIF files.
const HEIC: [&[u8]; 6] = [b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1"];
const AVIF: [&[u8]; 2] = [b"avif", b"avis"];

/// Describes the format of a file that cannot be decoded, with the command that converts it; `None`
/// for an unknown one.
fn unsupported_format(bytes: &[u8]) -> Option<&'static str> {
    let brand = bytes.get(8..12).filter(|_| bytes.get(4..8) == Some(b"ftyp"));
    let start = String::from_utf8_lossy(bytes.get(..256).unwrap_or(bytes)).to_lowercase();
    let start = start.trim_start_matches('\u{feff}').trim_start();
    match brand {
        _ if bytes.is_empty() => Some("the file is empty"),
        Some(brand) if AVIF.contains(&brand) => Some(
            "AVIF cannot be decoded; convert it to PNG: `avifdec IMAGE.avif IMAGE.png`, or `magick mogrify -format png *.avif`",
        ),
        Some(brand) if HEIC.contains(&brand) => Some(
            "HEIC cannot be decoded; convert it to JPEG: `heif-convert IMAGE.heic IMAGE.jpg`, or `magick mogrify -format jpg *.heic`",
        ),
        _ if bytes.starts_with(b"\xff\x0a") || bytes.starts_with(b"\0\0\0\x0cJXL ") => {
            Some("JPEG XL cannot be decoded; convert it to PNG: `djxl IMAGE.jxl IMAGE.png`")
        }
        _ if bytes.starts_with(b"\0\0\0\x0cjP  ") => Some(
            "JPEG 2000 cannot be decoded; convert it to PNG: `opj_decompress -i IMAGE.jp2 -o IMAGE.png`",
        ),
        _ if start.starts_with("<svg") || start.contains("<svg ") => {
            Some("SVG cannot be decoded; convert it to PNG: `rsvg-convert IMAGE.svg -o IMAGE.png`")
        }
        _ if start.starts_with("<!doctype") || start.starts_with("<html") => {
            Some("the file is an HTML page, not an image; download the image itself")
        }
        _ if start.starts_with("version https://git-lfs") => {
            Some("the file is a Git LFS pointer; fetch the image with `git lfs pull`")
        }
        _ => None,
    }
}
