//! Invalid data: exit code 1, the file and a remedy in the message, no files written.

use std::fs;

use data::Examples;
use data::SplitKind;
use hdf5::File;

use crate::broken_configs::run_cases;
use crate::test_dir::{TINY, TestDir, coloured};

/// Name of the defect, how to create it, and the expected parts of the message.
type Defect<'a> = (&'a str, fn(&TestDir), &'a [&'a str]);

fn refuse_each(defects: &[Defect]) {
    run_cases(defects.iter().map(|&(case, create, words)| {
        let test = move || {
            let dir = TestDir::new();
            create(&dir);
            dir.refuses(&["--config", "tiny.toml"], 1, words);
        };
        (case, test)
    }));
}

/// Replaces the training file by these `bytes`.
fn write_train(dir: &TestDir, bytes: &[u8]) {
    dir.write("data/train.h5", bytes);
}

/// Creates a new training file with the contents that `fill` writes.
fn create_train(dir: &TestDir, fill: impl FnOnce(&File)) {
    let path = dir.path("data/train.h5");
    // A process that another test has just started may hold the lock of the old file.
    fs::remove_file(&path).unwrap();
    let file = File::create(path).unwrap();
    fill(&file);
    file.close().unwrap();
}

/// Creates a new training file with valid pixels and these labels.
fn create_train_with_labels(dir: &TestDir, labels: &[i64]) {
    create_train(dir, |file| {
        put(file, "train_set_x", &[4, 6, 6, 3], &[7_u8; 432]);
        put(file, "train_set_y", &[labels.len()], labels);
        put(file, "list_classes", &[3], &[0_i64, 1, 2]);
    });
}

/// Creates a new training file with valid labels and the pixels that `fill` writes.
fn create_train_with_pixels(dir: &TestDir, fill: impl FnOnce(&File)) {
    create_train(dir, |file| {
        fill(file);
        put(file, "train_set_y", &[4], &[0_i64, 1, 2, 0]);
        put(file, "list_classes", &[3], &[0_i64, 1, 2]);
    });
}

fn put<T: hdf5::H5Type>(file: &File, name: &str, shape: &[usize], values: &[T]) {
    let builder = file.new_dataset::<T>().shape(shape);
    builder.create(name).unwrap().write_raw(values).unwrap();
}

/// Replaces the test file by one with these images.
fn write_test(dir: &TestDir, images: &Examples, classes: [&str; 3]) {
    let path = dir.path("data/test.h5");
    data_hdf5::write(&path, SplitKind::Test, images, &classes.map(String::from)).unwrap();
}

#[test]
fn a_missing_file_is_named_with_a_remedy() {
    refuse_each(&[
        (
            "the training file",
            |dir| fs::remove_file(dir.path("data/train.h5")).unwrap(),
            &["data/train.h5 is missing", "put it there", "on_missing = \"synthesize\""],
        ),
        (
            "the test file",
            |dir| fs::remove_file(dir.path("data/test.h5")).unwrap(),
            &["data/test.h5 is missing", "put it there", "on_missing = \"synthesize\""],
        ),
        (
            "the directory",
            |dir| fs::remove_dir_all(dir.path("data")).unwrap(),
            &["data/train.h5 is missing", "put it there", "on_missing = \"synthesize\""],
        ),
        (
            "the validation file",
            |dir| {
                let to = "validation = \"validation.h5\"\n\n[split]\nvalidation_fraction = 0.0";
                let from = "\n[split]\nvalidation_fraction = 0.2";
                dir.write("tiny.toml", TINY.replace(from, to));
            },
            &["data/validation.h5 is missing", "put it there"],
        ),
    ]);
}

#[test]
fn an_incomplete_data_set_is_not_replaced_by_synthetic_data() {
    refuse_each(&[(
        "no test file",
        |dir| {
            let to = "\"test.h5\"\non_missing = \"synthesize\"";
            dir.write("tiny.toml", TINY.replace("\"test.h5\"", to));
            fs::remove_file(dir.path("data/test.h5")).unwrap();
        },
        &["data/test.h5 is missing", "put it there", "none of the files exists"],
    )]);
}

#[test]
fn a_directory_from_the_environment_is_not_replaced_by_synthetic_data() {
    let dir = TestDir::new();
    let to = "directory_env = \"SIGNS_DIR\"\non_missing = \"synthesize\"\ntest = \"test.h5\"";
    dir.write("tiny.toml", TINY.replace("test = \"test.h5\"", to));
    let before = dir.contents("");
    let mut command = dir.command(&["--config", "tiny.toml"]);
    let output = crate::test_dir::ProgramOutput::from(
        command.env("SIGNS_DIR", "elsewhere").output().unwrap(),
    );
    output.refused(1, &["elsewhere/train.h5 is missing", "set SIGNS_DIR to the directory"]);
    dir.assert_unchanged("", &before);
}

#[test]
fn a_file_of_another_type_is_rejected_with_its_type() {
    refuse_each(&[
        (
            "a directory",
            |dir| {
                fs::remove_file(dir.path("data/train.h5")).unwrap();
                fs::create_dir(dir.path("data/train.h5")).unwrap();
            },
            &["data/train.h5", "found a folder", "give the path of an `.h5` file"],
        ),
        (
            "a web page",
            |dir| write_train(dir, b"\n<!DOCTYPE html><html><body>Sign in</body></html>"),
            &["data/train.h5", "found an HTML page", "download the file itself again"],
        ),
        (
            "a Git LFS pointer",
            |dir| write_train(dir, b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n"),
            &["data/train.h5", "found a Git LFS pointer", "`git lfs pull`"],
        ),
        (
            "an empty file",
            |dir| write_train(dir, b""),
            &["data/train.h5", "found an empty file", "download the file again"],
        ),
        (
            "zeros",
            |dir| write_train(dir, &[0; 4096]),
            &["data/train.h5", "found zero bytes", "download the file again"],
        ),
        (
            "an archive",
            |dir| write_train(dir, b"PK\x03\x04 and more"),
            &["data/train.h5", "found a zip archive", "unpack it"],
        ),
        (
            "a text",
            |dir| write_train(dir, b"red, green, blue"),
            &["data/train.h5", "expected an HDF5 file", "check the path"],
        ),
    ]);
}

#[test]
fn a_truncated_file_is_rejected_at_any_length() {
    for share in [1, 3, 5, 7, 9] {
        let dir = TestDir::new();
        let bytes = fs::read(dir.path("data/train.h5")).unwrap();
        write_train(&dir, &bytes[..bytes.len() * share / 10]);
        println!("case: {share} of 10 parts");
        dir.refuses(&["--config", "tiny.toml"], 1, &["data/train.h5", "download"]);
    }
}

#[test]
fn labels_that_do_not_match_the_images_or_the_classes_are_rejected() {
    refuse_each(&[
        (
            "a label above the last class",
            |dir| create_train_with_labels(dir, &[0, 1, 3, 2]),
            &["data/train.h5", "`/train_set_y`", "label 3 at index 2", "number the classes from 0"],
        ),
        (
            "a negative label",
            |dir| create_train_with_labels(dir, &[0, 1, 2, -1]),
            &["data/train.h5", "`/train_set_y`", "label -1 at index 3", "number the classes"],
        ),
        (
            "a missing label",
            |dir| create_train_with_labels(dir, &[0, 1, 2]),
            &["data/train.h5", "`/train_set_y`", "3 labels", "expected 4", "rewrite the file"],
        ),
        (
            "no labels",
            |dir| {
                create_train(dir, |file| put(file, "train_set_x", &[4, 6, 6, 3], &[7_u8; 432]));
            },
            &[
                "data/train.h5",
                "no labels of the training set",
                "`/train_set_x`",
                "rewrite the file",
            ],
        ),
        (
            "duplicate class names",
            |dir| {
                create_train(dir, |file| {
                    put(file, "train_set_x", &[2, 6, 6, 3], &[7_u8; 216]);
                    put(file, "train_set_y", &[2], &[0_i64, 1]);
                    put(file, "list_classes", &[2], &[5_i64, 5]);
                });
            },
            &["data/train.h5", "`/list_classes`", "\"5\" at index 1", "correct the names"],
        ),
    ]);
}

#[test]
fn pixels_of_another_type_or_shape_are_rejected() {
    refuse_each(&[
        (
            "standardized floats",
            |dir| {
                create_train_with_pixels(dir, |file| {
                    put(file, "train_set_x", &[4, 6, 6, 3], &[-1.5_f32; 432]);
                });
            },
            &[
                "data/train.h5",
                "`/train_set_x`",
                "float32 from -1.5 to -1.5",
                "expected pixels from 0 to 1 or from 0 to 255",
                "astype('uint8')",
            ],
        ),
        (
            "flat images",
            |dir| {
                create_train_with_pixels(dir, |file| {
                    put(file, "train_set_x", &[4, 108], &[7_u8; 432]);
                });
            },
            &[
                "data/train.h5",
                "`/train_set_x`",
                "[4, 108]",
                "expected images [n, height, width, channels]",
                "x.reshape(-1, 6, 6, 3)",
            ],
        ),
        (
            "transparency",
            |dir| {
                create_train_with_pixels(dir, |file| {
                    put(file, "train_set_x", &[4, 6, 6, 4], &[7_u8; 576]);
                });
            },
            &["data/train.h5", "`/train_set_x`", "[4, 6, 6, 4]", "1 or 3 channels", "x[..., :3]"],
        ),
        (
            "no image",
            |dir| {
                create_train(dir, |file| {
                    put::<u8>(file, "train_set_x", &[0, 6, 6, 3], &[]);
                    put::<i64>(file, "train_set_y", &[0], &[]);
                });
            },
            &["data/train.h5", "`/train_set_x`", "[0, 6, 6, 3]", "at least one", "write it again"],
        ),
        (
            "images that were never written",
            |dir| {
                create_train_with_pixels(dir, |file| {
                    let builder = file.new_dataset::<u8>().shape([4, 60_000, 6000, 3]);
                    builder.create("train_set_x").unwrap();
                });
            },
            &["data/train.h5", "`/train_set_x`", "4320000000 bytes", "download or write it again"],
        ),
    ]);
}

#[test]
fn references_to_other_files_are_not_followed() {
    refuse_each(&[
        (
            "a link to another file",
            |dir| {
                create_train_with_pixels(dir, |file| {
                    file.link_external("test.h5", "/test_set_x", "train_set_x").unwrap();
                });
            },
            &["data/train.h5", "`/train_set_x`", "a link to another file", "in the file itself"],
        ),
        (
            "bytes of another file",
            |dir| {
                create_train_with_pixels(dir, |file| {
                    let builder = file.new_dataset_builder();
                    let builder =
                        builder.with_dcpl(|create| create.external("/etc/passwd", 0, 432));
                    builder.empty::<u8>().shape([4, 6, 6, 3]).create("train_set_x").unwrap();
                });
            },
            &["data/train.h5", "`/train_set_x`", "stored in another file", "a.visititems("],
        ),
    ]);
}

#[test]
fn files_of_different_data_sets_are_both_named() {
    refuse_each(&[
        (
            "images of another size",
            |dir| {
                let images = Examples { shape: [4, 9, 3], ..coloured(12) };
                write_test(dir, &images, ["red", "green", "blue"]);
            },
            &[
                "data/test.h5",
                "[4, 9, 3]",
                "data/train.h5",
                "[6, 6, 3]",
                "files of the same data set",
            ],
        ),
        (
            "other classes",
            |dir| write_test(dir, &coloured(12), ["red", "violet", "blue"]),
            &["data/test.h5", "4 examples of class `violet`", "red, green, blue", "same data set"],
        ),
        (
            "both files swapped",
            |dir| {
                fs::rename(dir.path("data/train.h5"), dir.path("data/other.h5")).unwrap();
                fs::rename(dir.path("data/test.h5"), dir.path("data/train.h5")).unwrap();
                fs::rename(dir.path("data/other.h5"), dir.path("data/test.h5")).unwrap();
            },
            &["data/train.h5", "no training set", "`/test_set_x`", "swap the paths"],
        ),
    ]);
}

#[test]
fn a_fraction_that_holds_out_no_example_is_rejected() {
    let args = ["--config", "tiny.toml", "--set", "split.validation_fraction=0.001"];
    let words = ["0.001", "leaves 60 of 60", "and 0 to hold out", "`split.validation_fraction`"];
    TestDir::new().refuses(&args, 1, &words);
}

#[test]
fn a_data_set_of_one_class_is_rejected() {
    refuse_each(&[(
        "one class",
        |dir| {
            create_train(dir, |file| {
                put(file, "train_set_x", &[4, 6, 6, 3], &[7_u8; 432]);
                put(file, "train_set_y", &[4], &[0_i64; 4]);
                put(file, "list_classes", &[1], &[0_i64]);
            });
        },
        &["data/train.h5", "`/list_classes`", "1 name", "expected 2 to 10,000 names"],
    )]);
}

/// Writes a training file on which libhdf5 crashes: the layout version of its chunked labels makes
/// libhdf5 divide by zero.
fn crash_libhdf5(dir: &TestDir) {
    create_train(dir, |file| {
        put(file, "train_set_x", &[4, 6, 6, 3], &[7_u8; 432]);
        put(file, "list_classes", &[3], &[0_i64, 1, 2]);
        let labels = file.new_dataset::<i64>().chunk([2]).shape([4]);
        labels.create("train_set_y").unwrap().write_raw(&[0_i64, 1, 2, 0]).unwrap();
    });
    let mut bytes = fs::read(dir.path("data/train.h5")).unwrap();
    // The layout: version, chunked, one dimension and that of the bytes.
    let version = bytes.windows(3).position(|window| window == [3, 2, 2]).unwrap();
    bytes[version] = 2;
    write_train(dir, &bytes);
}

#[test]
fn a_file_that_crashes_libhdf5_is_rejected() {
    // libhdf5 2 finds the damage.
    let found =
        if cfg!(feature = "hdf5-static") { "cannot be read" } else { "crashed on it (signal 8)" };
    let words: &[&str] = &["data/train.h5: ", found, "download it again"];
    refuse_each(&[("a division by zero", crash_libhdf5, words)]);
}
