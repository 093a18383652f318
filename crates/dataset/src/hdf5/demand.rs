//! What it takes to read a file whose structure has been checked.

use super::Hdf5Error;
use super::element::Element;
use super::error::Site;
use super::object::Object;
use super::storage::Storage;
use crate::memory;

/// An upper bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Demand {
    /// The bytes to decode.
    pub(super) work: u64,
    /// The bytes of memory, with the copy of what is read that a reading process hands over.
    pub(super) memory: u64,
    /// The bytes of memory to ask for: also the room for all that is stored, which is not filled.
    pub(super) reserved: u64,
}

/// The memory of an element of a list while it is decoded: an `i128` and an index.
const INTEGER: u64 = 24;
/// Of a string, its entry in the heap of the file, and both in a table.
const STRING: u64 = 256;

impl Demand {
    /// For the examples, if they are packed, and the lists of labels and names.
    pub(super) fn of(examples: &Object, lists: &[&Object]) -> Self {
        let packed = Some(examples).filter(|examples| examples.is_packed());
        let memory = packed.map_or(0, |examples| {
            let size = examples.size as u64;
            match examples.element {
                // The numbers of the file, and twice what becomes of them.
                Element::Float { size: bytes, .. } => size + 2 * (size / bytes.max(1) as u64 * 4),
                _ => 2 * size,
            }
        });
        let all = || lists.iter().copied().chain(packed);
        let memory = memory
            + lists.iter().map(|list| of_list(list)).sum::<u64>()
            + all().map(|object| 4 * chunk(object)).max().unwrap_or_default();
        Self {
            work: all().map(|object| object.size as u64).sum(),
            memory,
            reserved: memory + all().map(|object| object.dataset.storage_size()).sum::<u64>(),
        }
    }

    /// Refuses what does not fit into the memory that is free now.
    pub(super) fn check(&self, examples: &Object) -> Result<(), Hdf5Error> {
        let free = memory::available().unwrap_or(u64::MAX);
        must_fit(&examples.site, examples.size as u64, (self.memory, free), SPLIT)
    }
}

const SPLIT: &str = "free memory, or repack it so that it is read row by row: \
                     `h5repack -f NONE -l CONTI old.h5 new.h5`";

/// Refuses an object of so many bytes that takes more memory than is free.
pub(super) fn must_fit(
    site: &Site,
    bytes: u64,
    (memory, free): (u64, u64),
    remedy: &'static str,
) -> Result<(), Hdf5Error> {
    if memory <= free {
        return Ok(());
    }
    let found = format!("{} long, which takes {} to read", text(bytes), text(memory));
    let expected = format!("at most the {} of memory that are free now", text(free));
    Err(site.structure(found, expected, remedy))
}

fn of_list(list: &Object) -> u64 {
    let (size, element) = (list.size as u64, list.element.size().max(1) as u64);
    let each = if matches!(list.element, Element::Integer { .. }) { INTEGER } else { STRING };
    size + size / element * each
}

/// The bytes of a chunk: four are held at once, in as many states on their way to be plain.
fn chunk(object: &Object) -> u64 {
    match &object.storage {
        Storage::Chunked { chunk, .. } => {
            (chunk.iter().product::<usize>() * object.element.size()) as u64
        }
        Storage::Compact | Storage::Contiguous(_) => 0,
    }
}

fn text(bytes: u64) -> String {
    match bytes {
        0..1_048_576 => format!("{bytes} bytes"),
        _ => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
    }
}
