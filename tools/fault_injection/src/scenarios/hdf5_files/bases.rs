//! Valid files in every supported layout, for mutants.

use std::error::Error;

use hdf5::dataset::{DatasetBuilder, Layout};
use hdf5::types::{FixedAscii, VarLenUnicode};
use hdf5::{File, FileBuilder, H5Type};

use super::reading::{Case, TestDirectory};

type Settings = fn(DatasetBuilder) -> DatasetBuilder;
type Fill = fn(&File) -> hdf5::Result<()>;

/// Name, format options, and contents.
type Base = (&'static str, fn(&mut FileBuilder), Fill);

const BASES: &[Base] = &[
    ("contiguous", earliest, |file| {
        pixels(file, |builder| builder)?;
        labels_and_classes(file)
    }),
    ("compact", earliest, |file| {
        pixels(file, |builder| builder.layout(Layout::Compact))?;
        labels_and_classes(file)
    }),
    ("chunks", earliest, |file| {
        pixels(file, |builder| builder.chunk([2, 2, 1, 3]))?;
        labels_and_classes(file)
    }),
    ("shuffled and deflated chunks", earliest, |file| {
        pixels(file, |builder| builder.chunk([4, 2, 2, 3]).shuffle().deflate(6))?;
        labels_and_classes(file)
    }),
    ("the latest format", latest, |file| {
        pixels(file, |builder| builder)?;
        labels_and_classes(file)
    }),
    ("chunks of the latest format", latest, |file| {
        pixels(file, |builder| builder.chunk([2, 2, 2, 3]).deflate(6))?;
        labels_and_classes(file)
    }),
    ("names on the global heap", earliest, |file| {
        pixels(file, |builder| builder)?;
        put(file, "train_set_y", &[6, 1], &[0_u8, 1, 2, 2, 1, 0])?;
        let names = ["red", "green", "blue"].map(|name| name.parse::<VarLenUnicode>());
        let names: Vec<_> = names.into_iter().collect::<Result<_, _>>().map_err(|_| "a name")?;
        put(file, "list_classes", &[3], &names)
    }),
    ("labels and names of fixed length", earliest, |file| {
        pixels(file, |builder| builder)?;
        let text = |text: &str| FixedAscii::<5>::from_ascii(text).map_err(|_| "a name");
        let labels: Vec<_> =
            ["0", "1", "2", "2", "1", "0"].into_iter().map(text).collect::<Result<_, _>>()?;
        put(file, "train_set_y", &[1, 6], &labels)?;
        let names: Vec<_> =
            ["red", "green", "blue"].into_iter().map(text).collect::<Result<_, _>>()?;
        put(file, "list_classes", &[3], &names)
    }),
    ("features of four bytes", earliest, |file| {
        put(file, "train_set_x", &[6, 2], &FEATURES.map(|feature| feature as f32))?;
        labels_and_classes(file)
    }),
    ("deflated features of eight bytes", earliest, |file| {
        let builder = file.new_dataset_builder().chunk([3, 2]).shuffle().deflate(1);
        builder.empty::<f64>().shape([6, 2]).create("train_set_x")?.write_raw(&FEATURES)?;
        labels_and_classes(file)
    }),
    ("labels of four bytes without names", earliest, |file| {
        pixels(file, |builder| builder)?;
        put(file, "train_set_y", &[6], &[0_u32, 1, 2, 2, 1, 0])
    }),
    ("a user block", user_block, |file| {
        pixels(file, |builder| builder.chunk([3, 2, 2, 3]).deflate(6))?;
        labels_and_classes(file)
    }),
];

const FEATURES: [f64; 12] = [0.5, -1.5, 2.0, 1e-30, 3e30, -0.0, 7.0, 8.0, 9.0, 1.0, 0.1, 0.2];

/// Creates all of them.
pub fn all(directory: &TestDirectory) -> Result<Vec<Case>, Box<dyn Error>> {
    let mut cases = Vec::new();
    for (name, options, fill) in BASES {
        let bytes = directory.create_file(options, fill)?;
        cases.push(Case { name: (*name).to_owned(), bytes });
    }
    Ok(cases)
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

/// Six images of 2x2x3, compressible.
pub fn pixels(file: &File, settings: Settings) -> hdf5::Result<()> {
    let pixels: Vec<u8> = (0..72).map(|pixel| pixel % 7).collect();
    let builder = settings(file.new_dataset_builder());
    builder.empty::<u8>().shape([6, 2, 2, 3]).create("train_set_x")?.write_raw(&pixels)
}

pub fn labels_and_classes(file: &File) -> hdf5::Result<()> {
    labels(file)?;
    classes(file)
}

pub fn labels(file: &File) -> hdf5::Result<()> {
    put(file, "train_set_y", &[1, 6], &[0_i64, 1, 2, 2, 1, 0])
}

pub fn classes(file: &File) -> hdf5::Result<()> {
    put(file, "list_classes", &[3], &[0_i64, 1, 2])
}

pub fn put<T: H5Type>(file: &File, name: &str, shape: &[usize], data: &[T]) -> hdf5::Result<()> {
    file.new_dataset::<T>().shape(shape).create(name)?.write_raw(data)
}
