#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;

use data::{SplitConfig, Values};
use hdf5::types::VarLenUnicode;
use hdf5::{File, H5Type};
use tempfile::TempDir;

use super::*;
use crate::quality::Splitting;

/// A directory with HDF5 files.
struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn write(&self, name: &str, fill: impl Fn(&File)) {
        let file = File::create(self.0.path().join(name)).unwrap();
        fill(&file);
        file.close().unwrap();
    }

    /// Config of a training file, and of validation and test files unless their names are empty.
    fn config(&self, [train, validation, test]: [&str; 3]) -> Hdf5Config {
        let named = |file: &str| Some(file.into()).filter(|_| !file.is_empty());
        Hdf5Config {
            validation: named(validation),
            test: named(test),
            ..Hdf5Config::new(self.0.path(), Path::new(train))
        }
    }

    fn load(&self, files: [&str; 3]) -> Result<LoadedDataset, String> {
        let resolved = self.config(files).resolve().map(Option::unwrap);
        resolved.and_then(|config| config.load()).map_err(|error| error.to_string())
    }
}

fn put<T: H5Type>(file: &File, name: &str, data: &[T]) {
    let builder = file.new_dataset::<T>().shape([data.len()]);
    builder.create(name).unwrap().write_raw(data).unwrap();
}

/// Writes an image of 2 x 2 grey pixels of the value `value` for each label.
fn put_part<T: H5Type>(file: &File, [images, labels]: [&str; 2], value: u8, data: &[T]) {
    let set = file.new_dataset::<u8>().shape([data.len(), 2, 2, 1]).create(images).unwrap();
    set.write_raw(&vec![value; 4 * data.len()]).unwrap();
    put(file, labels, data);
}

fn put_names(file: &File, name: &str, names: &[&str]) {
    put(
        file,
        name,
        &names.iter().map(|name| name.parse().unwrap()).collect::<Vec<VarLenUnicode>>(),
    );
}

const TRAIN: [&str; 2] = ["train_set_x", "train_set_y"];
const VALID: [&str; 2] = ["valid_set_x", "valid_set_y"];
const TEST: [&str; 2] = ["test_set_x", "test_set_y"];

/// Labels of the test set of a training and a test file, and the classes.
fn test_labels(
    train: impl Fn(&File),
    test: impl Fn(&File),
) -> Result<(Vec<u32>, Vec<String>), String> {
    let files = Files::new();
    files.write("train.h5", train);
    files.write("test.h5", test);
    let data = files.load(["train.h5", "", "test.h5"])?;
    Ok((data.test.unwrap().labels, data.classes))
}

#[test]
fn validation_and_test_set_in_the_training_file_are_used() {
    let files = Files::new();
    files.write("all.h5", |file| {
        put_part(file, TRAIN, 1, &[0_i64, 1, 2]);
        put_part(file, VALID, 2, &[1_i64, 2]);
        put_part(file, TEST, 3, &[0_i64]);
    });
    for names in [["all.h5", "", ""], ["all.h5", "all.h5", ""], ["all.h5", "", "all.h5"]] {
        let data = files.load(names).unwrap();
        assert_eq!(data.validation.unwrap().labels, [1, 2], "{names:?}");
        assert_eq!(data.test.unwrap().values, Values::Pixels(vec![3; 4]), "{names:?}");
        assert_eq!(data.notes.len(), 1, "of the unusual names: {:?}", data.notes);
        assert!(data.notes[0].starts_with("validation set in all.h5: images: `/valid_set_x`"));
    }
    let split = SplitConfig { validation_fraction: 0.3, ..SplitConfig::default() };
    let data = files.load(["all.h5", "", ""]).unwrap();
    let error = Splitting::of_run(&split, 1).apply(data).unwrap_err().to_string();
    assert!(error.contains("has a validation set of its own"), "{error}");
    assert!(error.contains("remove `split.validation_fraction`"), "{error}");
    // Names that the config gives select the parts that are read.
    let named = Hdf5Config {
        images: Some("train_set_x".into()),
        labels: Some("train_set_y".into()),
        ..files.config(["all.h5", "", ""])
    };
    let named = named.resolve().unwrap().unwrap();
    assert_eq!((named.validation, named.test), (None, None));
}

#[test]
fn a_file_may_be_named_for_any_part() {
    let files = Files::new();
    files.write("valid.h5", |file| put_part(file, VALID, 2, &[1_i64]));
    files.write("plain.h5", |file| put_part(file, ["images", "labels"], 3, &[0_i64, 1]));
    files.write("train.h5", |file| put_part(file, TRAIN, 1, &[0_i64, 1]));
    let data = files.load(["train.h5", "valid.h5", "plain.h5"]).unwrap();
    assert_eq!(data.validation.unwrap().labels, [1]);
    assert_eq!(data.test.unwrap().labels, [0, 1]);
    let data = files.load(["plain.h5", "train.h5", ""]).unwrap();
    assert_eq!(data.train.values, Values::Pixels(vec![3; 8]));
}

#[test]
fn classes_of_held_out_sets_are_matched_with_those_of_the_training_set() {
    let numbered = |file: &File| put_part(file, TRAIN, 1, &[0_i64, 1, 2]);
    let listed = |file: &File| {
        numbered(file);
        put_names(file, "list_classes", &["a", "b", "c"]);
    };
    let named = |file: &File| {
        put_part(
            file,
            TRAIN,
            1,
            &["a", "b", "c"].map(|name| name.parse::<VarLenUnicode>().unwrap()),
        );
    };
    let abc = || ["a", "b", "c"].map(String::from).to_vec();
    let digits = || ["0", "1", "2"].map(String::from).to_vec();
    let test = |labels: &'static [i64], names: &'static [&str]| {
        move |file: &File| {
            put_part(file, TEST, 2, labels);
            if !names.is_empty() {
                put_names(file, "list_classes", names);
            }
        }
    };
    // Without the last class, without a list, and with a shorter one.
    assert_eq!(test_labels(numbered, test(&[1, 0], &[])), Ok((vec![1, 0], digits())));
    assert_eq!(test_labels(listed, test(&[1, 0], &[])), Ok((vec![1, 0], abc())));
    assert_eq!(test_labels(listed, test(&[0], &["c"])), Ok((vec![2], abc())));
    // By name, in another order or beside a class without examples.
    assert_eq!(test_labels(listed, test(&[0, 1, 2], &["c", "a", "b"])), Ok((vec![2, 0, 1], abc())));
    assert_eq!(test_labels(listed, test(&[0, 2], &["b", "d", "c"])), Ok((vec![1, 2], abc())));
    assert_eq!(test_labels(named, test(&[1, 0], &["c", "a"])), Ok((vec![0, 2], abc())));
    // By number, if the training set has no names.
    assert_eq!(test_labels(numbered, test(&[1, 0], &["x", "y"])), Ok((vec![1, 0], digits())));
}

#[test]
fn classes_that_the_training_set_lacks_are_named_with_their_count() {
    let error = |train: &dyn Fn(&File), test: &dyn Fn(&File)| test_labels(train, test).unwrap_err();
    let train = |file: &File| put_part(file, TRAIN, 1, &[0_i64, 1, 2]);
    let message = error(&train, &|file| put_part(file, TEST, 2, &[3_i64, 1, 5, 3]));
    assert!(
        message.contains("test.h5, has 2 examples of class `3`, 1 example of class `5`"),
        "{message}"
    );
    assert!(message.contains("the training set has 3 classes: 0, 1, 2"), "{message}");
    let many: Vec<i64> = (0..1000).collect();
    let message = error(&train, &|file| put_part(file, TEST, 2, &many));
    assert!(message.contains("class `10` and 989 more") && message.len() < 700, "{message}");
    let message = error(&|file| put_part(file, TRAIN, 1, &many), &|file| {
        put_part(file, TEST, 2, &["x"; 2].map(|name| name.parse::<VarLenUnicode>().unwrap()));
    });
    assert!(message.contains("2 examples of class `x`") && message.len() < 500, "{message}");
}

#[test]
fn equal_validation_and_test_sets_are_warned_of() {
    let files = Files::new();
    files.write("all.h5", |file| {
        put_part(file, TRAIN, 1, &[0_i64, 1, 2]);
        put_part(file, VALID, 2, &[1_i64, 2]);
        put_part(file, TEST, 2, &[1_i64, 2]);
    });
    let warnings = files.load(["all.h5", "", ""]).unwrap().warnings;
    assert!(warnings[0].contains("validation and test set hold the same examples"), "{warnings:?}");
}

#[test]
fn a_directory_that_is_a_file_is_not_replaced_by_synthetic_data() {
    let files = Files::new();
    files.write("all.h5", |file| put_part(file, TRAIN, 1, &[0_i64, 1]));
    let config = Hdf5Config {
        directory: files.0.path().join("all.h5"),
        on_missing: OnMissing::Synthesize,
        ..files.config(["all.h5", "", "all.h5"])
    };
    let error = config.resolve().unwrap_err().to_string();
    assert!(error.contains("all.h5, which is a file"), "{error}");
    assert!(error.contains("set it to the directory of the file"), "{error}");
}

#[test]
fn missing_files_are_looked_for_below_the_home_directory() {
    let files = Files::new();
    let missing =
        Hdf5Config { directory: "~/no such directory".into(), ..files.config(["x.h5", "", ""]) };
    let error = missing.resolve().unwrap_err().to_string();
    let home = env::home_dir().unwrap();
    assert!(error.contains(&home.join("no such directory/x.h5").display().to_string()), "{error}");
    assert!(error.contains("name its directory with `dataset.hdf5.directory`"), "{error}");
    fs::create_dir(files.0.path().join("~")).unwrap();
    let path = files.config(["~/y.h5", "", ""]).resolve().unwrap_err().to_string();
    assert!(path.contains(&home.join("y.h5").display().to_string()), "{path}");
}

/// Value of all channels at a place of an image.
fn pattern(item: usize, row: usize, column: usize) -> u8 {
    ((column * ((item + 1) * 37 % 11) + row * ((item + 1) * 53 % 13)) * 5 % 256) as u8
}

/// Writes `count` different images of `height` and `width`.
fn put_images(file: &File, [images, labels]: [&str; 2], [count, height, width]: [usize; 3]) {
    let set = file.new_dataset::<u8>().shape([count, height, width, 3]).create(images).unwrap();
    let pixel = |at: usize| pattern(at / (height * width), at / width % height, at % width);
    let pixels = (0..count * height * width).flat_map(|at| [pixel(at); 3]);
    set.write_raw(&pixels.collect::<Vec<u8>>()).unwrap();
    put(file, labels, &(0..count as i64).map(|item| item % 2).collect::<Vec<i64>>());
}

/// Data of 40 training images of 20 x 30 and 6 test images of another size, resized to `size`.
fn load_resized(size: Option<ImageSize>, in_memory: Option<bool>) -> Result<LoadedDataset, String> {
    let files = Files::new();
    files.write("train.h5", |file| put_images(file, TRAIN, [40, 20, 30]));
    files.write("test.h5", |file| put_images(file, TEST, [6, 40, 60]));
    let config = Hdf5Config { size, in_memory, ..files.config(["train.h5", "", "test.h5"]) };
    let loaded = config.load().map_err(|error| error.to_string())?;
    assert_eq!(config.info().unwrap().shape, loaded.train.shape);
    Ok(loaded)
}

#[test]
fn images_of_all_parts_are_resized_to_the_size_of_the_config_wherever_they_are_stored() {
    let error = load_resized(None, None).unwrap_err();
    assert!(error.contains("images of shape [40, 60, 3]"), "{error}");
    let size = ImageSize::new(10, 15);
    let [memory, file] =
        [true, false].map(|in_memory| load_resized(size, Some(in_memory)).unwrap());
    assert!(matches!(memory.train.values, Values::Pixels(_)));
    assert!(matches!(file.train.values, Values::Stored(_)));
    let other = load_resized(ImageSize::new(10, 16), None).unwrap();
    assert_eq!(memory.sha256, file.sha256);
    assert_ne!(memory.sha256, other.sha256);
    for (one, other) in [(&memory.train, &file.train), (&memory.test.unwrap(), &file.test.unwrap())]
    {
        assert_eq!(one.shape, [10, 15, 3]);
        assert!(one.has_same_content(other).unwrap());
        let of = |images: &Examples| images.standard.as_ref().unwrap().sha256().unwrap();
        assert_eq!(of(one), of(other));
    }
    // As the folder source resizes an image file.
    let pixels = (0..600).flat_map(|at| [pattern(0, at / 30, at % 30); 3]);
    let image = image::RgbImage::from_raw(30, 20, pixels.collect()).unwrap();
    let frame = Frame { shape: [10, 15, 3], fit: Fit::Stretch };
    let expected =
        crate::images::DecodedImage::from(image::DynamicImage::from(image)).pixels(frame);
    let Values::Pixels(pixels) = &memory.train.values else { panic!("not in memory") };
    assert_eq!(memory.train.row(pixels, 0), expected);
}

#[test]
fn a_split_is_the_same_at_any_size() {
    let split = SplitConfig { validation_fraction: 0.25, ..SplitConfig::default() };
    let held_out = |side| {
        let data = load_resized(ImageSize::new(side, side), None).unwrap();
        let (split, _) = Splitting::of_run(&split, 1).apply(data).unwrap();
        split.validation.unwrap().standard.unwrap().sha256().unwrap()
    };
    assert_eq!(held_out(8), held_out(24));
}

#[test]
fn features_cannot_be_resized_and_missing_files_with_a_size_are_not_replaced() {
    let files = Files::new();
    files.write("points.h5", |file| {
        let set = file.new_dataset::<f32>().shape([4, 2]).create(TRAIN[0]).unwrap();
        set.write_raw(&[0.5_f32; 8]).unwrap();
        put(file, TRAIN[1], &[0_i64, 1, 0, 1]);
    });
    let size = ImageSize::new(8, 8);
    let config = Hdf5Config { size, ..files.config(["points.h5", "", ""]) };
    let error = config.load().unwrap_err().to_string();
    assert!(error.contains("points.h5, has features") && error.contains("remove it"), "{error}");
    let missing = Hdf5Config {
        on_missing: OnMissing::Synthesize,
        ..files.config(["train.h5", "", "test.h5"])
    };
    assert_eq!(missing.resolve().unwrap(), None);
    let error = Hdf5Config { size, ..missing }.resolve().unwrap_err().to_string();
    assert!(error.contains("train.h5 is missing"), "{error}");
}
