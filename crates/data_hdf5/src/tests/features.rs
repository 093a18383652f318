//! Feature vectors: floats `[n, width]`.

use hdf5::dataset::{AllocTime, DatasetCreateBuilder, Layout};
use hdf5::types::FixedAscii;

use super::super::{write, write_synthetic};
use super::*;

/// Six examples of 2 features in 3 classes.
const FEATURES: [f32; 12] =
    [0.0, -0.0, 1.0, -1.5, 0.1, f32::MAX, f32::MIN, f32::MIN_POSITIVE, 1e-45, 1e-3, 7.0, -1e30];

/// A float of 8 bytes in a file: class, order and padding (and 2 for the leading one that is not
/// stored), bit of the sign; size; first bit, bits; those of the exponent, of the mantissa; bias.
const FLOAT64: [u8; 20] =
    [0x11, 0x20, 63, 0, 8, 0, 0, 0, 0, 0, 64, 0, 52, 11, 0, 52, 0xff, 0x03, 0, 0];
const FLOAT32: [u8; 20] = [0x11, 0x20, 31, 0, 4, 0, 0, 0, 0, 0, 32, 0, 23, 8, 0, 23, 0x7f, 0, 0, 0];

fn small_features() -> Examples {
    Examples::features(2, FEATURES.to_vec(), small().labels)
}

/// A file with valid labels and names.
fn holding(put: impl Fn(&File)) -> Place {
    let place = Place::new();
    let file = place.create();
    put(&file);
    put_labels(&file);
    put_classes(&file);
    file.close().unwrap();
    place
}

fn read_with(put: impl Fn(&File)) {
    assert_eq!(holding(put).read().unwrap().examples, small_features());
}

fn refused(put: impl Fn(&File)) -> String {
    let message = holding(put).refusal();
    assert_says(&message, &["`/train_set_x`"]);
    message
}

/// The file with the first `from` overwritten by `to`.
fn patched(put: impl Fn(&File), from: &[u8], to: &[u8]) -> Place {
    let mut bytes = std::fs::read(holding(put).path()).unwrap();
    let start = bytes.windows(from.len()).position(|window| window == from).unwrap();
    bytes[start..start + to.len()].copy_from_slice(to);
    Place::holding(&bytes)
}

fn put_features(file: &File) {
    put(file, "train_set_x", &[6, 2], &FEATURES.map(f64::from));
}

#[test]
#[ignore = "needs the data of the course"]
fn the_football_field_of_the_course_is_read() {
    let path = course_data("course/football_2d.h5");
    let file = File::open(&path).unwrap();
    for (part, count) in [(SplitKind::Train, 211), (SplitKind::Test, 200)] {
        let Hdf5File { examples, classes, synthetic, .. } = read(&path, part).unwrap();
        assert_eq!((classes, synthetic), (names(&["other", "french"]), false));
        assert_eq!((examples.len(), examples.shape), (count, [1, 1, 2]));
        assert!(examples.labels.contains(&0) && examples.labels.contains(&1));
        let raw = file.dataset(naming::examples(part)).unwrap().read_raw::<f64>().unwrap();
        let features = raw.iter().map(|&feature| feature as f32).collect();
        assert_eq!(examples.values, Values::Features(features));
    }
}

#[test]
fn features_may_be_floats_of_4_or_8_bytes_of_either_order() {
    read_with(put_features);
    read_with(|file| put(file, "train_set_x", &[6, 2], &FEATURES));
    // Written with their bytes swapped; bit 0 beside the class is the order that the file declares.
    let swapped = |file: &File| {
        let swapped = FEATURES.map(|x| f64::from_bits(f64::from(x).to_bits().swap_bytes()));
        put(file, "train_set_x", &[6, 2], &swapped);
    };
    let place = patched(swapped, &FLOAT64, &[0x11, 0x21]);
    assert_eq!(place.read().unwrap().examples, small_features());
    let swapped = |file: &File| {
        let swapped = FEATURES.map(|x| f32::from_bits(x.to_bits().swap_bytes()));
        put(file, "train_set_x", &[6, 2], &swapped);
    };
    let place = patched(swapped, &FLOAT32, &[0x11, 0x21]);
    assert_eq!(place.read().unwrap().examples, small_features());
}

#[test]
fn features_may_be_stored_compact_contiguous_or_in_chunks() {
    fn read_with_storage(
        settings: impl Fn(&mut DatasetCreateBuilder) -> &mut DatasetCreateBuilder,
    ) {
        fn put<T: H5Type>(file: &File, create: &DatasetCreateBuilder, data: &[T]) {
            let builder = file.new_dataset_builder().set_create_plist(&create.finish().unwrap());
            let set = builder.empty::<T>().shape([6, 2]).create("train_set_x").unwrap();
            set.write_raw(data).unwrap();
        }
        let mut create = DatasetCreateBuilder::default();
        settings(&mut create);
        read_with(|file| put(file, &create, &FEATURES.map(f64::from)));
        read_with(|file| put(file, &create, &FEATURES));
    }
    read_with_storage(|create| create.layout(Layout::Compact));
    read_with_storage(|create| create.layout(Layout::Contiguous));
    for chunk in [[1, 1], [6, 2], [4, 2], [5, 1], [1, 2]] {
        read_with_storage(|create| create.chunk(chunk));
        read_with_storage(|create| create.chunk(chunk).deflate(9));
        read_with_storage(|create| create.chunk(chunk).shuffle().deflate(1));
        read_with_storage(|create| create.chunk(chunk).shuffle());
    }
}

#[test]
fn labels_and_names_have_the_same_forms_as_for_images() {
    let place = Place::new();
    let file = place.create();
    put_features(&file);
    let digits = ["0", "1", "2", "2", "1", "0"];
    let labels = digits.map(|digit| FixedAscii::<1>::from_ascii(digit).unwrap());
    put(&file, "train_set_y", &[1, 6], &labels);
    let classes = ["a", "bb", "ccc"].map(|name| FixedAscii::<3>::from_ascii(name).unwrap());
    put(&file, "list_classes", &[3], &classes);
    file.close().unwrap();
    let read = place.read().unwrap();
    assert_eq!((read.examples, read.classes), (small_features(), names(&["a", "bb", "ccc"])));
}

#[test]
fn numbers_outside_f32_are_named() {
    for (value, name) in [
        (f64::NAN, "NaN"),
        (f64::INFINITY, "inf"),
        (f64::NEG_INFINITY, "-inf"),
        (1e300, "1e300"),
        (-3.5e38, "-3.5e38"),
    ] {
        let message = refused(|file| {
            let mut features = FEATURES.map(f64::from);
            features[7] = value;
            put(file, "train_set_x", &[6, 2], &features);
        });
        let found = format!("holds {name} at index [3, 1]");
        assert_says(&message, &[&found, "range of float32", "replace the value"]);
    }
    for value in [f32::NAN, f32::INFINITY] {
        let mut features = FEATURES;
        features[0] = value;
        let message = refused(|file| put(file, "train_set_x", &[6, 2], &features));
        assert_says(&message, &["at index [0, 0]"]);
    }
}

#[test]
fn features_of_another_shape_are_refused() {
    let accepted = "float32 or float64 [n, width] with a width from 1 to 4,096";
    for shape in [&[12][..], &[6, 2, 1], &[6, 2, 1, 2], &[6, 4097], &[6, 5000]] {
        let data = vec![0.0_f64; shape.iter().product()];
        let message = refused(|file| put(file, "train_set_x", shape, &data));
        assert_says(&message, &[&format!("float64 {shape:?}"), accepted]);
    }
    for shape in [[6, 0], [0, 2]] {
        let message = refused(|file| put::<f64>(file, "train_set_x", &shape, &[]));
        assert_says(&message, &[&format!("float64 {shape:?}"), "at least one element"]);
    }
    let message = refused(|file| {
        file.new_dataset::<f32>().create("train_set_x").unwrap().write_scalar(&1.0_f32).unwrap();
    });
    assert_says(&message, &["float32 []", accepted]);
}

#[test]
fn examples_of_maximum_width_are_read() {
    let data: Vec<f32> = (0..6 * 4096).map(|feature| feature as f32).collect();
    let place = holding(|file| put(file, "train_set_x", &[6, 4096], &data));
    let examples = Examples::features(4096, data.clone(), small().labels);
    assert_eq!(place.read().unwrap().examples, examples);
}

#[test]
fn integer_features_are_refused() {
    let message = refused(|file| put(file, "train_set_x", &[6, 2], &[0_u8; 12]));
    assert_says(
        &message,
        &["uint8 [6, 2]", "float32 or float64", "store features as float64", "h5py"],
    );
    let message = refused(|file| put(file, "train_set_x", &[6, 2], &[0_i64; 12]));
    assert_says(&message, &["int64 [6, 2]", "store features as float64"]);
}

#[test]
fn mismatched_numbers_of_labels_are_refused() {
    let place = Place::new();
    let file = place.create();
    put_features(&file);
    put(&file, "train_set_y", &[12], &[0_i64; 12]);
    file.close().unwrap();
    assert_says(&place.refusal(), &["12 labels", "6, one for each example of `/train_set_x`"]);
}

#[test]
fn sizes_beyond_the_file_are_refused() {
    let declared = |shape: [usize; 2]| {
        refused(move |file| {
            drop(file.new_dataset::<f64>().shape(shape).create("train_set_x").unwrap());
        })
    };
    assert_says(&declared([1 << 24, 4096 * 4]), &["float64 [16777216, 16384]", "at most 1 TiB"]);
    assert_says(&declared([1 << 16, 4096]), &["stored in 0 bytes", "2147483648 bytes"]);
    let message = refused(|file| {
        let builder = file.new_dataset_builder().deflate(6).chunk((1 << 10, 4096));
        let builder = builder.alloc_time(Some(AllocTime::Late));
        drop(builder.empty::<f64>().shape([1 << 16, 4096]).create("train_set_x").unwrap());
    });
    assert_says(&message, &["stored in 0 bytes"]);
    // The shape, and the largest shape behind it.
    let (from, to) = ([6_u64, 2, 6, 2], [6_u64, 200, 6, 200]);
    let (from, to) = (from.map(u64::to_le_bytes), to.map(u64::to_le_bytes));
    let message = patched(put_features, from.as_flattened(), to.as_flattened()).refusal();
    // libhdf5 2 checks this itself.
    let expected = ["9600 bytes that it declares", "invalid dataset size"];
    assert!(expected.iter().any(|words| message.contains(words)), "{message}");
}

#[test]
fn floats_other_than_ieee_754_are_refused() {
    let put32: fn(&File) = |file| put(file, "train_set_x", &[6, 2], &FEATURES);
    for (put, float) in [(put_features as fn(&File), FLOAT64), (put32, FLOAT32)] {
        let bytes = std::fs::read(holding(put).path()).unwrap();
        let start = bytes.windows(float.len()).position(|window| window == float).unwrap();
        for (index, bit) in (1..float.len()).flat_map(|index| (0..8).map(move |bit| (index, bit))) {
            // The order of the bytes, and what means nothing in this version of the format.
            if matches!((index, bit), (1, 0 | 6 | 7) | (3, _)) {
                continue;
            }
            let mut bytes = bytes.clone();
            bytes[start + index] ^= 1 << bit;
            let message = Place::holding(&bytes).refusal();
            assert_says(&message, &["`/train_set_x`"]);
        }
    }
    // The order of the VAX, which version 3 has a bit for.
    let message = patched(put_features, &FLOAT64, &[0x31, 0x61]).refusal();
    assert_says(&message, &["neither plain integers, strings nor plain floats (8 bytes each)"]);
    // The positions are those of IEEE 754, but the exponent has another bias.
    let mut bias = FLOAT64;
    bias[16] = 0xfe;
    let message = patched(put_features, &FLOAT64, &bias).refusal();
    assert_says(
        &message,
        &["neither plain integers, strings nor plain floats", "float32 or float64"],
    );
}

#[test]
fn a_truncated_file_is_refused() {
    let bytes = std::fs::read(holding(put_features).path()).unwrap();
    for length in (1..bytes.len()).step_by(37) {
        assert!(Place::holding(&bytes[..length]).read().is_err(), "{length} of {}", bytes.len());
    }
}

#[test]
fn written_features_are_read_back() {
    for part in [SplitKind::Train, SplitKind::Test] {
        let place = Place::new();
        let classes = names(&["other", "french", "neither"]);
        write(&place.path(), part, &small_features(), &classes).unwrap();
        let file = read(&place.path(), part).unwrap();
        assert_eq!((&file.examples, &file.classes), (&small_features(), &classes));
        assert!(!file.synthetic);
        let Values::Features(features) = &file.examples.values else { panic!("images") };
        assert!(features[1].is_sign_negative());

        let set = File::open(place.path()).unwrap().dataset(naming::examples(part)).unwrap();
        assert_eq!(set.shape(), [6, 2]);
        assert!(set.dtype().unwrap().is::<f64>());
    }
    let place = Place::new();
    write_synthetic(&place.path(), SplitKind::Train, &small_features(), &names(&["a", "b", "c"]))
        .unwrap();
    assert!(place.read().unwrap().synthetic);
}

#[test]
fn unreadable_features_are_not_written() {
    let refused = |examples: &Examples| {
        let place = Place::new();
        let classes = names(&["a", "b", "c"]);
        let error = write(&place.path(), SplitKind::Train, examples, &classes).unwrap_err();
        assert_eq!(std::fs::read_dir(place.folder.path()).unwrap().count(), 0);
        error.to_string()
    };
    let labels = || small().labels;
    let short = Examples::features(2, FEATURES[1..].to_vec(), labels());
    assert_says(&refused(&short), &["11 numbers for 6 examples of shape [1, 1, 2]"]);
    let empty = Examples::features(2, vec![], vec![]);
    assert_says(&refused(&empty), &["`/train_set_x`", "0 examples"]);
    let narrow = Examples::features(0, vec![], labels());
    assert_says(&refused(&narrow), &["shape [1, 1, 0]", "1 to 4,096 numbers"]);
    let wide = Examples::features(5000, vec![0.0; 30_000], labels());
    assert_says(&refused(&wide), &["shape [1, 1, 5000]"]);
    let tall = Examples { shape: [2, 1, 1], ..small_features() };
    assert_says(&refused(&tall), &["shape [2, 1, 1]"]);
    for value in [f32::NAN, f32::NEG_INFINITY] {
        let mut features = FEATURES.to_vec();
        features[5] = value;
        let message = refused(&Examples::features(2, features, labels()));
        assert_says(&message, &["`/train_set_x`", "at index [2, 1]"]);
    }
}
