//! HDF5 files as other tools write them are trained on, inspected and configured.

use std::fs;

use data::{Examples, Values};
use hdf5::{File, H5Type};

use crate::test_dir::{TINY, TestDir, coloured};

fn put<T: H5Type>(file: &File, name: &str, shape: &[usize], values: &[T]) {
    let builder = file.new_dataset::<T>().shape(shape);
    builder.create(name).unwrap().write_raw(values).unwrap();
}

/// A directory without the usual data, and with `all.toml`, which reads `data/all.h5`.
fn directory(keys: &str) -> TestDir {
    let dir = TestDir::new();
    fs::remove_dir_all(dir.path("data")).unwrap();
    fs::create_dir(dir.path("data")).unwrap();
    let files = "train = \"train.h5\"\ntest = \"test.h5\"\n";
    let config = TINY.replace(files, &format!("train = \"all.h5\"\n{keys}"));
    dir.write("all.toml", config.replace("[split]\nvalidation_fraction = 0.2\n", ""));
    dir
}

fn create(dir: &TestDir, name: &str, fill: impl Fn(&File)) {
    let file = File::create(dir.path(format!("data/{name}"))).unwrap();
    fill(&file);
    file.close().unwrap();
}

fn pixels(examples: &Examples) -> &[u8] {
    let Values::Pixels(pixels) = &examples.values else { panic!("no pixels") };
    pixels
}

/// Writes `count` images of 6 x 6 x 3 as Keras and PyTorch do: floats, channels first, one-hot labels.
fn put_floats(file: &File, [images, labels]: [&str; 2], count: usize) {
    let examples = coloured(count);
    let images_of = |image: &[u8]| {
        let image = image.to_vec();
        let channels =
            (0..3).flat_map(move |channel| image.clone().into_iter().skip(channel).step_by(3));
        channels.map(|pixel| f32::from(pixel) / 255.0).collect::<Vec<_>>()
    };
    let values: Vec<f32> = pixels(&examples).chunks(108).flat_map(images_of).collect();
    put(file, images, &[count, 3, 6, 6], &values);
    let rows = examples.labels.iter().flat_map(|&label| (0..3).map(move |k| f64::from(k == label)));
    put(file, labels, &[count, 3], &rows.collect::<Vec<_>>());
}

#[test]
fn floats_channels_first_and_one_hot_labels_train_to_the_same_bits_as_bytes() {
    let dir = directory("");
    create(&dir, "all.h5", |file| {
        put_floats(file, ["x_train", "y_train"], 60);
        put_floats(file, ["x_val", "y_val"], 30);
        put_floats(file, ["x_test", "y_test"], 12);
    });
    let output = dir.succeed(&["--config", "all.toml"]);
    assert!(output.stdout.contains("60 train, 30 validation, 12 test"), "{}", output.stdout);
    create(&dir, "bytes.h5", |file| {
        for (part, count) in [("train", 60), ("valid", 30), ("test", 12)] {
            let examples = coloured(count);
            put(file, &format!("{part}_set_x"), &[count, 6, 6, 3], pixels(&examples));
            put(file, &format!("{part}_set_y"), &[count], &examples.labels);
        }
    });
    let bytes = ["--set", "dataset.hdf5.train=bytes.h5", "--set", "name=bytes"];
    dir.succeed(&[&["--config", "all.toml"][..], &bytes].concat());
    let weights = |run: &str| fs::read(dir.path(format!("runs/{run}/best_model.bpk"))).unwrap();
    assert_eq!(weights("tiny"), weights("bytes"));
    // Row by row from the file, too.
    let stored = ["--set", "dataset.hdf5.in_memory=false", "--set", "name=stored"];
    dir.succeed(&[&["--config", "all.toml"][..], &stored].concat());
    assert_eq!(weights("tiny"), weights("stored"));
}

#[test]
fn a_validation_set_of_the_file_and_a_fraction_are_a_conflict() {
    let dir = directory("");
    create(&dir, "all.h5", |file| {
        put_floats(file, ["x_train", "y_train"], 60);
        put_floats(file, ["x_val", "y_val"], 30);
        put_floats(file, ["x_test", "y_test"], 12);
    });
    let args = ["--config", "all.toml", "--set", "split.validation_fraction=0.2"];
    let words = ["has a validation set of its own", "remove `split.validation_fraction`"];
    dir.refuses(&args, 1, &words);
}

#[test]
fn objects_are_read_by_the_names_of_the_config() {
    let keys = "images = \"*_pixels\"\nlabels = \"/kinds/*\"\nlayout = \"nchw\"\n";
    let dir = directory(keys);
    create(&dir, "all.h5", |file| {
        file.create_group("kinds").unwrap();
        put_floats(file, ["training_pixels", "/kinds/training"], 60);
        put_floats(file, ["test_pixels", "/kinds/test"], 12);
    });
    let output = dir.succeed(&["--config", "all.toml", "--set", "split.validation_fraction=0.2"]);
    assert!(output.stdout.contains(" validation, 12 test"), "{}", output.stdout);
}

#[test]
fn init_and_inspect_read_files_of_other_tools() {
    let dir = directory("");
    create(&dir, "all.h5", |file| put_floats(file, ["images", "labels"], 60));
    dir.succeed(&["data", "inspect", "data/all.h5"]);
    dir.succeed(&["config", "init", "data/all.h5", "--out", "one.toml"]);
    dir.succeed(&["--config", "one.toml", "--set", "training.epochs=3"]);
    // The names of the files tell the parts.
    fs::rename(dir.path("data/all.h5"), dir.path("data/my_train.h5")).unwrap();
    create(&dir, "val.h5", |file| put_floats(file, ["images", "labels"], 15));
    create(&dir, "test.h5", |file| put_floats(file, ["X_test", "Y_test"], 12));
    dir.succeed(&["config", "init", "data", "--out", "parts.toml"]);
    let output = dir.succeed(&["--config", "parts.toml", "--set", "training.epochs=3"]);
    assert!(output.stdout.contains("60 train, 15 validation, 12 test"), "{}", output.stdout);
}

#[test]
fn the_message_of_moved_data_names_the_option_that_finds_them() {
    let dir = TestDir::new();
    dir.succeed(&["--config", "tiny.toml", "--set", "training.epochs=1"]);
    fs::rename(dir.path("data"), dir.path("moved")).unwrap();
    let words = ["data/train.h5 is missing", "--set dataset.hdf5.directory=DIR"];
    let resume = ["--resume", "runs/tiny", "--set", "training.epochs=2"];
    dir.trainer(&resume).refused(1, &words);
    dir.succeed(&[&resume[..], &["--set", "dataset.hdf5.directory=moved"]].concat());
}

#[test]
fn a_directory_that_is_a_file_trains_on_nothing_else() {
    let dir = TestDir::new();
    let to = "directory = \"data/train.h5\"\non_missing = \"synthesize\"\n";
    dir.write("tiny.toml", TINY.replace("directory = \"data\"\n", to));
    dir.refuses(&["--config", "tiny.toml"], 1, &["data/train.h5, which is a file", "`train`"]);
}
