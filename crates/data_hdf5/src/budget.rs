//! Memory and time to read a file whose structure has been checked.

use support::memory;

use crate::element::Element;
use crate::error::{ErrorContext, Hdf5Error};
use crate::object::Object;
use crate::part_objects::PartObjects;
use crate::storage::{Filter, Storage};

/// Upper bounds of the resources for reading a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryBudget {
    /// Number of bytes to decode.
    pub work: u64,
    /// Number of bytes of memory, including the copy that a reader process sends.
    pub memory: u64,
    /// Number of bytes to reserve, including an unused buffer for all stored bytes.
    pub reserved: u64,
}

/// Memory of a number of a list while it is decoded: an `f64`, an `i128` and an index.
const NUMBER: u64 = 32;
/// Memory of a string of a list, its entry in the heap of the file, and both in a table.
const STRING: u64 = 256;

impl MemoryBudget {
    /// Budget for the examples, if they are packed, and the lists of labels and names.
    pub fn new(part: &PartObjects) -> Self {
        let (labels, names) = (&part.labels, part.classes.as_ref());
        let packed = Some(&part.images).filter(|images| images.is_packed());
        let examples = packed.map_or(0, |images| {
            // The values of the file, the copy that is sent, and the decoded ones.
            let values = part.count * part.shape.iter().product::<usize>();
            2 * images.size as u64 + (values * part.encoding.decoded_size()) as u64
        });
        let lists =
            of_list(labels, part.count) + names.map_or(0, |names| of_list(names, names.count()));
        let all = || [Some(labels), names, packed].into_iter().flatten();
        let memory = examples + lists + all().map(|object| 4 * chunk(object)).max().unwrap_or(0);
        Self {
            work: all().map(|object| object.size as u64).sum(),
            memory,
            reserved: memory + all().map(|object| object.dataset.storage_size()).sum::<u64>(),
        }
    }

    /// Fails if the memory does not fit into the free memory.
    pub fn check(&self, examples: &Object) -> Result<(), Hdf5Error> {
        let free = memory::available().unwrap_or(u64::MAX);
        let remedy = match &examples.storage {
            // `h5repack` would leave the data out.
            Storage::Chunked { filters, .. } if filters.contains(&Filter::Lzf) => {
                "free memory, or write it again without the filter lzf, so that it is read row by row"
            }
            _ => {
                "free memory, or repack it so that it is read row by row: \
                 `h5repack -f NONE -l CONTI old.h5 new.h5`"
            }
        };
        must_fit(&examples.context, examples.size as u64, (self.memory, free), remedy)
    }
}

/// Fails if an object of `bytes` bytes needs more memory than is free.
pub fn must_fit(
    context: &ErrorContext,
    bytes: u64,
    (memory, free): (u64, u64),
    remedy: &'static str,
) -> Result<(), Hdf5Error> {
    if memory <= free {
        return Ok(());
    }
    let found = format!("{} long, which takes {} to read", text(bytes), text(memory));
    let expected = format!("at most the {} of free memory", text(free));
    Err(context.structure(found, expected, remedy))
}

/// Number of bytes to read a list, of which `held` elements are in memory at once.
fn of_list(list: &Object, held: usize) -> u64 {
    let each = if matches!(list.element, Element::Number(_)) { NUMBER } else { STRING };
    list.size as u64 + held as u64 * each
}

/// Number of bytes of a chunk. Four copies exist at once, in different states of unfiltering.
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
