//! Malicious files: each is refused before its data are read.

use hdf5::dataset::{AllocTime, ChunkOpts, DatasetCreateBuilder, Layout};
use hdf5::types::{FixedAscii, VarLenUnicode};

use super::*;
use crate::ObjectKeys;
use crate::budget::MemoryBudget;
use crate::open_file::OpenFile;
use crate::write;

type Settings = fn(&mut DatasetCreateBuilder) -> &mut DatasetCreateBuilder;

/// Error for a file with valid labels and names.
fn refused_pixels(put: impl Fn(&File)) -> String {
    let message = refused(|file| {
        put(file);
        put_labels(file);
        put_classes(file);
    });
    assert_says(&message, &["`/train_set_x`"]);
    message
}

fn refused_labels(put: impl Fn(&File)) -> String {
    let message = refused(|file| {
        put_pixels(file);
        put(file);
        put_classes(file);
    });
    assert_says(&message, &["`/train_set_y`"]);
    message
}

fn refused_classes(put: impl Fn(&File)) -> String {
    let message = refused(|file| {
        put_pixels(file);
        put_labels(file);
        put(file);
    });
    assert_says(&message, &["`/list_classes`"]);
    message
}

fn refused(put: impl Fn(&File)) -> String {
    let place = Place::new();
    let file = place.create();
    put(&file);
    file.close().unwrap();
    place.refusal()
}

fn create(file: &File, shape: &[usize], settings: Settings) -> hdf5::Dataset {
    let builder = file.new_dataset_builder().with_dcpl(|create| settings(create));
    builder.empty::<u8>().shape(shape).create("train_set_x").unwrap()
}

#[test]
fn links_are_never_followed() {
    let message =
        refused_pixels(|file| file.link_external("/etc/passwd", "/x", "train_set_x").unwrap());
    assert_says(&message, &["a link to another file", "store the data in the file itself"]);
    let message = refused_pixels(|file| {
        put(file, "elsewhere", &[6, 2, 2, 3], &pixels());
        file.link_soft("/elsewhere", "train_set_x").unwrap();
    });
    assert_says(&message, &["a soft link"]);
    let message = refused_pixels(|file| file.link_soft("/train_set_x", "train_set_x").unwrap());
    assert_says(&message, &["a soft link"]);
    assert_says(
        &refused_labels(|file| file.link_soft("x", "train_set_y").unwrap()),
        &["a soft link"],
    );
    assert_says(
        &refused_classes(|file| file.link_soft("x", "list_classes").unwrap()),
        &["a soft link"],
    );
}

#[test]
fn other_objects_are_ignored() {
    let place = Place::new();
    let file = place.create();
    put_training_set(&file);
    file.link_external("/etc/passwd", "/x", "other").unwrap();
    let group = file.create_group("cycle").unwrap();
    group.link_hard("/", "root").unwrap();
    group.link_hard("/cycle", "self").unwrap();
    drop(group);
    file.close().unwrap();
    assert_eq!(place.read().unwrap().examples, small());
}

#[test]
fn groups_and_types_are_refused() {
    let message = refused_pixels(|file| drop(file.create_group("train_set_x").unwrap()));
    assert_says(&message, &["a group", "a data set"]);
    let message = refused_pixels(|file| file.link_hard("/", "train_set_x").unwrap());
    assert_says(&message, &["a group"]);
    let message = refused_labels(|file| {
        let dtype = hdf5::Datatype::from_type::<i64>().unwrap();
        file.commit_datatype("train_set_y", &dtype).unwrap();
    });
    assert_says(&message, &["a named type without data"]);
}

#[test]
fn other_files_are_never_read() {
    let message = refused_pixels(|file| {
        drop(create(file, &[6, 2, 2, 3], |create| create.external("/etc/passwd", 0, 72)));
    });
    assert_says(&message, &["stored in another file", "a.visititems("]);
    let message = refused_pixels(|file| {
        drop(create(file, &[6, 2, 2, 3], |create| {
            create.virtual_map("/etc/passwd", "x", (6, 2, 2, 3), .., (6, 2, 2, 3), ..)
        }));
    });
    assert_says(&message, &["a view of other files"]);
}

#[test]
fn other_filters_are_refused_with_a_command_that_copies_the_data() {
    let settings: [(Settings, &str); 1] =
        [(|create| create.chunk([6, 2, 2, 3]).nbit(), "filter 5 (nbit)")];
    for (settings, name) in settings {
        let message = refused_pixels(|file| {
            create(file, &[6, 2, 2, 3], settings).write_raw(&pixels()).unwrap();
        });
        assert_says(&message, &[name, "deflate, lzf, shuffle and fletcher32 only", "hdf5plugin"]);
    }
}

#[test]
fn sizes_beyond_the_file_are_refused() {
    let huge = [1 << 20, 1 << 10, 1 << 10, 3];
    let message = refused_pixels(|file| drop(create(file, &huge, |create| create)));
    assert_says(&message, &["at most 1 TiB", "1048576"]);
    let message = refused_pixels(|file| drop(create(file, &[1 << 24, 16, 16, 1], |create| create)));
    assert_says(&message, &["0 bytes", "4294967296 bytes"]);
    let message = refused_pixels(|file| {
        drop(create(file, &[100, 64, 64, 3], |create| {
            create.chunk([100, 64, 64, 3]).deflate(6).alloc_time(Some(AllocTime::Late))
        }));
    });
    assert_says(&message, &["stored in 0 bytes"]);
}

#[test]
fn chunks_that_are_too_large_are_refused() {
    let message = refused_pixels(|file| {
        let builder = file.new_dataset_builder().deflate(1).chunk((1, 1 << 14, 1 << 14, 3));
        let shape = (1, 4.., 4.., 3);
        drop(builder.empty::<u8>().shape(shape).create("train_set_x").unwrap());
    });
    assert_says(&message, &["chunks of shape [1, 16384, 16384, 3]", "64 MiB"]);
}

#[test]
fn chunks_that_were_never_written_are_refused() {
    let message = refused_pixels(|file| {
        let builder = file.new_dataset_builder().deflate(6).chunk((1, 2, 2, 3));
        let set = builder.empty::<u8>().shape((1.., 2, 2, 3)).create("train_set_x").unwrap();
        set.write_raw(&[1_u8; 12]).unwrap();
        set.resize((6, 2, 2, 3)).unwrap();
    });
    assert_says(&message, &["damaged", "not allocated"]);
}

#[test]
fn pixels_of_another_type_or_shape_are_refused() {
    for shape in [
        &[72][..],
        &[6, 4, 3],
        &[0, 2, 2, 3],
        &[6, 0, 2, 3],
        &[6, 2, 3, 2],
        &[2, 2, 2, 9],
        &[3, 2, 3, 4],
    ] {
        let data = vec![0_u8; shape.iter().product()];
        let message = refused_pixels(|file| put(file, "train_set_x", shape, &data));
        assert_says(&message, &["expected"]);
    }
    let message = refused_pixels(|file| {
        let set = file.new_dataset::<u8>().create("train_set_x").unwrap();
        set.write_scalar(&1).unwrap();
    });
    assert_says(&message, &["uint8 []"]);
}

#[test]
fn invalid_labels_are_named() {
    let message = refused_labels(|file| put(file, "train_set_y", &[6], &[0_i64, 1, 2, 3, 1, 0]));
    assert_says(&message, &["label 3 at index 3", "0 to 2 for 3 classes"]);
    let message = refused_labels(|file| put(file, "train_set_y", &[6], &[0_i64, -1, 2, 2, 1, 0]));
    assert_says(&message, &["label -1 at index 1"]);
    let message =
        refused_labels(|file| put(file, "train_set_y", &[6], &[0_u64, 1, u64::MAX, 2, 1, 0]));
    assert_says(&message, &["label 18446744073709551615 at index 2"]);
    let message = refused_labels(|file| put(file, "train_set_y", &[5], &[0_i64; 5]));
    assert_says(&message, &["5 labels", "6, one for each example"]);
    let message = refused_labels(|file| put(file, "train_set_y", &[2, 3], &[0_i64; 6]));
    assert_says(&message, &["of shape [2, 3]"]);
    let halves = [0.0_f32, 1.0, 0.5, 0.0, 1.0, 2.0];
    let message = refused_labels(|file| put(file, "train_set_y", &[6], &halves));
    assert_says(&message, &["label 0.5 at index 2", "whole numbers", "np.unique"]);
    let message = refused_labels(|file| {
        put(file, "train_set_y", &[6], &[FixedAscii::<1>::from_ascii("x").unwrap(); 6]);
    });
    assert_says(&message, &["label \"x\" at index 0", "one of the 3 listed classes: 0, 1, 2"]);
    let message = refused(|file| {
        put_pixels(file);
        put_classes(file);
    });
    assert_says(&message, &["has no labels of the training set", "`/train_set_x`"]);
}

#[test]
fn invalid_class_names_are_named() {
    let refused = |texts: &[&str]| {
        refused_classes(|file| {
            let names: Vec<VarLenUnicode> =
                texts.iter().map(|name| name.parse().unwrap()).collect();
            put(file, "list_classes", &[names.len()], &names);
        })
    };
    assert_says(&refused(&["a", "b", "a"]), &["class name \"a\" at index 2", "different"]);
    assert_says(&refused(&["a", "", "b"]), &["class name \"\" at index 1"]);
    assert_says(&refused(&["a", &"b".repeat(257), "c"]), &["index 1", "256 bytes"]);
    let many: Vec<i64> = (0..10_001).collect();
    let message = refused_classes(|file| put(file, "list_classes", &[10_001], &many));
    assert_says(&message, &["a list of 10001 names"]);
    let message = refused_classes(|file| put(file, "list_classes", &[3], &[0.0_f64; 3]));
    assert_says(&message, &["integers or strings"]);
}

#[test]
fn messages_shorten_long_names() {
    let message = refused(|file| file.link_soft("/nothing", &"x".repeat(60_000)).unwrap());
    assert_says(
        &message,
        &["no images of the training set", "such as `/train_set_x`", "found `/xxx", "xx..`"],
    );
    assert!(message.len() < 1000, "{}", message.len());
}

#[test]
fn integers_that_use_only_some_of_their_bits_are_refused() {
    let place = Place::new();
    let file = place.create();
    put_pixels(&file);
    put(&file, "train_set_y", &[6], &[0_i64, 1, 2, 2, 1, 0]);
    put(&file, "list_classes", &[3], &[0_i32, 1, 2]);
    file.close().unwrap();
    // The type: version and class, order and sign, reserved (2), size (4), then the offset of the
    // bits (2) and how many of them count (2).
    let int64 = [0x10, 8, 0, 0, 8, 0, 0, 0, 0, 0, 64, 0];
    let bytes = std::fs::read(place.path()).unwrap();
    let start = bytes.windows(12).position(|window| window == int64).unwrap();
    for (skip, patch) in [(8, 8), (10, 48)] {
        let mut bytes = bytes.clone();
        bytes[start + skip] = patch;
        if skip == 8 {
            bytes[start + 10] = 48;
        }
        let message = Place::holding(&bytes).refusal();
        assert_says(&message, &["`/train_set_y`", "whole numbers", "astype('int64')"]);
    }
}

#[test]
fn a_chunk_much_larger_than_its_data_is_refused() {
    let message = refused_pixels(|file| {
        let builder = file.new_dataset_builder().deflate(9).chunk((1, 1 << 13, 1 << 13, 3));
        let set = builder.empty::<u8>().shape((6, 2.., 2.., 3)).create("train_set_x").unwrap();
        set.write_raw(&pixels()).unwrap();
    });
    assert_says(&message, &["chunks of shape [1, 8192, 8192, 3]", "of at most 64 MiB"]);
}

#[test]
fn labels_without_names_are_bounded() {
    let message = refused(|file| {
        put_pixels(file);
        put(file, "train_set_y", &[6], &[0_i64, 1, 2, 10_000, 1, 0]);
    });
    assert_says(&message, &["labels up to 10000 without names"]);
}

#[test]
fn variable_strings_in_an_object_header_are_refused() {
    let message = refused_classes(|file| {
        let builder = file.new_dataset_builder().layout(Layout::Compact);
        let set = builder.empty::<VarLenUnicode>().shape([3]).create("list_classes").unwrap();
        set.write_raw(&["a", "b", "c"].map(|name| name.parse::<VarLenUnicode>().unwrap())).unwrap();
    });
    assert_says(&message, &["references in its header", "a.visititems("]);
}

#[test]
fn chunks_with_unfiltered_edges_are_refused() {
    let message = refused_pixels(|file| {
        let set = create(file, &[6, 2, 2, 3], |create| {
            create.chunk([4, 2, 2, 3]).deflate(6).chunk_opts(ChunkOpts::DONT_FILTER_PARTIAL_CHUNKS)
        });
        set.write_raw(&pixels()).unwrap();
    });
    assert_says(&message, &["compressed except for its edge", "a.visititems("]);
}

#[test]
fn data_beyond_the_free_memory_are_refused() {
    let place = Place::new();
    write(&place.path(), SplitKind::Train, &small(), &names(&["a", "b", "c"])).unwrap();
    let path = place.path();
    let source = OpenFile::open(&path).unwrap();
    let part = source.part(SplitKind::Train, &ObjectKeys::default()).unwrap();
    let budget = MemoryBudget { work: 0, memory: u64::MAX, reserved: 0 };
    let message = budget.check(&part.images).unwrap_err().to_string();
    assert_says(&message, &["72 bytes long", "of free memory", "row by row"]);
}
