//! Imported pixels, and unreadable images.

use data::Values;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};

use super::*;
use crate::images::{DecodedImage, Frame};

fn values(file: &Hdf5File) -> &[u8] {
    let Values::Pixels(pixels) = &file.examples.values else { panic!("no pixels") };
    pixels
}

#[test]
fn pixels_are_unchanged_and_imports_are_deterministic() {
    let tree = Tree::with(&["in/a/2.png", "in/b/1.png", "in/a/10.png"]);
    tree.imported(&tree.import("in"), "one.h5");
    let file = tree.read("one.h5", SplitKind::Train);
    assert_eq!(file.examples.shape, [2, 3, 3]);
    let expected = ["in/b/1.png", "in/a/2.png", "in/a/10.png"].map(|name| pixels(&tree.path(name)));
    assert_eq!(values(&file), expected.concat());
    tree.imported(&tree.import("in"), "other.h5");
    let [one, other] = ["one.h5", "other.h5"].map(|name| fs::read(tree.path(name)).unwrap());
    assert_eq!(one, other);
}

#[test]
fn several_blocks_of_images_keep_their_order() {
    let names: Vec<String> = (0..100).map(|item| format!("in/{}/{item}.png", item % 2)).collect();
    let tree = Tree::with(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let mut calls = Vec::new();
    let mut progress = |doing, done, total| {
        calls.push((doing, done, total));
        ControlFlow::Continue(())
    };
    // The 4 MiB that are written at once contain few of them.
    let import = Import { size: Some([600, 600]), ..tree.import("in") };
    import.apply(&tree.path("small.h5"), &mut progress).unwrap();
    let labels = tree.read("small.h5", SplitKind::Train).examples.labels;
    assert_eq!(labels, (0..100).map(|item| item % 2).collect::<Vec<_>>());
    assert_eq!(calls.first(), Some(&("reading images", 0, 100)));
    assert!(calls.is_sorted() && calls.len() > 9, "{calls:?}");
}

#[test]
fn an_image_is_rotated_according_to_its_exif_orientation() {
    let tree = Tree::with(&["in/a/1.png"]);
    // 3 wide and 2 high, to be rotated by 90 degrees clockwise.
    let turned: [[u8; 3]; 2] = [[10, 20, 30], [40, 50, 60]];
    let tiff = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
    let mut bytes = Vec::new();
    let mut encoder = PngEncoder::new(&mut bytes);
    encoder.set_exif_metadata(tiff.to_vec()).unwrap();
    encoder.write_image(&turned.concat(), 3, 2, ExtendedColorType::L8).unwrap();
    tree.write("in/b/2.png", bytes);
    let error = tree.refused(&tree.import("in"), "out.h5");
    assert_contains(&error, &["2x3  1 image,", "3x2  1 image,", "resize all of them"]);
    fs::remove_file(tree.path("in/a/1.png")).unwrap();
    tree.image("in/a/1.png", 2, 3);
    tree.imported(&Import { grey: true, ..tree.import("in") }, "out.h5");
    let file = tree.read("out.h5", SplitKind::Train);
    assert_eq!(file.examples.shape, [3, 2, 1]);
    assert_eq!(values(&file)[6..], [40, 10, 50, 20, 60, 30]);
}

#[test]
fn images_of_several_sizes_are_resized_to_a_given_size() {
    let tree = Tree::with(&["in/a/1.png", "in/a/2.png", "in/b/3.png"]);
    tree.image("in/b/4.png", 12, 4);
    let error = tree.refused(&tree.import("in"), "out.h5");
    assert_contains(&error, &["2 sizes", "2x3  3 images, for example in/a/1.png", "4x12  1 image"]);
    for fit in [Fit::Stretch, Fit::Crop, Fit::Pad] {
        let import = Import { size: Some([6, 6]), fit, ..tree.import("in") };
        let out = format!("{fit:?}.h5");
        tree.imported(&import, &out);
        let file = tree.read(&out, SplitKind::Train);
        assert_eq!(file.examples.shape, [6, 6, 3]);
        let expected = resized(&tree.path("in/b/4.png"), [6, 6, 3], fit);
        assert_eq!(values(&file)[3 * 108..], expected);
    }
}

fn resized(path: &Path, shape: [usize; 3], fit: Fit) -> Vec<u8> {
    DecodedImage::open(path).unwrap().pixels(Frame { shape, fit })
}

#[test]
fn crop_keeps_the_centre_and_pad_keeps_the_whole_image() {
    // Columns of 0, 1, 2, .. ten wide and two high.
    let tree = Tree::new();
    let columns = image::GrayImage::from_fn(10, 2, |x, _| image::Luma([x as u8 * 10 + 10]));
    columns.save(tree.path("wide.png")).unwrap();
    let fit = |shape, fit| resized(&tree.path("wide.png"), shape, fit);
    assert_eq!(fit([2, 2, 1], Fit::Crop), [50, 60, 50, 60]);
    let padded = fit([10, 10, 1], Fit::Pad);
    assert_eq!(padded[40..50], [10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
    assert!(padded[..40].iter().chain(&padded[60..]).all(|&pixel| pixel == 0), "{padded:?}");
    assert_eq!(fit([1, 1, 1], Fit::Pad).len(), 1);
}

/// A directory with valid images, and unreadable ones in both splits.
fn with_unreadable_images() -> Tree {
    let tree = Tree::with(&[
        "in/train/a/1.png",
        "in/train/b/2.png",
        "in/train/a/3.png",
        "in/test/a/1.png",
    ]);
    tree.write("in/train/a/4.png", b"no image");
    let whole = fs::read(tree.path("in/train/a/1.png")).unwrap();
    tree.write("in/test/a/2.png", &whole[..whole.len() / 2]);
    std::os::unix::fs::symlink("nowhere", tree.path("in/train/b/5.png")).unwrap();
    tree.write("in/test/a/6.webp", b"RIFF\0\0\0\0WEBPVP8 ");
    tree
}

#[test]
fn all_unreadable_images_are_listed() {
    let tree = with_unreadable_images();
    for size in [None, Some([4, 4])] {
        let error = tree.refused(&Import { size, ..tree.import("in") }, "out");
        let bad = [
            "train/a/4.png: The image",
            "test/a/2.png: ",
            "train/b/5.png: No such file",
            "6.webp: ",
        ];
        assert_contains(&error, &["4 images cannot be read", "skip them"]);
        assert_contains(&error, &bad);
    }
}

#[test]
fn unreadable_images_are_skipped_if_requested() {
    let tree = with_unreadable_images();
    let import = Import { skip_corrupt: true, ..tree.import("in") };
    let ImportedDataset { dataset, skipped, .. } = tree.imported(&import, "out");
    assert_eq!(skipped.len(), 4);
    assert_eq!(dataset.parts.iter().map(|part| part.count).collect::<Vec<_>>(), [3, 1]);
    assert_eq!(tree.names("out"), ["manifest.csv", "test.h5", "train.h5"]);
    let train = tree.read("out/train.h5", SplitKind::Train);
    let expected =
        ["a/1", "b/2", "a/3"].map(|name| pixels(&tree.path(&format!("in/train/{name}.png"))));
    assert_eq!(values(&train), expected.concat());

    fs::remove_file(tree.path("in/train/b/2.png")).unwrap();
    let error = tree.refused(&import, "again");
    assert_contains(&error, &["no train image of the class b can be read"]);
}

#[test]
fn existing_files_are_not_replaced() {
    let tree = Tree::with(&[
        "in/a/1.png",
        "in/b/2.png",
        "parts/train/a/1.png",
        "parts/train/b/1.png",
        "parts/test/a/1.png",
    ]);
    tree.write("out.h5", "precious");
    tree.write("full/precious", "precious");
    let refused = |folder, out| tree.refused(&tree.import(folder), out);
    assert_contains(&refused("in", "out.h5"), &["out.h5 exists", "another output path"]);
    assert_contains(&refused("in", "full"), &["full is not empty"]);
    assert_contains(&refused("in", "full/precious"), &["is a file"]);
    assert_contains(
        &refused("parts", "new.hdf5"),
        &["one file, but there are 2 splits: train, test"],
    );
    assert_eq!(fs::read(tree.path("out.h5")).unwrap(), b"precious");
}

#[test]
fn a_stopped_import_leaves_no_files_or_parent_directories() {
    let tree = Tree::with(&["in/a/1.png", "in/b/2.png"]);
    for out in ["new/deep/out", "new/out.h5"] {
        for after in 0..2 {
            let mut asked = 0;
            let mut progress = |_: &'static str, _: usize, _: usize| {
                asked += 1;
                if asked > after { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            };
            let stopped = tree.import("in").apply(&tree.path(out), &mut progress);
            assert!(
                matches!(stopped, Err(ConvertError::Images(ImagesError::Stopped))),
                "{stopped:?}"
            );
            assert_eq!(tree.names(""), ["in"]);
        }
    }
}

#[test]
fn imports_of_grey_images_are_reported() {
    let tree = Tree::new();
    for class in ["a", "b"] {
        fs::create_dir_all(tree.path("in").join(class)).unwrap();
        image::GrayImage::new(2, 2).save(tree.path("in").join(class).join("1.png")).unwrap();
    }
    assert!(tree.imported(&tree.import("in"), "colours.h5").all_grey);
    assert!(!tree.imported(&Import { grey: true, ..tree.import("in") }, "grey.h5").all_grey);
    assert_eq!(tree.read("grey.h5", SplitKind::Train).examples.shape, [2, 2, 1]);
}
