//! Storage of a dataset: accepted if it is inside the file, with known filters and plausible sizes.

use hdf5::Dataset;
use hdf5::dataset::{ChunkOpts, DatasetCreate, Layout};

use crate::element::Element;
use crate::error::{ErrorContext, Hdf5Error};
use crate::ffi;
use crate::open_file::OpenFile;

/// Maximum size of a dataset.
pub const MAX_BYTES: usize = 1 << 40;
/// Maximum size of a compressed dataset: its rows cannot be read one by one.
const MAX_INFLATED: u64 = 8 << 30;
/// Maximum size of a chunk: one is in memory beside its dataset.
const MAX_CHUNK_BYTES: usize = 256 << 20;
/// Maximum size of a chunk that is larger than its dataset: a few bytes may inflate to it.
const MAX_SPARE_CHUNK_BYTES: usize = 64 << 20;
const MAX_CHUNKS: usize = 1 << 20;
/// Upper bound of the compression ratio; that of deflate is 1032, that of LZF 88.
const MAX_RATIO: u64 = 1100;

/// Location and form of the bytes of a dataset.
#[derive(Debug)]
pub enum Storage {
    /// Stored in the object header.
    Compact,
    /// Contiguous at this offset of the file.
    Contiguous(u64),
    /// Chunks of this shape, each passed through the filters in order.
    Chunked { chunk: Vec<usize>, filters: Vec<Filter> },
}

/// Supported filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filter {
    Deflate,
    Lzf,
    Shuffle,
    Fletcher32,
}

impl Storage {
    /// Returns the size in bytes of a dataset and its storage, checked against the size of the file.
    pub fn check(
        source: &OpenFile,
        context: &ErrorContext,
        dataset: &Dataset,
        element: Element,
        shape: &[usize],
    ) -> Result<(usize, Self), Hdf5Error> {
        let damaged = |error: hdf5::Error| context.damaged(error);
        let create = dataset.dcpl().map_err(damaged)?;
        let layout = create.get_layout().map_err(damaged)?;
        let size = bytes(shape, element).filter(|size| (1..=MAX_BYTES).contains(size));
        let size = size.ok_or_else(|| {
            let remedy = "write it again with its data, or split it into smaller files";
            let found = format!("{element} {shape:?}");
            context.structure(found, "at least one element and at most 1 TiB", remedy)
        })?;
        let (stored, length, declared) = (dataset.storage_size(), source.length, size as u64);
        let require = |holds: bool| {
            let remedy = "the file was cut short or never filled; download or write it again";
            let found = format!("stored in {stored} bytes of a file of {length}");
            let expected = format!("storage for the {declared} bytes that it declares");
            if holds { Ok(()) } else { Err(context.structure(found, expected, remedy)) }
        };
        let is_exact = stored == declared && declared <= length;
        let outside =
            |found| Err(context.structure(found, "data inside this file", context.copy_command()));
        let storage = match layout {
            // Only libhdf5 reads the object header, and it must not follow strings to their heap.
            Layout::Compact if element == Element::Variable => {
                return outside("made of references in its header");
            }
            Layout::Compact => require(is_exact).map(|()| Self::Compact)?,
            Layout::Contiguous if !create.get_external().map_err(damaged)?.is_empty() => {
                return outside("stored in another file");
            }
            Layout::Contiguous => {
                require(is_exact)?;
                let offset = dataset.offset().unwrap_or(u64::MAX);
                require(offset <= length - declared)?;
                Self::Contiguous(offset)
            }
            Layout::Chunked => {
                let filters = filters(context, &create)?;
                let chunk = chunk(context, &create, element, (shape, size))?;
                let is_compressed =
                    filters.contains(&Filter::Deflate) || filters.contains(&Filter::Lzf);
                let inflated = stored.saturating_mul(MAX_RATIO).min(MAX_INFLATED);
                let room = if is_compressed { inflated } else { stored };
                // Chunks do not overlap, so their total is at most the file size.
                require(stored <= length && declared <= room)?;
                Self::Chunked { chunk, filters }
            }
            Layout::Virtual => return outside("a view of other files"),
        };
        Ok((size, storage))
    }
}

/// Shape of the chunks of a dataset of `size` bytes.
fn chunk(
    context: &ErrorContext,
    create: &DatasetCreate,
    element: Element,
    (shape, size): (&[usize], usize),
) -> Result<Vec<usize>, Hdf5Error> {
    let largest = size.clamp(MAX_SPARE_CHUNK_BYTES, MAX_CHUNK_BYTES);
    let chunk = create.get_chunk().map_err(|error| context.damaged(error))?.unwrap_or_default();
    let mut counts = shape.iter().zip(&chunk).map(|(extent, &side)| extent.div_ceil(side.max(1)));
    let count = counts.try_fold(1_usize, |product, count| product.checked_mul(count));
    if chunk.len() == shape.len()
        && bytes(&chunk, element).is_some_and(|size| (1..=largest).contains(&size))
        && count.is_some_and(|count| count <= MAX_CHUNKS)
    {
        return Ok(chunk);
    }
    let found = format!("stored in chunks of shape {chunk:?}");
    let expected = format!("at most 1,048,576 chunks of at most {} MiB", largest >> 20);
    Err(context.structure(found, expected, context.copy_command()))
}

fn filters(context: &ErrorContext, create: &DatasetCreate) -> Result<Vec<Filter>, Hdf5Error> {
    let ids = ffi::filter_ids(create).map_err(|error| context.damaged(error))?;
    let options = create.get_chunk_opts().map_err(|error| context.damaged(error))?;
    let partial = ChunkOpts::DONT_FILTER_PARTIAL_CHUNKS;
    if options.is_some_and(|options| options.contains(partial)) && !ids.is_empty() {
        let (found, expected) =
            ("compressed except for its edge", "one form of storage for all chunks");
        return Err(context.structure(found, expected, context.copy_command()));
    }
    ids.into_iter().map(|id| filter(context, id)).collect()
}

fn filter(context: &ErrorContext, id: i32) -> Result<Filter, Hdf5Error> {
    let name = match id {
        ffi::DEFLATE => return Ok(Filter::Deflate),
        ffi::LZF => return Ok(Filter::Lzf),
        ffi::SHUFFLE => return Ok(Filter::Shuffle),
        ffi::FLETCHER32 => return Ok(Filter::Fletcher32),
        4 => " (szip)",
        5 => " (nbit)",
        6 => " (scaleoffset)",
        307 => " (bzip2)",
        32001 => " (blosc)",
        32004 => " (lz4)",
        32008 => " (bitshuffle)",
        32015 => " (zstd)",
        32026 => " (blosc2)",
        _ => "",
    };
    let found = format!("stored with filter {id}{name}");
    let expected = "deflate, lzf, shuffle and fletcher32 only";
    Err(context.structure(found, expected, context.copy_command()))
}

fn bytes(shape: &[usize], element: Element) -> Option<usize> {
    shape.iter().try_fold(element.size(), |product, &extent| product.checked_mul(extent))
}
