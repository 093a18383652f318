//! Images that cannot be read: exit code 1, the file and a remedy in the message, no predictions
//! for other images.

use std::fs;

use image::RgbImage;

use crate::broken_configs::each;
use crate::place::Place;

/// Name of the defect, how to create the file, and the expected parts of the message.
type Defect<'a> = (&'a str, fn(&Place) -> Vec<u8>, &'a [&'a str]);

const REMEDY: &str = "give a PNG or JPEG file";

/// Creates a directory with a trained run, and `good.png` and `good.jpg` of 40x30.
fn trained() -> Place {
    let place = Place::new();
    place.succeed(&["--config", "tiny.toml", "--set", "training.epochs=1"]);
    let pixel = |x: u32, y: u32| image::Rgb([x as u8 * 6, y as u8 * 8, (x * y) as u8]);
    let image = RgbImage::from_fn(40, 30, pixel);
    image.save(place.path("good.png")).unwrap();
    image.save(place.path("good.jpg")).unwrap();
    place
}

fn refuse_each(defects: &[Defect]) {
    let place = trained();
    place.succeed(&["predict", "runs/tiny", "good.png", "good.jpg"]);
    each(defects.iter().map(|&(case, spoil, words)| {
        let place = &place;
        let test = move || {
            place.write("broken", spoil(place));
            refuse(place, "broken", words);
        };
        (case, test)
    }));
}

#[track_caller]
fn refuse(place: &Place, image: &str, words: &[&str]) {
    let args = ["predict", "runs/tiny", "good.png", image];
    place.refuses(&args, 1, &[&["the image", image], words, &[REMEDY]].concat());
    assert_eq!(place.trainer(&args).stdout, "", "a prediction despite an error");
}

fn png(place: &Place) -> Vec<u8> {
    fs::read(place.path("good.png")).unwrap()
}

fn jpeg(place: &Place) -> Vec<u8> {
    fs::read(place.path("good.jpg")).unwrap()
}

/// Position of `marker` in `bytes`.
fn find(bytes: &[u8], marker: &[u8]) -> usize {
    bytes.windows(marker.len()).position(|window| window == marker).unwrap()
}

#[test]
fn a_missing_file_is_named() {
    let place = trained();
    refuse(&place, "nowhere.png", &["No such file"]);
    refuse(&place, "data", &["directory"]);
}

#[test]
fn a_file_that_is_not_an_image_is_named() {
    refuse_each(&[
        ("nothing", |_| Vec::new(), &[]),
        ("a text", |_| b"a hand with five fingers".to_vec(), &[]),
        ("a data set", |place| fs::read(place.path("data/train.h5")).unwrap(), &[]),
    ]);
}

#[test]
fn an_unsupported_image_format_is_named() {
    refuse_each(&[
        (
            "GIF",
            |_| b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff;".to_vec(),
            &["Gif is not supported"],
        ),
        (
            "BMP",
            |_| [&b"BM\x3a\0\0\0\0\0\0\0\x36\0\0\0"[..], &[0; 44]].concat(),
            &["Bmp is not supported"],
        ),
    ]);
}

#[test]
fn a_damaged_png_is_refused() {
    refuse_each(&[
        ("cut short", |place| png(place)[..png(place).len() / 2].to_vec(), &[]),
        ("a header alone", |place| png(place)[..33].to_vec(), &[]),
        (
            "a flipped bit",
            |place| {
                let mut bytes = png(place);
                let data = find(&bytes, b"IDAT");
                bytes[data + 40] ^= 4;
                bytes
            },
            &[],
        ),
        (
            "a wrong checksum of the header",
            |place| {
                let mut bytes = png(place);
                bytes[29] ^= 0xff;
                bytes
            },
            &["CRC"],
        ),
    ]);
}

#[test]
fn a_damaged_jpeg_is_refused() {
    refuse_each(&[
        ("cut in its tables", |place| jpeg(place)[..200].to_vec(), &[]),
        ("cut in its pixels", |place| jpeg(place)[..jpeg(place).len() - 100].to_vec(), &["cut"]),
        ("a header alone", |place| jpeg(place)[..20].to_vec(), &[]),
    ]);
}

#[test]
fn an_image_that_declares_a_huge_size_is_refused() {
    refuse_each(&[
        (
            "a PNG of 20000x20000",
            |place| {
                let header = b"\0\0\x4e\x20\0\0\x4e\x20\x08\x02\0\0\0\x6c\x12\xd1\x6e";
                [&png(place)[..16], header, &png(place)[33..]].concat()
            },
            &["limit"],
        ),
        (
            "a JPEG of 20000x20000",
            |place| {
                let mut bytes = jpeg(place);
                let size = find(&bytes, b"\xff\xc0") + 5;
                bytes[size..size + 4].copy_from_slice(b"\x4e\x20\x4e\x20");
                bytes
            },
            &["limit"],
        ),
    ]);
}
