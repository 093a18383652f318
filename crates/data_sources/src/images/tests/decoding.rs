use image::{GrayAlphaImage, ImageBuffer, ImageFormat, Luma, LumaA, Rgba, RgbaImage};

use super::*;

fn decoded(image: &DynamicImage, format: ImageFormat) -> DecodedImage {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    DecodedImage::decode(bytes.get_ref()).unwrap()
}

#[test]
fn lossless_formats_have_the_same_pixels() {
    let image = DynamicImage::from(picture("a"));
    for format in [ImageFormat::Png, ImageFormat::WebP, ImageFormat::Bmp, ImageFormat::Tiff] {
        let pixels = decoded(&image, format).pixels(frame(4, 6, 3));
        assert_eq!(pixels, image.clone().into_rgb8().into_raw(), "{format:?}");
    }
}

#[test]
fn the_first_frame_of_a_gif_is_used() {
    let frame_of =
        |colour| image::Frame::new(RgbaImage::from_pixel(6, 4, Rgba([colour, 0, 0, 255])));
    let mut bytes = Vec::new();
    let mut encoder = image::codecs::gif::GifEncoder::new(&mut bytes);
    encoder.encode_frames([frame_of(200), frame_of(10)]).unwrap();
    drop(encoder);
    let pixels = DecodedImage::decode(&bytes).unwrap().pixels(frame(4, 6, 3));
    assert!(pixels.chunks(3).all(|pixel| pixel == [200, 0, 0]), "{pixels:?}");
}

/// Left half (20, 180, 60), right half (200, 40, 90).
#[track_caller]
fn assert_two_colours(bytes: &[u8]) {
    let image = DecodedImage::decode(bytes).unwrap();
    let pixels = image.pixels(frame(8, 16, 3));
    for (column, colour) in [(2, [20, 180, 60]), (12, [200, 40, 90])] {
        for (found, expected) in pixels[(4 * 16 + column) * 3..][..3].iter().zip(colour) {
            assert!(found.abs_diff(expected) <= 3, "{:?}", &pixels[(4 * 16 + column) * 3..][..3]);
        }
    }
}

#[test]
fn cmyk_and_progressive_jpegs_have_their_colours() {
    // Written by Pillow, with the inverted values of Adobe's CMYK.
    assert_two_colours(include_bytes!("cmyk.jpg"));
    assert_two_colours(include_bytes!("progressive.jpg"));
}

#[test]
fn transparent_parts_become_white_whatever_colour_they_hide() {
    let image = |hidden: u8| {
        RgbaImage::from_fn(6, 4, |x, _| {
            if x < 2 { Rgba([hidden, hidden, hidden, 0]) } else { Rgba([200, 100, 0, 255]) }
        })
    };
    let pixels = |hidden, format| decoded(&image(hidden).into(), format).pixels(frame(4, 6, 3));
    let expected = pixels(0, ImageFormat::Png);
    assert_eq!(expected[..9], [255, 255, 255, 255, 255, 255, 200, 100, 0]);
    for hidden in [0, 90, 255] {
        for format in [ImageFormat::Png, ImageFormat::WebP, ImageFormat::Tiff] {
            assert_eq!(pixels(hidden, format), expected, "{hidden} {format:?}");
        }
    }
    // Half transparent, grey.
    let grey = GrayAlphaImage::from_pixel(2, 1, LumaA([100, 51]));
    assert_eq!(decoded(&grey.into(), ImageFormat::Png).pixels(frame(1, 2, 1)), [224, 224]);
}

#[test]
fn images_that_use_few_of_16_bits_are_warned_of() {
    let facts = |most: u16| {
        let image = ImageBuffer::from_fn(6, 4, |x, _| Luma([(x * u32::from(most) / 5) as u16]));
        decoded(&DynamicImage::ImageLuma16(image), ImageFormat::Png).facts
    };
    let warning = facts(4095).warning().unwrap();
    assert!(warning.starts_with("1 image with 16 bits per sample use only 12"), "{warning}");
    assert!(warning.ends_with("multiply their samples by 16"), "{warning}");
    assert_eq!(facts(65_535).warning(), None);
    // One image that uses all bits shows that the others are dark.
    let mut both = facts(4095);
    both.merge(facts(60_000));
    assert_eq!(both.warning(), None);
    let mut eight = ImageFacts::default();
    eight.merge(decoded(&picture("a").into(), ImageFormat::Png).facts);
    assert_eq!(eight.warning(), None);
}

#[test]
fn each_exif_orientation_is_undone() {
    // Of 2 x 1 pixels, 10 and 200.
    let expected: [(&[u8], [usize; 2]); 8] = [
        (&[10, 200], [1, 2]),
        (&[200, 10], [1, 2]),
        (&[200, 10], [1, 2]),
        (&[10, 200], [1, 2]),
        (&[10, 200], [2, 1]),
        (&[10, 200], [2, 1]),
        (&[200, 10], [2, 1]),
        (&[200, 10], [2, 1]),
    ];
    let tree = Tree::new();
    for (orientation, (pixels, [height, width])) in (1..).zip(expected) {
        let mut tiff = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0".to_vec();
        tiff[18] = orientation;
        let mut bytes = Vec::new();
        let mut encoder = image::codecs::png::PngEncoder::new(&mut bytes);
        image::ImageEncoder::set_exif_metadata(&mut encoder, tiff).unwrap();
        let colour = image::ExtendedColorType::L8;
        image::ImageEncoder::write_image(encoder, &[10, 200], 2, 1, colour).unwrap();
        let image = DecodedImage::decode(&bytes).unwrap();
        assert_eq!(image.pixels(frame(height, width, 1)), pixels, "{orientation}");
        tree.write("a.png", &bytes);
        let header = ImageHeader::open(&tree.path("a.png")).unwrap();
        assert_eq!((header.size, header.has_colours), ([height, width], false), "{orientation}");
    }
}

#[test]
fn a_format_that_cannot_be_decoded_is_named_with_the_command_that_converts_it() {
    let cases: [(&[u8], &str); 8] = [
        (
            b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
            "HEIC cannot be decoded; convert it to JPEG: `heif-convert",
        ),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "HEIC"),
        (
            b"\0\0\0\x1cftypavif\0\0\0\0avifmif1",
            "AVIF cannot be decoded; convert it to PNG: `avifdec",
        ),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
        (b"<?xml version='1.0'?><svg xmlns='x'/>", "SVG"),
        (b"<!DOCTYPE html><html>", "HTML page"),
        (b"version https://git-lfs.github.com/spec/v1", "git lfs pull"),
        (b"", "the file is empty"),
    ];
    for (bytes, expected) in cases {
        let error = DecodedImage::decode(bytes).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn the_number_of_pixels_is_limited_before_any_is_decoded() {
    // A PNG that declares 60,000 x 60,000 pixels and has none.
    let mut bytes = Vec::new();
    let encoder = image::codecs::png::PngEncoder::new(&mut bytes);
    image::ImageEncoder::write_image(encoder, &[0], 1, 1, image::ExtendedColorType::L8).unwrap();
    bytes[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
    let checksum = crc32(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&checksum.to_be_bytes());
    let error = DecodedImage::decode(&bytes).unwrap_err().to_string();
    assert!(error.contains("60000 x 60000 pixels are more than the limit"), "{error}");
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 * (crc & 1)))
    })
}

#[test]
fn a_jpeg_without_its_end_is_unreadable() {
    let whole = include_bytes!("progressive.jpg");
    let error = DecodedImage::decode(&whole[..whole.len() - 40]).unwrap_err().to_string();
    assert!(error.contains("cut short"), "{error}");
}

#[test]
fn an_image_that_is_too_large_is_refused_by_its_header() {
    let mut bytes = std::io::Cursor::new(Vec::new());
    DynamicImage::from(picture("a")).write_to(&mut bytes, ImageFormat::Bmp).unwrap();
    let mut bytes = bytes.into_inner();
    assert!(DecodedImage::decode_at_most(&bytes, 6 * 4).is_ok());
    assert!(DecodedImage::decode_at_most(&bytes, 6 * 4 - 1).is_err());
    // The size in the header of a BMP file.
    bytes[18..26].copy_from_slice(&[16_000_u32.to_le_bytes(); 2].concat());
    let error = DecodedImage::decode(&bytes).unwrap_err().to_string();
    assert!(
        error.contains("16000 x 16000 pixels are more than the limit of 100 megapixels"),
        "{error}"
    );
}
