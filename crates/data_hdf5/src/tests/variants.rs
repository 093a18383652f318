//! Variants of valid files.

use hdf5::DatasetBuilder;
use hdf5::dataset::Layout;
use hdf5::types::{FixedAscii, FixedUnicode, IntSize, TypeDescriptor, VarLenAscii, VarLenUnicode};

use super::*;

fn read_with_labels(put_labels: impl Fn(&File)) -> Hdf5File {
    let place = Place::new();
    let file = place.create();
    put_pixels(&file);
    put_classes(&file);
    put_labels(&file);
    file.close().unwrap();
    let read = place.read().unwrap();
    assert_eq!(read.examples, small());
    read
}

fn read_with_classes(put_classes: impl Fn(&File)) -> Vec<String> {
    let place = Place::new();
    let file = place.create();
    put_pixels(&file);
    put_labels(&file);
    put_classes(&file);
    file.close().unwrap();
    place.read().unwrap().classes
}

fn read_with_storage(settings: impl Fn(DatasetBuilder) -> DatasetBuilder, layout: Layout) {
    let place = Place::new();
    let file = place.create();
    let put = |name: &str, shape: &[usize], data: &[u8]| {
        let builder = settings(file.new_dataset_builder());
        let set = builder.empty::<u8>().shape(shape).create(name).unwrap();
        assert_eq!(set.layout(), layout);
        set.write_raw(data).unwrap();
    };
    put("train_set_x", &[6, 2, 2, 3], &pixels());
    put_labels(&file);
    put_classes(&file);
    file.close().unwrap();
    assert_eq!(place.read().unwrap().examples, small());
}

#[test]
#[ignore = "needs the data of the course"]
fn the_signs_of_the_course_are_read() {
    for (path, part, count) in [
        ("signs/train_signs.h5", SplitKind::Train, 180),
        ("signs/test_signs.h5", SplitKind::Test, 20),
    ] {
        let path = course_data(path);
        let file = read(&path, part).unwrap();
        assert_eq!(file.classes, names(&["0", "1", "2", "3", "4", "5"]));
        assert_eq!(file.examples.shape, [64, 64, 3]);
        assert_eq!(file.examples.len(), 6 * count);
        assert!(file.examples.are_images());
        for class in 0..6 {
            assert_eq!(file.examples.labels.iter().filter(|&&label| label == class).count(), count);
        }
    }
}

#[test]
#[ignore = "needs the data of the course"]
fn the_cats_of_the_course_are_read() {
    for (path, part, count) in [
        ("cat/train_catvnoncat.h5", SplitKind::Train, 209),
        ("cat/test_catvnoncat.h5", SplitKind::Test, 50),
    ] {
        let path = course_data(path);
        let file = read(&path, part).unwrap();
        assert_eq!(file.classes, names(&["non-cat", "cat"]));
        assert_eq!((file.examples.len(), file.examples.shape), (count, [64, 64, 3]));
        assert!(file.examples.are_images());
    }
}

#[test]
#[ignore = "needs the data of the course"]
fn pixels_equal_those_read_by_libhdf5() {
    let path = course_data("signs/test_signs.h5");
    let pixels =
        File::open(&path).unwrap().dataset("test_set_x").unwrap().read_raw::<u8>().unwrap();
    assert_eq!(read(&path, SplitKind::Test).unwrap().examples.values, Values::Pixels(pixels));
}

#[test]
fn labels_may_be_of_any_integer_type() {
    fn check<T: H5Type + From<u8>>() {
        read_with_labels(|file| {
            put(file, "train_set_y", &[6], &[0, 1, 2, 2, 1, 0].map(T::from));
        });
    }
    read_with_labels(|file| put(file, "train_set_y", &[6], &[0_i8, 1, 2, 2, 1, 0]));
    check::<u8>();
    check::<i16>();
    check::<u16>();
    check::<i32>();
    check::<u32>();
    check::<i64>();
    check::<u64>();
}

#[test]
fn labels_may_be_big_endian() {
    let place = Place::new();
    let file = place.create();
    put_pixels(&file);
    // Big-endian 0, 1, 2 .. written as bytes under a type whose byte order is patched below.
    put(&file, "train_set_y", &[6], &[0_i64, 1, 2, 2, 1, 0].map(i64::swap_bytes));
    file.close().unwrap();
    let mut bytes = std::fs::read(place.path()).unwrap();
    // A fixed-point type, signed, of 8 bytes and 64 bits: bit 0 of its flags is the byte order.
    let little = [0x10, 0x08, 0, 0, 8, 0, 0, 0, 0, 0, 64, 0];
    let start = bytes.windows(12).position(|window| window == little).unwrap();
    bytes[start + 1] |= 1;
    assert_eq!(Place::holding(&bytes).read().unwrap().examples, small());
}

#[test]
fn labels_may_be_rows_or_columns() {
    for shape in [&[6][..], &[1, 6], &[6, 1]] {
        read_with_labels(|file| put(file, "train_set_y", shape, &[0_i64, 1, 2, 2, 1, 0]));
    }
}

#[test]
fn labels_may_be_strings_of_digits() {
    let digits = ["0", "1", "2", "2", "1", "0"];
    read_with_labels(|file| {
        let labels = digits.map(|digit| FixedAscii::<1>::from_ascii(digit).unwrap());
        put(file, "train_set_y", &[6], &labels);
    });
    read_with_labels(|file| {
        let labels = digits.map(|digit| digit.parse::<FixedUnicode<3>>().unwrap());
        put(file, "train_set_y", &[1, 6], &labels);
    });
    read_with_labels(|file| {
        let labels = digits.map(|digit| VarLenAscii::from_ascii(digit).unwrap());
        put(file, "train_set_y", &[6], &labels);
    });
    read_with_labels(|file| {
        let labels = digits.map(|digit| digit.parse::<VarLenUnicode>().unwrap());
        put(file, "train_set_y", &[6, 1], &labels);
    });
}

#[test]
fn class_names_may_be_integers_or_strings_of_any_form() {
    assert_eq!(read_with_classes(put_classes), names(&["0", "1", "2"]));
    let expected = names(&["cat", "non-cat", "chien élevé"]);
    let texts = ["cat", "non-cat", "chien élevé"];
    let fixed = read_with_classes(|file| {
        let names = texts.map(|name| name.parse::<FixedUnicode<20>>().unwrap());
        put_as(file, "list_classes", &[3], &names, TypeDescriptor::FixedUnicode(13));
    });
    assert_eq!(fixed, expected);
    let variable = read_with_classes(|file| {
        put(file, "list_classes", &[3], &texts.map(|name| name.parse::<VarLenUnicode>().unwrap()));
    });
    assert_eq!(variable, expected);
    let ascii = read_with_classes(|file| {
        let names = ["a", "bb", "ccc"].map(|name| VarLenAscii::from_ascii(name).unwrap());
        put(file, "list_classes", &[1, 3], &names);
    });
    assert_eq!(ascii, names(&["a", "bb", "ccc"]));
}

#[test]
fn many_long_variable_names_are_read_from_many_heap_collections() {
    let texts: Vec<String> = (0..500).map(|name| format!("{name:0>200}")).collect();
    let read = read_with_classes(|file| {
        let names: Vec<VarLenUnicode> = texts.iter().map(|name| name.parse().unwrap()).collect();
        put(file, "list_classes", &[500], &names);
    });
    assert_eq!(read, texts);
}

#[test]
fn variable_names_may_be_chunked_and_compressed_behind_a_user_block() {
    let place = Place::new();
    let file = File::with_options()
        .with_fcpl(|create| create.userblock(512))
        .create(place.path())
        .unwrap();
    put_pixels(&file);
    put_labels(&file);
    let builder = file.new_dataset_builder().shuffle().deflate(6).chunk(2);
    let set = builder.empty::<VarLenUnicode>().shape([3]).create("list_classes").unwrap();
    set.write_raw(&["a", "b", "c"].map(|name| name.parse::<VarLenUnicode>().unwrap())).unwrap();
    drop(set);
    file.close().unwrap();
    let read = place.read().unwrap();
    assert_eq!((read.examples, read.classes), (small(), names(&["a", "b", "c"])));
}

#[test]
fn classes_without_names_are_named_by_their_integer_labels() {
    assert_eq!(read_with_classes(|_| ()), names(&["0", "1", "2"]));
}

#[test]
fn one_file_may_hold_both_parts() {
    let place = Place::new();
    let file = place.create();
    put_training_set(&file);
    put(&file, "test_set_x", &[1, 1, 1, 1], &[7_u8]);
    put(&file, "test_set_y", &[1, 1], &[2_i64]);
    file.close().unwrap();
    assert_eq!(place.read().unwrap().examples, small());
    let images = Examples::images([1, 1, 1], vec![7], vec![2]);
    assert_eq!(read(&place.path(), SplitKind::Test).unwrap().examples, images);
}

#[test]
fn pixels_may_be_stored_compact_contiguous_or_in_chunks() {
    for layout in [Layout::Compact, Layout::Contiguous] {
        read_with_storage(|create| create.with_dcpl(|create| create.layout(layout)), layout);
    }
    for chunk in [[1, 1, 1, 1], [6, 2, 2, 3], [4, 2, 2, 3], [5, 2, 1, 2], [1, 2, 2, 3]] {
        let read = |settings: fn(DatasetBuilder) -> DatasetBuilder| {
            read_with_storage(|create| settings(create.chunk(chunk)), Layout::Chunked);
        };
        read(|create| create);
        read(|create| create.deflate(9));
        read(|create| create.shuffle().deflate(1));
        read(|create| create.shuffle());
    }
}

#[test]
fn byte_shuffled_labels_are_restored() {
    read_with_labels(|file| {
        let builder = file.new_dataset_builder().shuffle().deflate(6).chunk(4);
        let dtype = TypeDescriptor::Integer(IntSize::U4);
        let set = builder.empty_as(dtype).shape([6]).create("train_set_y").unwrap();
        set.write_raw(&[0_i32, 1, 2, 2, 1, 0]).unwrap();
    });
}
