//! Valid files in every supported layout, for mutants.

use hdf5::dataset::{DatasetBuilder, Layout};
use hdf5::types::{FixedAscii, VarLenUnicode};
use hdf5::{File, FileBuilder, H5Type};

use super::reading::{Case, TestDirectory};
use crate::tally::CaseResult;

/// The objects of a file.
pub const PIXELS: &str = "train_set_x";
pub const LABELS: &str = "train_set_y";
pub const NAMES: &str = "list_classes";

/// Name, format options, and the contents that are not as [`complete`] makes them.
type Base = (&'static str, fn(&mut FileBuilder), fn(&File) -> hdf5::Result<()>);

const BASES: &[Base] = &[
    ("contiguous", earliest, |_| Ok(())),
    ("compact", earliest, |file| pixels(file, |builder| builder.layout(Layout::Compact))),
    ("chunks", earliest, |file| pixels(file, |builder| builder.chunk([2, 2, 1, 3]))),
    ("shuffled and deflated chunks", earliest, |file| {
        pixels(file, |builder| builder.chunk([4, 2, 2, 3]).shuffle().deflate(6))
    }),
    ("the latest format", latest, |_| Ok(())),
    ("chunks of the latest format", latest, |file| {
        pixels(file, |builder| builder.chunk([2, 2, 2, 3]).deflate(6))
    }),
    ("names on the global heap", earliest, |file| {
        pixels(file, |builder| builder)?;
        put(file, LABELS, &[6, 1], &[0_u8, 1, 2, 2, 1, 0])?;
        put(file, NAMES, &[3], &heap_names()?)
    }),
    ("labels and names of fixed length", earliest, |file| {
        pixels(file, |builder| builder)?;
        let text = |text: &str| FixedAscii::<5>::from_ascii(text).map_err(|_| "a name");
        let labels = ["0", "1", "2", "2", "1", "0"].into_iter().map(text);
        put(file, LABELS, &[1, 6], &labels.collect::<Result<Vec<_>, _>>()?)?;
        let names = ["red", "green", "blue"].into_iter().map(text);
        put(file, NAMES, &[3], &names.collect::<Result<Vec<_>, _>>()?)
    }),
    ("features of four bytes", earliest, |file| {
        put(file, PIXELS, &[6, 2], &FEATURES.map(|feature| feature as f32))
    }),
    ("deflated features of eight bytes", earliest, |file| {
        let builder = file.new_dataset_builder().chunk([3, 2]).shuffle().deflate(1);
        builder.empty::<f64>().shape([6, 2]).create(PIXELS)?.write_raw(&FEATURES)
    }),
    (WITHOUT_NAMES, earliest, |file| {
        pixels(file, |builder| builder)?;
        put(file, LABELS, &[6], &[0_u32, 1, 2, 2, 1, 0])
    }),
    ("a user block", user_block, |file| {
        pixels(file, |builder| builder.chunk([3, 2, 2, 3]).deflate(6))
    }),
];

const FEATURES: [f64; 12] = [0.5, -1.5, 2.0, 1e-30, 3e30, -0.0, 7.0, 8.0, 9.0, 1.0, 0.1, 0.2];

/// Files that have no names of classes.
const WITHOUT_NAMES: &str = "labels of four bytes without names";
pub const FOUR_BILLION_CLASSES: &str = "a label that would make four billion classes";

/// Creates all of them.
pub fn all(directory: &TestDirectory) -> CaseResult<Vec<Case>> {
    let create =
        |(name, options, fill): &Base| directory.create(name, options, |file, _| fill(file));
    BASES.iter().map(create).collect()
}

pub fn earliest(builder: &mut FileBuilder) {
    builder.with_fapl(|access| access.libver_earliest());
}

fn latest(builder: &mut FileBuilder) {
    builder.with_fapl(|access| access.libver_latest());
}

fn user_block(builder: &mut FileBuilder) {
    builder.with_fcpl(|builder| builder.userblock(512));
}

/// Adds valid pixels, labels and names to the file called `name`, each unless it has them.
pub fn complete(file: &File, name: &str) -> hdf5::Result<()> {
    if !file.link_exists(PIXELS) {
        pixels(file, |builder| builder)?;
    }
    if !file.link_exists(LABELS) {
        put(file, LABELS, &[1, 6], &[0_i64, 1, 2, 2, 1, 0])?;
    }
    if file.link_exists(NAMES) || [WITHOUT_NAMES, FOUR_BILLION_CLASSES].contains(&name) {
        return Ok(());
    }
    put(file, NAMES, &[3], &[0_i64, 1, 2])
}

/// Six images of 2x2x3, compressible.
pub fn pixels(file: &File, settings: fn(DatasetBuilder) -> DatasetBuilder) -> hdf5::Result<()> {
    let pixels: Vec<u8> = (0..72).map(|pixel| pixel % 7).collect();
    let builder = settings(file.new_dataset_builder());
    builder.empty::<u8>().shape([6, 2, 2, 3]).create(PIXELS)?.write_raw(&pixels)
}

pub fn put<T: H5Type>(file: &File, name: &str, shape: &[usize], data: &[T]) -> hdf5::Result<()> {
    file.new_dataset::<T>().shape(shape).create(name)?.write_raw(data)
}

pub fn heap_names() -> hdf5::Result<Vec<VarLenUnicode>> {
    let names = ["red", "green", "blue"].map(|name| name.parse().map_err(|_| "a name".into()));
    names.into_iter().collect()
}
