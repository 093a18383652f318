//! Inconsistent files that libhdf5 would trust.

use std::io::Write;

use flate2::{Compression, write::ZlibEncoder};
use hdf5::types::VarLenUnicode;

use super::*;

fn patched(put: impl Fn(&File), pattern: &[u8], skip: usize, patch: &[u8]) -> String {
    let place = Place::new();
    let file = place.create();
    put(&file);
    put_labels(&file);
    file.close().unwrap();
    let mut bytes = std::fs::read(place.path()).unwrap();
    assert!(Place::holding(&bytes).read().is_ok());
    let start = bytes.windows(pattern.len()).position(|window| window == pattern).unwrap() + skip;
    bytes[start..start + patch.len()].copy_from_slice(patch);
    Place::holding(&bytes).refusal()
}

fn deflated(size: usize) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&vec![0; size]).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_chunk_that_inflates_to_another_size_is_damage() {
    let put = |file: &File| {
        let builder = file.new_dataset_builder().deflate(9).chunk([6, 2, 2, 3]);
        let set = builder.empty::<u8>().shape([6, 2, 2, 3]).create("train_set_x").unwrap();
        // Incompressible, so that its replacement is shorter.
        set.write_raw(&pixels()).unwrap();
    };
    for size in [0, 1, 71, 73, 700] {
        let message = patched(put, b"\x78\xda", 0, &deflated(size));
        assert_says(&message, &["`/train_set_x`", "a chunk has the wrong length"]);
    }
    let message = patched(put, b"\x78\xda", 2, &[0xff; 4]);
    assert_says(&message, &["`/train_set_x`", "damaged"]);
}

#[test]
fn a_name_outside_its_heap_is_damage() {
    let put = |file: &File| {
        put_pixels(file);
        let names = ["a", "b", "c"].map(|name| name.parse::<VarLenUnicode>().unwrap());
        put(file, "list_classes", &[3], &names);
    };
    // After the signature: the collection's size at 8, the first object's index at 16, size at 24.
    for (skip, patch) in [(0, &b"X"[..]), (8, &[0xff; 8]), (16, b"\x09"), (24, &[0xff; 8])] {
        let message = patched(put, b"GCOL", skip, patch);
        assert_says(&message, &["`/list_classes`", "no entry of the heap", "damaged"]);
    }
}

#[test]
fn a_chunk_longer_than_its_file_is_refused() {
    let put = |file: &File| {
        let builder = file.new_dataset_builder().shuffle().chunk([6, 2, 2, 3]);
        let set = builder.empty::<u8>().shape([6, 2, 2, 3]).create("train_set_x").unwrap();
        set.write_raw(&pixels()).unwrap();
    };
    // The entry of the chunk in its index: its size (4), mask (4), and its origin (5 x 8).
    let entry: Vec<u8> = [72].into_iter().chain([0; 47]).collect();
    let message = patched(put, &entry, 0, &[0, 0, 0, 0x10]);
    assert_says(&message, &["`/train_set_x`", "stored in 268435456 bytes of a file of"]);
}
