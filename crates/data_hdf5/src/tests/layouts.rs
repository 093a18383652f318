//! Files as other tools write them: names, types and shapes of objects.

use hdf5::types::{FixedAscii, VarLenUnicode};

use super::*;
use crate::{ClassNames, Hdf5Part, ImageLayout, ObjectKeys, Residency, splits};

const TRAIN: SplitKind = SplitKind::Train;
const VALIDATION: SplitKind = SplitKind::Validation;
const TEST: SplitKind = SplitKind::Test;

/// A file with what `fill` writes.
fn file(fill: impl Fn(&File)) -> Place {
    let place = Place::new();
    let file = place.create();
    fill(&file);
    file.close().unwrap();
    place
}

/// Creates the groups around `name`.
fn put_in_group<T: H5Type>(file: &File, name: &str, shape: &[usize], data: &[T]) {
    for (end, _) in name.match_indices('/') {
        let group = name.get(..end).unwrap();
        if !group.is_empty() && file.group(group).is_err() {
            file.create_group(group).unwrap();
        }
    }
    put(file, name, shape, data);
}

/// Writes six grey images of 2 x 5 x 6 pixels, all of the value `value`, and their labels.
fn put_part(file: &File, images: &str, labels: &str, value: u8) {
    put_in_group(file, images, &[6, 5, 6, 1], &[value; 180]);
    put_in_group(file, labels, &[6], &[0_i64, 1, 2, 2, 1, 0]);
}

/// Value of the first pixel of a part.
fn value(place: &Place, split: SplitKind) -> Result<f32, String> {
    let file = read(&place.path(), split).map_err(|error| error.to_string())?;
    Ok(file.examples.gather(&[0]).unwrap()[0])
}

fn keys(images: &str, labels: &str) -> ObjectKeys {
    ObjectKeys { images: Some(images.into()), labels: Some(labels.into()), ..ObjectKeys::default() }
}

fn read_with(place: &Place, keys: &ObjectKeys, split: SplitKind) -> Result<Hdf5File, String> {
    let file = keys.open(&place.path(), split).and_then(|part| part.read(Residency::InMemory));
    file.map_err(|error| error.to_string())
}

#[test]
fn the_usual_names_are_found() {
    for ([train, train_labels], [validation, validation_labels], [test, test_labels]) in [
        (
            ["train_set_x", "train_set_y"],
            ["valid_set_x", "valid_set_y"],
            ["test_set_x", "test_set_y"],
        ),
        (["x_train", "y_train"], ["x_val", "y_val"], ["x_test", "y_test"]),
        (["X_train", "Y_train"], ["X_valid", "Y_valid"], ["X_test", "Y_test"]),
        (["trainX", "trainY"], ["valX", "valY"], ["testX", "testY"]),
        (["Xtrain", "ytrain"], ["Xval", "yval"], ["Xtest", "ytest"]),
        (["X", "y"], ["X_dev", "y_dev"], ["Xtest", "ytest"]),
        (["trainimages", "trainlabels"], ["valimages", "vallabels"], ["testdata", "testlabel"]),
        (["train_x", "train_y"], ["dev_x", "dev_y"], ["test_x", "test_y"]),
        (
            ["train_images", "train_labels"],
            ["val_images", "val_labels"],
            ["test_images", "test_labels"],
        ),
        (
            ["train_img", "train_label"],
            ["validation_img", "validation_label"],
            ["test_img", "test_label"],
        ),
        (
            ["train_data", "train_targets"],
            ["validation_data", "validation_targets"],
            ["test_data", "test_targets"],
        ),
        (
            ["/train/images", "/train/labels"],
            ["/val/images", "/val/labels"],
            ["/test/images", "/test/labels"],
        ),
        (
            ["/images/train", "/labels/train"],
            ["/images/val", "/labels/val"],
            ["/images/test", "/labels/test"],
        ),
        (
            ["/Training/data", "/Training/label"],
            ["/Validation/data", "/Validation/label"],
            ["/Testing/data", "/Testing/label"],
        ),
        (
            ["/data/x_train", "/data/y_train"],
            ["/data/x_dev", "/data/y_dev"],
            ["/data/x_test", "/data/y_test"],
        ),
    ] {
        let place = file(|file| {
            put_part(file, train, train_labels, 10);
            put_part(file, validation, validation_labels, 20);
            put_part(file, test, test_labels, 30);
        });
        let values = SplitKind::ALL.map(|split| value(&place, split));
        assert_eq!(values, [Ok(10.0), Ok(20.0), Ok(30.0)], "{train}");
        assert_eq!(splits(&place.path()).unwrap(), SplitKind::ALL, "{train}");
    }
}

#[test]
fn objects_without_a_part_serve_as_any_part() {
    for [images, labels] in [
        ["X", "y"],
        ["x", "Y"],
        ["images", "labels"],
        ["image", "label"],
        ["data", "label"],
        ["data", "target"],
        ["features", "targets"],
        ["/data/x", "/data/y"],
        ["/mnist/images", "/mnist/labels"],
    ] {
        let place = file(|file| put_part(file, images, labels, 10));
        assert_eq!(SplitKind::ALL.map(|split| value(&place, split)), [const { Ok(10.0) }; 3]);
        assert_eq!(splits(&place.path()).unwrap(), [TRAIN], "{images}");
    }
}

#[test]
fn a_file_of_a_validation_set_alone_is_one_under_either_name() {
    for [images, labels] in [["valid_set_x", "valid_set_y"], ["train_set_x", "train_set_y"]] {
        let place = file(|file| put_part(file, images, labels, 10));
        assert_eq!(value(&place, VALIDATION), Ok(10.0));
    }
    let place = file(|file| put_part(file, "valid_set_x", "valid_set_y", 10));
    assert_says(&value(&place, TRAIN).unwrap_err(), &["no training set", "`/valid_set_x`"]);
    assert_eq!(splits(&place.path()).unwrap(), [VALIDATION]);
}

#[test]
fn images_without_labels_are_no_part() {
    let place = file(|file| {
        put_part(file, "x_train", "y_train", 10);
        put(file, "x_test", &[6, 5, 6, 1], &[0_u8; 180]);
    });
    assert_eq!(splits(&place.path()).unwrap(), [TRAIN]);
    assert_says(&value(&place, TEST).unwrap_err(), &["no labels of the test set", "`/x_test`"]);
}

#[test]
fn names_that_fit_equally_well_are_named() {
    let place = file(|file| {
        put_part(file, "x_train", "y_train", 10);
        put(file, "X_train", &[1], &[0_u8]);
    });
    let words = ["`/X_train`", "beside `/x_train`", "choose one by `dataset.hdf5.images`"];
    assert_says(&place.refusal(), &words);
    // That of the courses, among others.
    let place = file(|file| {
        put_part(file, "train_set_x", "train_set_y", 10);
        put(file, "train_x", &[1], &[0_u8]);
    });
    assert_eq!(value(&place, TRAIN), Ok(10.0));
}

#[test]
fn configured_names_are_read() {
    let place = file(|file| {
        put_part(file, "a_train", "b_train", 10);
        put_part(file, "a_valid", "b_valid", 20);
        put_part(file, "/deep/er/est/pixels_of_all", "/deep/er/est/kinds", 30);
        put(file, "kinds_of", &[3], &[7_i64, 8, 9]);
    });
    let first = |keys: &ObjectKeys, split| {
        let file = read_with(&place, keys, split)?;
        Ok((file.examples.gather(&[0]).unwrap()[0], file.classes.join(" ")))
    };
    let numbered = |value| Ok((value, "0 1 2".to_owned()));
    assert_eq!(first(&keys("a_*", "b_*"), TRAIN), numbered(10.0));
    assert_eq!(first(&keys("/a_*", "/b_*"), VALIDATION), numbered(20.0));
    assert_eq!(keys("a_*", "b_*").parts(&place.path()).unwrap(), [Some(TRAIN), Some(VALIDATION)]);
    assert_eq!(keys("a_train", "b_train").parts(&place.path()).unwrap(), [Some(TRAIN)]);
    for split in SplitKind::ALL {
        let keys = keys("/deep/er/est/pixels_of_all", "deep/er/est/kinds");
        assert_eq!(first(&keys, split), numbered(30.0));
        let keys = ObjectKeys { classes: Some("kinds_of".into()), ..keys };
        assert_eq!(first(&keys, split), Ok((30.0, "7 8 9".to_owned())));
    }
    let missing: Result<_, String> = first(&keys("a_*", "b_*"), TEST);
    assert_says(&missing.unwrap_err(), &["no test set", "`/a_train`"]);
    let missing: Result<_, String> = first(&keys("c", "b_train"), TRAIN);
    assert_says(&missing.unwrap_err(), &["has no `/c`", "`/a_train`"]);
}

#[test]
fn links_around_a_configured_name_are_not_followed() {
    let place = file(|file| {
        put_part(file, "/a/x", "/a/y", 10);
        file.link_soft("/a", "soft").unwrap();
        file.link_external("/etc/passwd", "/", "other").unwrap();
    });
    for (group, kind) in [("soft", "a soft link"), ("other", "a link to another file")] {
        let keys = keys(&format!("/{group}/x"), "/a/y");
        assert_says(
            &read_with(&place, &keys, TRAIN).unwrap_err(),
            &[kind, "data set of this file"],
        );
    }
}

#[test]
fn class_names_are_found_under_the_usual_names() {
    for name in
        ["list_classes", "classes", "class_names", "ClassNames", "label_names", "/x/classes"]
    {
        let place = file(|file| {
            put_part(file, "images", "labels", 10);
            put_in_group(file, name, &[3], &[5_i64, 6, 7]);
        });
        assert_eq!(place.read().unwrap().classes, names(&["5", "6", "7"]), "{name}");
    }
}

/// Reads images of this type and shape, in memory and in the file, where they are the same.
fn images<T: H5Type>(
    shape: &[usize],
    data: &[T],
    layout: Option<ImageLayout>,
) -> Result<Hdf5File, String> {
    let place = file(|file| {
        put(file, "x", shape, data);
        let labels: Vec<i64> = (0..shape[0] as i64).map(|item| item % 2).collect();
        put(file, "y", &[labels.len()], &labels);
    });
    let keys = ObjectKeys { layout, ..ObjectKeys::default() };
    let [memory, stored] = [Residency::InMemory, Residency::InFile].map(|residency| {
        let file = keys.open(&place.path(), TRAIN).and_then(|part| part.read(residency));
        file.map_err(|error| error.to_string())
    });
    match (memory, stored) {
        (Ok(memory), Ok(stored)) => {
            assert!(memory.examples.has_same_content(&stored.examples).unwrap());
            let statistics = |examples| data::Normalization::Standardize.fit(examples).unwrap();
            assert_eq!(statistics(&memory.examples), statistics(&stored.examples));
            assert_eq!(memory.note, stored.note);
            Ok(memory)
        }
        (memory, stored) => {
            assert_eq!(memory.as_ref().err(), stored.as_ref().err());
            memory
        }
    }
}

/// Pixels of images of any type that stand for 0 to 255.
fn assert_pixels<T: H5Type>(data: &[T], expected: &[u8], note: &str) {
    let file = images(&[2, 1, data.len() / 2, 1], data, None).unwrap();
    assert_eq!(file.examples.values, Values::Pixels(expected.to_vec()), "{note}");
    assert_says(file.note.as_deref().unwrap(), &[note]);
}

#[test]
fn pixels_of_any_number_type_are_read_exactly() {
    let all: Vec<u8> = (0..=255).collect();
    assert_pixels(&all, &all, "images: `/x`");
    assert_pixels(
        &all.iter().map(|&k| f32::from(k) / 255.0).collect::<Vec<_>>(),
        &all,
        "float32 from 0 to 1",
    );
    assert_pixels(
        &all.iter().map(|&k| f64::from(k) / 255.0).collect::<Vec<_>>(),
        &all,
        "float64 from 0 to 1",
    );
    assert_pixels(
        &all.iter().map(|&k| f32::from(k)).collect::<Vec<_>>(),
        &all,
        "float32 from 0 to 255",
    );
    assert_pixels(
        &all.iter().map(|&k| i64::from(k)).collect::<Vec<_>>(),
        &all,
        "int64 from 0 to 255",
    );
    assert_pixels(
        &all.iter().map(|&k| i32::from(k)).collect::<Vec<_>>(),
        &all,
        "int32 from 0 to 255",
    );
    assert_pixels(
        &all.iter().map(|&k| u16::from(k)).collect::<Vec<_>>(),
        &all,
        "uint16 from 0 to 255",
    );
    let wide: Vec<u16> = all.iter().map(|&k| u16::from(k) * 257).collect();
    assert_pixels(&wide, &all, "uint16 of 16 bits, scaled to 0 to 255");
    assert_pixels(&[0_u16, 16, 2048, 4095], &[0, 1, 128, 255], "uint16 of 12 bits");
    assert_pixels(
        &[0.4_f32, 0.6, 200.5, 254.4],
        &[0, 1, 201, 254],
        "float32 from 0 to 255, rounded",
    );
    assert_pixels(&[false, true, true, false], &[0, 255, 255, 0], "from 0 to 1");
    assert_pixels(&[0.0_f64, -0.001, 1.001, 0.5], &[0, 0, 255, 128], "float64 from 0 to 1");
}

#[test]
fn pixels_without_a_clear_scale_are_refused_with_a_command() {
    let refused = |data: &[f32], words: &[&str]| {
        assert_says(&images(&[2, 1, data.len() / 2, 1], data, None).unwrap_err(), words);
    };
    refused(&[-1.0, 0.0, 0.5, 1.0], &["float32 from -1 to 1", "(x.astype('f4') + 1) * (255 / 2)"]);
    refused(
        &[-2.1, 0.0, 0.5, 2.6],
        &["float32 from -2.1 to 2.6", "+ 2.1) * (255 / 4.7)", "same numbers"],
    );
    refused(&[0.0, 0.3, 0.5, 5.5], &["float32 from 0 to 5.5", "x.astype('f4') * (255 / 5.5)"]);
    refused(&[0.0, 0.3, 0.5, 300.0], &["from 0 to 300"]);
    refused(&[0.0, 0.3, f32::NAN, 1.0], &["NaN in the image at index 1", "np.nan_to_num"]);
    refused(&[0.0, f32::INFINITY, 0.1, 1.0], &["inf in the image at index 0"]);
    let message = images(&[2, 1, 2, 1], &[0_i32, 1, 2, 256], None).unwrap_err();
    assert_says(&message, &["int32 from 0 to 256", "from 0 to 1 or from 0 to 255"]);
    let message = images(&[2, 1, 2, 1], &[0_i8, 1, 2, -128], None).unwrap_err();
    assert_says(&message, &["int8 from -128 to 2"]);
}

/// Pixels that count from 0 in the order of the file.
fn counted(count: usize) -> Vec<u8> {
    (0..count).map(|pixel| pixel as u8).collect()
}

#[test]
fn axes_are_told_from_the_shape() {
    let read = |shape: &[usize], layout| {
        let file = images(shape, &counted(shape.iter().product()), layout);
        file.map(|file| (file.examples.shape, file.examples.values, file.note.unwrap_or_default()))
    };
    // Two images of 2 x 4 pixels in three channels, first and last.
    let (shape, pixels, note) = read(&[2, 3, 2, 4], None).unwrap();
    let first = (0..8).flat_map(|pixel| [pixel, pixel + 8, pixel + 16]);
    let both = first.clone().chain(first.map(|pixel| pixel + 24));
    assert_eq!((shape, pixels), ([2, 4, 3], Values::Pixels(both.collect())));
    assert_says(&note, &["channels first"]);
    assert_eq!(read(&[2, 2, 4, 3], None).unwrap().0, [2, 4, 3]);
    assert_eq!(read(&[2, 1, 4, 6], None).unwrap().0, [4, 6, 1]);
    // Channels last unless the config says otherwise.
    assert_eq!(read(&[2, 3, 4, 3], None).unwrap().0, [3, 4, 3]);
    assert_eq!(read(&[2, 3, 4, 3], Some(ImageLayout::Nchw)).unwrap().0, [4, 3, 3]);
    assert!(read(&[2, 3, 4, 5], Some(ImageLayout::Nhwc)).is_err());
    let (shape, pixels, note) = read(&[2, 5, 6], None).unwrap();
    assert_eq!((shape, pixels), ([5, 6, 1], Values::Pixels(counted(60))));
    assert_says(&note, &["grey, without an axis of channels"]);
    for (shape, words) in [
        (&[2, 5, 6, 4][..], ["uint8 [2, 5, 6, 4]", "x[..., :3]"]),
        (&[2, 4, 5, 6], ["uint8 [2, 4, 5, 6]", "x[:, :3]"]),
        (&[2, 784], ["uint8 [2, 784]", "x.reshape(-1, 28, 28)"]),
        (&[2, 3072], ["uint8 [2, 3072]", "x.reshape(-1, 32, 32, 3)"]),
        (&[2, 5, 3], ["uint8 [2, 5, 3]", "x[..., None]"]),
        (&[3, 5, 6, 9], ["uint8 [3, 5, 6, 9]", "x.transpose()"]),
        (&[6, 5, 3, 9], ["uint8 [6, 5, 3, 9]", "np.moveaxis(x, -1, 0)"]),
    ] {
        assert_says(&read(shape, None).unwrap_err(), &words);
    }
}

#[test]
fn axes_of_matlab_are_reversed() {
    let place = Place::new();
    let mut options = File::with_options();
    let file = options.with_fcpl(|create| create.userblock(512)).create(place.path()).unwrap();
    // An array of 2 x 4 x 3 x 2 (height, width, channels, images) in MATLAB, labels of 2 x 1.
    put(&file, "X", &[2, 3, 4, 2], &counted(48));
    put(&file, "y", &[1, 2], &[0.0_f64, 1.0]);
    file.close().unwrap();
    let mut bytes = std::fs::read(place.path()).unwrap();
    bytes[..10].copy_from_slice(b"MATLAB 7.3");
    let file = Place::holding(&bytes).read().unwrap();
    assert_eq!(file.examples.shape, [2, 4, 3]);
    // Row 0, column 1 is the third value of each channel.
    assert_eq!(file.examples.gather(&[0]).unwrap()[3..6], [2.0, 10.0, 18.0]);
    assert_says(&file.note.unwrap(), &["order of MATLAB", "float64, all whole"]);
}

/// Reads six images with the labels that `fill` writes as `y`, and maybe `classes`.
fn labelled(fill: impl Fn(&File)) -> Result<Hdf5File, String> {
    let place = file(|file| {
        put(file, "x", &[6, 5, 6, 1], &[0_u8; 180]);
        fill(file);
    });
    place.read().map_err(|error| error.to_string())
}

fn text(text: &str) -> VarLenUnicode {
    text.parse().unwrap()
}

#[test]
fn labels_of_other_types_are_read() {
    let expected = [0, 1, 2, 2, 1, 0];
    let labels = |fill: &dyn Fn(&File)| labelled(fill).unwrap().examples.labels;
    for shape in [&[6][..], &[6, 1], &[1, 6], &[6, 1, 1]] {
        assert_eq!(
            labels(&|file| put(file, "y", shape, &expected.map(|label| label as f32))),
            expected
        );
        assert_eq!(labels(&|file| put(file, "y", shape, &expected.map(f64::from))), expected);
    }
    let is_positive = expected.map(|label| label > 0);
    assert_eq!(labels(&|file| put(file, "y", &[6], &is_positive)), [0, 1, 1, 1, 1, 0]);
    let rows: Vec<u8> =
        expected.iter().flat_map(|&label| (0..4).map(move |k| u8::from(k == label))).collect();
    assert_eq!(labels(&|file| put(file, "y", &[6, 4], &rows)), expected);
    let floats: Vec<f64> = rows.iter().copied().map(f64::from).collect();
    assert_eq!(labels(&|file| put(file, "y", &[6, 4], &floats)), expected);
    let flags: Vec<bool> = rows.iter().map(|&one| one == 1).collect();
    assert_eq!(labels(&|file| put(file, "y", &[6, 1, 4], &flags)), expected);
    let columns: Vec<f32> =
        (0..4).flat_map(|k| expected.map(|label| f32::from(k == label))).collect();
    assert_eq!(labels(&|file| put(file, "y", &[4, 6], &columns)), expected);
    // A row has a place for the class without examples.
    let file = labelled(|file| put(file, "y", &[6, 4], &rows)).unwrap();
    assert_eq!(
        (file.classes, file.class_names),
        (names(&["0", "1", "2", "3"]), ClassNames::Numbered)
    );
    assert_says(&file.note.unwrap(), &["labels: `/y` (one-hot)"]);
}

#[test]
fn labels_that_are_names_are_matched_with_the_list_or_make_one() {
    let animals = ["dog", "cat", "dog", "owl", "cat", "dog"];
    let put_animals = |file: &File| put(file, "y", &[6], &animals.map(text));
    let file = labelled(|file| {
        put_animals(file);
        put(file, "classes", &[4], &["owl", "dog", "emu", "cat"].map(text));
    });
    let file = file.unwrap();
    assert_eq!(file.examples.labels, [1, 3, 1, 0, 3, 1]);
    assert_eq!((file.classes.len(), file.class_names), (4, ClassNames::Listed));
    let file = labelled(put_animals).unwrap();
    assert_eq!(file.classes, names(&["cat", "dog", "owl"]));
    assert_eq!(file.examples.labels, [1, 0, 1, 2, 0, 1]);
    assert_says(&file.note.unwrap(), &["the classes are the 3 names"]);
    let numbers =
        ["10", "9", "10", "11", "9", "10"].map(|name| FixedAscii::<2>::from_ascii(name).unwrap());
    let file = labelled(|file| put(file, "y", &[6], &numbers)).unwrap();
    assert_eq!((file.classes, file.examples.labels[0]), (names(&["9", "10", "11"]), 1));
}

#[test]
fn labels_that_are_not_clear_are_refused_with_a_command() {
    let refused =
        |fill: &dyn Fn(&File), words: &[&str]| assert_says(&labelled(fill).unwrap_err(), words);
    let two_ones = [1_u8, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1];
    refused(
        &|file| put(file, "y", &[6, 2], &two_ones),
        &["example at index 0", "several labels", "x.argmax(-1)"],
    );
    let soft = [0.9_f32, 0.1].repeat(6);
    refused(&|file| put(file, "y", &[6, 2], &soft), &["no one-hot label", "x.argmax(-1)"]);
    refused(&|file| put(file, "y", &[2, 6], &soft), &["no one-hot label", "x.argmax(0)"]);
    let signs = [-1_i64, 1, -1, 1, 1, 1];
    refused(
        &|file| put(file, "y", &[6], &signs),
        &["label -1 at index 0", "np.unique(x, return_inverse=True)[1]"],
    );
    let ids = [100_000_i64, 5, 5, 5, 5, 5];
    refused(&|file| put(file, "y", &[6], &ids), &["labels up to 100000", "np.unique"]);
    let from_1 = |file: &File| {
        put(file, "y", &[6], &[1_i64, 2, 3, 3, 2, 1]);
        put(file, "classes", &[3], &["a", "b", "c"].map(text));
    };
    refused(&from_1, &["label 3 at index 2", "0 to 2 for 3 classes", "= x - 1"]);
    let unclear = |file: &File| {
        put(file, "y", &[6], &["1", "2", "2", "1", "1", "2"].map(text));
        put(file, "classes", &[3], &["1", "2", "3"].map(text));
    };
    refused(
        &unclear,
        &["labels in digits", "names of classes or indices", "store the labels as integers"],
    );
}

#[test]
fn no_message_lists_a_thousand_classes() {
    let many: Vec<_> = (0..1000).map(|class| text(&format!("class {class}"))).collect();
    let message = labelled(|file| {
        put(file, "y", &[6], &["x"; 6].map(text));
        put(file, "classes", &[1000], &many);
    });
    let message = message.unwrap_err();
    assert_says(&message, &["one of the 1000 listed classes: class 0, ", "class 7, .."]);
    assert!(message.len() < 400, "{message}");
}

#[test]
fn a_held_out_part_may_have_one_class_only() {
    let place = file(|file| {
        put(file, "images", &[2, 5, 6, 1], &[0_u8; 60]);
        put(file, "labels", &[2], &[0_i64; 2]);
    });
    assert_eq!(read(&place.path(), TEST).unwrap().classes, names(&["0"]));
    assert_says(&place.refusal(), &["labels up to 0", "at least 1"]);
}

#[test]
fn parts_of_one_data_set_share_the_scale() {
    let of = |data: &dyn Fn(&File)| {
        file(|file| {
            data(file);
            put(file, "y", &[2], &[0_i64, 1]);
        })
    };
    let open = |place: &Place| ObjectKeys::default().open(&place.path(), TRAIN).unwrap();
    let first =
        |part: Hdf5Part| part.read(Residency::InMemory).unwrap().examples.gather(&[0]).unwrap()[0];
    // The second file alone would be of 12 bits.
    let [wide, narrow] =
        [60_000, 4000].map(|most| of(&|file| put(file, "x", &[2, 1, 1, 1], &[257_u16, most])));
    let (mut wide, mut narrow) = (open(&wide), open(&narrow));
    Hdf5Part::share_scale(&mut [&mut narrow, &mut wide]).unwrap();
    assert_eq!((first(narrow), first(wide)), (1.0, 1.0));
    let [unit, bytes] =
        [1.0, 255.0].map(|most| of(&|file| put(file, "x", &[2, 1, 1, 1], &[0.0_f32, most])));
    let error = Hdf5Part::share_scale(&mut [&mut open(&unit), &mut open(&bytes)]).unwrap_err();
    assert_says(
        &error.to_string(),
        &["from 0 to 1", "0 to 255, as in another part", "np.float32(x) * 255"],
    );
}

/// A file that h5py wrote, of the corpus of the fuzz targets.
fn by_h5py(name: &str) -> Place {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/hdf5");
    Place::holding(&std::fs::read(corpus.join(format!("h5py-{name}.h5"))).unwrap())
}

#[test]
fn lzf_and_checksums_are_read() {
    // Six images of 8 x 20 x 3, each value of `pixels` 40 times.
    let place = by_h5py("lzf");
    let file = place.read().unwrap();
    let expected = pixels().into_iter().flat_map(|pixel| [pixel; 40]).collect();
    assert_eq!(file.examples, Examples::images([8, 20, 3], expected, small().labels));
    // The labels, whose checksum no longer fits.
    let mut bytes = std::fs::read(place.path()).unwrap();
    let labels: Vec<u8> = [0_i64, 1, 2, 2, 1, 0].into_iter().flat_map(i64::to_le_bytes).collect();
    let start = bytes.windows(48).position(|window| window == labels).unwrap();
    bytes[start] = 1;
    assert_says(
        &Place::holding(&bytes).refusal(),
        &["`/train_set_y`", "the checksum of a chunk is wrong"],
    );
}

#[test]
fn half_precision_and_booleans_of_h5py_are_read() {
    let file = by_h5py("bool-and-half").read().unwrap();
    assert_eq!(file.examples, Examples::images([2, 2, 3], pixels(), vec![0, 1, 1, 1, 1, 0]));
    assert_says(&file.note.unwrap(), &["float16 from 0 to 1, scaled"]);
}

#[test]
fn the_remedy_for_other_filters_copies_every_data_set() {
    let message = by_h5py("blosc").refusal();
    assert_says(
        &message,
        &["filter 32001 (blosc)", "pip install h5py hdf5plugin", "a.visititems("],
    );
}

#[test]
fn a_file_of_a_newer_library_is_read_or_named_with_a_command_that_copies_it() {
    let place = by_h5py("latest");
    match place.read() {
        Ok(file) => assert_eq!(file.examples, small()),
        Err(_) => assert_says(&place.refusal(), &["of a newer HDF5 library", "a.visititems("]),
    }
}

#[test]
fn a_file_that_was_not_closed_is_not_called_damaged() {
    let message = by_h5py("not-closed").refusal();
    assert_says(
        &message,
        &["still open in the program that writes it", "file.close()", "h5clear -s"],
    );
    assert!(!message.contains("damaged"), "{message}");
}
