//! Valid files with some bytes of their structure overwritten.

use hdf5::File;

use super::super::bases::{LABELS, NAMES, heap_names, pixels, put};

/// Name, contents of a valid file that [`complete`](super::super::bases::complete) adds to, a byte pattern in it, and the offset from there and bytes of a
/// patch.
type Patch = (&'static str, fn(&File) -> hdf5::Result<()>, &'static [u8], usize, &'static [u8]);

pub const PATCHES: &[Patch] = &[
    ("a layout version that makes libhdf5 divide by zero", chunked_labels, &[3, 2, 2], 0, &[2]),
    ("chunks with an older layout version", chunked, CHUNKED, 0, &[2]),
    ("chunks with one dimension too few", chunked, CHUNKED, 2, &[4]),
    ("chunks of zero dimensions", chunked, CHUNKED, 2, &[0]),
    ("chunks of 255 dimensions", chunked, CHUNKED, 2, &[255]),
    ("a chunk index beyond the end of the file", chunked, CHUNKED, 3, &[0, 0, 0, 0, 0, 1, 0, 0]),
    ("a chunk index in the superblock", chunked, CHUNKED, 3, &[0; 8]),
    ("chunks of size zero", chunked, CHUNKED, 11, &[0; 16]),
    ("chunks of the largest size", chunked, CHUNKED, 11, &[0xff; 16]),
    ("elements of four gigabytes", chunked, CHUNKED, 27, &[0xff; 4]),
    // A node: signature (4), type (1), level (1), entries (2), siblings (8 + 8), then for each
    // entry size (4), mask (4), offsets (5 x 8) and address (8).
    ("a chunk index that is its own sibling", chunked, b"TREE\x01\x00", 8, &[0; 16]),
    ("a chunk index of 65,535 entries", chunked, b"TREE\x01\x00", 6, &[0xff; 2]),
    ("a chunk index of 255 levels", chunked, b"TREE\x01\x00", 5, &[0xff]),
    ("a chunk longer than the file", chunked, b"TREE\x01\x00", 24, &[0xff; 4]),
    ("a chunk that skips its filters", chunked, b"TREE\x01\x00", 28, &[0xff; 4]),
    ("a chunk at another offset", chunked, b"TREE\x01\x00", 32, &[0xff; 8]),
    ("a chunk beyond the end of the file", chunked, b"TREE\x01\x00", 72, &[0xff; 8]),
    ("a chunk in the superblock", chunked, b"TREE\x01\x00", 72, &[0; 8]),
    ("a group that is its own sibling", chunked, b"TREE\x00\x00", 8, &[0; 16]),
    ("a group of 65,535 links", chunked, b"SNOD\x01", 6, &[0xff; 2]),
    ("a link to the root's symbol table", chunked, b"SNOD\x01", 16, &[0; 8]),
    ("a local heap without an end", chunked, b"HEAP", 8, &[0xff; 8]),
    ("a local heap that is all free", chunked, b"HEAP", 16, &[0; 8]),
    ("255 filters", deflated, FILTERED, 1, &[255]),
    ("a plug-in filter", deflated, FILTERED, 8, &[1, 125]),
    ("a filter without a name", deflated, b"deflate", 0, b"\0\0\0\0\0\0\0"),
    ("a name longer than four gigabytes", on_heap, b"GCOL", 24, &[0xff; 8]),
    ("a global heap longer than the file", on_heap, b"GCOL", 8, &[0xff; 8]),
    ("a global heap of size zero", on_heap, b"GCOL", 8, &[0; 8]),
    ("a heap entry of size zero", on_heap, b"GCOL", 24, &[0; 8]),
    ("addresses of 255 bytes", chunked, b"\x89HDF", 13, &[255, 255]),
    ("end-of-file address zero", chunked, b"\x89HDF", 40, &[0; 8]),
    ("undefined end-of-file address", chunked, b"\x89HDF", 40, &[0xff; 8]),
    ("root address far beyond the end of the file", chunked, b"\x89HDF", 64, &[0xfe; 8]),
    ("root address in the superblock", chunked, b"\x89HDF", 64, &[0; 8]),
];

/// The layout message of chunks, before the address: version, class, dimensions including that of
/// the bytes. After the address (8) follow the sides of a chunk and the size of an element, 4 each.
const CHUNKED: &[u8] = &[3, 2, 5];

/// The filter message: version, filters, reserved (6), id and name length of the first one.
const FILTERED: &[u8] = &[1, 1, 0, 0, 0, 0, 0, 0, 1, 0, 8, 0];

fn chunked(file: &File) -> hdf5::Result<()> {
    pixels(file, |builder| builder.chunk([2, 2, 2, 3]))
}

fn chunked_labels(file: &File) -> hdf5::Result<()> {
    let labels = file.new_dataset_builder().chunk([3]).empty::<i64>().shape([6]);
    labels.create(LABELS)?.write_raw(&[0_i64, 1, 2, 2, 1, 0])
}

fn deflated(file: &File) -> hdf5::Result<()> {
    pixels(file, |builder| builder.chunk([2, 2, 2, 3]).deflate(6))
}

fn on_heap(file: &File) -> hdf5::Result<()> {
    put(file, NAMES, &[3], &heap_names()?)
}
