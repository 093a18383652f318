//! Images that cannot be read: exit code 1, the file and the reason in the message, and predictions
//! for the other images.

use std::fs;

use image::RgbImage;

use crate::broken_configs::run_cases;
use crate::test_dir::TestDir;

/// Name of the defect, how to create the file, and the expected parts of the message.
type Defect<'a> = (&'a str, fn(&TestDir) -> Vec<u8>, &'a [&'a str]);

/// Creates a directory with a trained run, and `good.png` and `good.jpg` of 40x30.
fn trained() -> TestDir {
    let dir = TestDir::new();
    dir.succeed(&["--config", "tiny.toml", "--set", "training.epochs=1"]);
    let pixel = |x: u32, y: u32| image::Rgb([x as u8 * 6, y as u8 * 8, (x * y) as u8]);
    let image = RgbImage::from_fn(40, 30, pixel);
    image.save(dir.path("good.png")).unwrap();
    image.save(dir.path("good.jpg")).unwrap();
    dir
}

fn refuse_each(defects: &[Defect]) {
    let dir = trained();
    dir.succeed(&["predict", "runs/tiny", "good.png", "good.jpg"]);
    run_cases(defects.iter().map(|&(case, create, words)| {
        let dir = &dir;
        let test = move || {
            dir.write("broken", create(dir));
            refuse(dir, "broken", words);
        };
        (case, test)
    }));
}

#[track_caller]
fn refuse(dir: &TestDir, image: &str, words: &[&str]) {
    let args = ["predict", "runs/tiny", "good.png", image, "good.jpg"];
    dir.refuses(&args, 1, &[&["1 of 3 images cannot be read:", image], words].concat());
    let predicted = dir.trainer(&args).stdout;
    assert!(predicted.starts_with("good.png: ") && predicted.contains("good.jpg: "), "{predicted}");
}

fn png(dir: &TestDir) -> Vec<u8> {
    fs::read(dir.path("good.png")).unwrap()
}

fn jpeg(dir: &TestDir) -> Vec<u8> {
    fs::read(dir.path("good.jpg")).unwrap()
}

/// Position of `marker` in `bytes`.
fn find(bytes: &[u8], marker: &[u8]) -> usize {
    bytes.windows(marker.len()).position(|window| window == marker).unwrap()
}

#[test]
fn a_missing_file_is_named() {
    let dir = trained();
    refuse(&dir, "nowhere.png", &["No such file"]);
    let words = ["data contains no images", "a folder of images"];
    dir.refuses(&["predict", "runs/tiny", "data"], 2, &words);
}

#[test]
fn a_file_that_is_not_an_image_is_named() {
    refuse_each(&[
        ("an empty file", |_| Vec::new(), &[]),
        ("a text", |_| b"a hand with five fingers".to_vec(), &[]),
        ("a data set", |dir| fs::read(dir.path("data/train.h5")).unwrap(), &[]),
    ]);
}

#[test]
fn an_unsupported_image_format_is_named_with_the_command_that_converts_it() {
    refuse_each(&[
        (
            "HEIC",
            |_| b"\0\0\0\x18ftypheic\0\0\0\0mif1heic".to_vec(),
            &["HEIC cannot be decoded; convert it to JPEG: `heif-convert"],
        ),
        (
            "SVG",
            |_| b"<svg xmlns='http://www.w3.org/2000/svg'/>".to_vec(),
            &["SVG", "rsvg-convert"],
        ),
    ]);
}

#[test]
fn a_damaged_png_is_refused() {
    refuse_each(&[
        ("cut short", |dir| png(dir)[..png(dir).len() / 2].to_vec(), &[]),
        ("a header alone", |dir| png(dir)[..33].to_vec(), &[]),
        (
            "a flipped bit",
            |dir| {
                let mut bytes = png(dir);
                let data = find(&bytes, b"IDAT");
                bytes[data + 40] ^= 4;
                bytes
            },
            &[],
        ),
        (
            "a wrong checksum of the header",
            |dir| {
                let mut bytes = png(dir);
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
        ("cut in its tables", |dir| jpeg(dir)[..200].to_vec(), &[]),
        ("cut in its pixels", |dir| jpeg(dir)[..jpeg(dir).len() - 100].to_vec(), &["cut"]),
        ("a header alone", |dir| jpeg(dir)[..20].to_vec(), &[]),
    ]);
}

#[test]
fn an_image_that_declares_a_huge_size_is_refused() {
    refuse_each(&[
        (
            "a PNG of 20000x20000",
            |dir| {
                let header = b"\0\0\x4e\x20\0\0\x4e\x20\x08\x02\0\0\0\x6c\x12\xd1\x6e";
                [&png(dir)[..16], header, &png(dir)[33..]].concat()
            },
            &["limit"],
        ),
        (
            "a JPEG of 20000x20000",
            |dir| {
                let mut bytes = jpeg(dir);
                let size = find(&bytes, b"\xff\xc0") + 5;
                bytes[size..size + 4].copy_from_slice(b"\x4e\x20\x4e\x20");
                bytes
            },
            &["limit"],
        ),
    ]);
}
