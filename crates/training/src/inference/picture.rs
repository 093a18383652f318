use std::io::Cursor;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageBuffer, ImageFormat, ImageResult};

use crate::error::RunError;

/// Largest width and height of a picture.
const LARGEST: u32 = 96;

/// Largest size of a PNG file in bytes; pictures with more details are JPEG files.
const LARGEST_PNG: usize = 4096;

/// Pixels `[height, width, channels]` as the data URI of a picture, scaled down if it is large.
pub fn picture(pixels: &[u8], shape: [usize; 3]) -> Result<String, RunError> {
    let (kind, bytes) =
        encoded(pixels.to_vec(), shape).map_err(|error| RunError::Record(error.to_string()))?;
    Ok(format!("data:image/{kind};base64,{}", BASE64_STANDARD.encode(bytes)))
}

fn encoded(
    pixels: Vec<u8>,
    [height, width, channels]: [usize; 3],
) -> ImageResult<(&'static str, Vec<u8>)> {
    let (width, height) = (width as u32, height as u32);
    let image: Option<DynamicImage> = match channels {
        1 => ImageBuffer::from_raw(width, height, pixels).map(DynamicImage::ImageLuma8),
        2 => ImageBuffer::from_raw(width, height, pixels).map(DynamicImage::ImageLumaA8),
        3 => ImageBuffer::from_raw(width, height, pixels).map(DynamicImage::ImageRgb8),
        _ => ImageBuffer::from_raw(width, height, pixels).map(DynamicImage::ImageRgba8),
    };
    let mut image = image.unwrap_or_default();
    if width.max(height) > LARGEST {
        image = image.thumbnail(LARGEST, LARGEST);
    }
    let mut png = Cursor::new(Vec::new());
    image.write_to(&mut png, ImageFormat::Png)?;
    let png = png.into_inner();
    if png.len() <= LARGEST_PNG || image.color().has_alpha() {
        return Ok(("png", png));
    }
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, 90).encode_image(&image)?;
    Ok(("jpeg", jpeg))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(uri: &str) -> (&str, DynamicImage) {
        let (kind, base64) =
            uri.strip_prefix("data:image/").unwrap().split_once(";base64,").unwrap();
        (kind, image::load_from_memory(&BASE64_STANDARD.decode(base64).unwrap()).unwrap())
    }

    #[test]
    fn small_pictures_have_the_pixels_of_their_examples() {
        for channels in 1..=4 {
            let pixels: Vec<u8> = (0..5 * 3 * channels as u8).map(|value| value * 4).collect();
            let uri = picture(&pixels, [5, 3, channels]).unwrap();
            let (kind, image) = decoded(&uri);
            assert_eq!((kind, image.width(), image.height()), ("png", 3, 5));
            assert_eq!(image.into_bytes(), pixels);
        }
    }

    #[test]
    fn large_pictures_are_scaled_down_and_those_with_details_compressed() {
        for (channels, kind) in [(3, "jpeg"), (4, "png")] {
            let noise =
                (0..200 * 100 * channels).map(|index| (index * index * 7919 % 65_537) as u8);
            let uri = picture(&noise.collect::<Vec<_>>(), [200, 100, channels]).unwrap();
            let (found, image) = decoded(&uri);
            assert_eq!((found, image.width(), image.height()), (kind, 48, 96));
        }
    }
}
