//! Variable-length strings: references into collections elsewhere in the file.
//!
//! Read without libhdf5, which allocates its buffer by the size in the reference and fills it by the
//! size in the collection, so that a crafted file overflows it. Layout: HDF5 File Format Specification 2.0, III.E "Global Heap".

use std::collections::HashMap;

use crate::error::Hdf5Error;
use crate::object::Object;

const HEADER: usize = 16;
const MAX_COLLECTION: usize = 1 << 20;

type Collection = HashMap<u32, Vec<u8>>;

/// Strings of one dataset.
pub struct Heap<'a> {
    object: &'a Object<'a>,
    collections: HashMap<u64, Collection>,
    /// Remaining bytes of collections. They do not overlap, so the total is at most the file size.
    budget: u64,
}

impl<'a> Heap<'a> {
    pub fn new(object: &'a Object<'a>) -> Self {
        Self { object, collections: HashMap::new(), budget: object.source.length }
    }

    /// Returns the bytes that a reference points to.
    pub fn get(&mut self, reference: &[u8]) -> Result<Vec<u8>, Hdf5Error> {
        let (Some(length), Some(address), Some(index)) =
            (number(reference, 0, 4), number(reference, 4, 8), number(reference, 12, 4))
        else {
            return Err(self.damaged());
        };
        if length == 0 {
            return Ok(Vec::new());
        }
        let length = length as usize;
        let text =
            self.collection(address)?.get(&(index as u32)).and_then(|text| text.get(..length));
        text.map(<[u8]>::to_vec).ok_or_else(|| self.damaged())
    }

    fn collection(&mut self, address: u64) -> Result<&Collection, Hdf5Error> {
        if !self.collections.contains_key(&address) {
            let collection = self.read(address)?;
            self.collections.insert(address, collection);
        }
        self.collections.get(&address).ok_or_else(|| self.damaged())
    }

    fn read(&mut self, address: u64) -> Result<Collection, Hdf5Error> {
        // Addresses are relative to the superblock, which a user block may precede.
        let offset = address.checked_add(self.object.source.file.userblock());
        let offset = offset.ok_or_else(|| self.damaged())?;
        let header = self.object.read_at(offset, HEADER)?;
        let size = collection_size(&header).ok_or_else(|| self.damaged())?;
        self.budget = self.budget.checked_sub(size as u64).ok_or_else(|| self.damaged())?;
        let bytes = self.object.read_at(offset, size)?;
        Ok(objects(bytes.get(HEADER..).unwrap_or_default()))
    }

    fn damaged(&self) -> Hdf5Error {
        self.object.context.damaged("a string reference points to no entry of the heap")
    }
}

/// Signature (4), version 1, reserved (3), size of the collection with this header (8).
fn collection_size(header: &[u8]) -> Option<usize> {
    let size = header.starts_with(b"GCOL\x01").then(|| number(header, 8, 8))??;
    usize::try_from(size).ok().filter(|size| (HEADER..=MAX_COLLECTION).contains(size))
}

/// Index (2), references (2), reserved (4), size (8), data to the next multiple of 8; index 0 ends.
fn objects(mut bytes: &[u8]) -> Collection {
    let mut collection = Collection::new();
    while let (Some(index @ 1..), Some(size)) = (number(bytes, 0, 2), number(bytes, 8, 8)) {
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let Some(data) = bytes.get(HEADER..).and_then(|data| data.get(..size)) else {
            break;
        };
        collection.insert(index as u32, data.to_vec());
        bytes = bytes.get(HEADER + size.next_multiple_of(8)..).unwrap_or_default();
    }
    collection
}

/// Decodes a little-endian number of up to 8 bytes.
fn number(bytes: &[u8], start: usize, size: usize) -> Option<u64> {
    let digits = bytes.get(start..start + size)?;
    Some(digits.iter().rev().fold(0, |number, &digit| number << 8 | u64::from(digit)))
}
