//! Storage of a dataset: accepted if it is inside the file, with known filters and plausible sizes.

use hdf5::Dataset;
use hdf5::dataset::{ChunkOpts, DatasetCreate, Layout};

use crate::context::ErrorContext;
use crate::element::Element;
use crate::error::Hdf5Error;
use crate::ffi;
use crate::mend;
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

const SIZE: &str = "write it again with its data, or split it into smaller files";
const INCOMPLETE: &str = "the file was cut short or never filled; download or write it again";

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
        let create = dataset.dcpl().map_err(|error| context.damaged(error))?;
        let layout = create.get_layout().map_err(|error| context.damaged(error))?;
        let size = bytes(shape, element).filter(|size| (1..=MAX_BYTES).contains(size));
        let size = size.ok_or_else(|| {
            let found = format!("{element} {shape:?}");
            context.structure(found, "at least one element and at most 1 TiB", SIZE)
        })?;
        let extent = Extent {
            context,
            stored: dataset.storage_size(),
            size: size as u64,
            length: source.length,
        };
        let storage = match layout {
            // Only libhdf5 reads the object header, and it must not follow strings to their heap.
            Layout::Compact if element == Element::Variable => Err(context.structure(
                "made of references in its header",
                INSIDE,
                mend::copy(context),
            )),
            Layout::Compact => extent.exact().map(|()| Self::Compact),
            Layout::Contiguous => contiguous(&extent, dataset, &create),
            Layout::Chunked => chunked(&extent, &create, element, shape),
            Layout::Virtual => {
                Err(context.structure("a view of other files", INSIDE, mend::copy(context)))
            }
        };
        Ok((size, storage?))
    }
}

const INSIDE: &str = "data inside this file";

struct Extent<'a> {
    context: &'a ErrorContext<'a>,
    stored: u64,
    size: u64,
    length: u64,
}

impl Extent<'_> {
    fn exact(&self) -> Result<(), Hdf5Error> {
        self.require(self.stored == self.size && self.size <= self.length)
    }

    /// Checks chunks. They do not overlap, so their total is at most the file size.
    fn chunked(&self, compressed: bool) -> Result<(), Hdf5Error> {
        let inflated = self.stored.saturating_mul(MAX_RATIO).min(MAX_INFLATED);
        let room = if compressed { inflated } else { self.stored };
        self.require(self.stored <= self.length && self.size <= room)
    }

    fn require(&self, holds: bool) -> Result<(), Hdf5Error> {
        if holds {
            return Ok(());
        }
        let found = format!("stored in {} bytes of a file of {}", self.stored, self.length);
        let expected = format!("storage for the {} bytes that it declares", self.size);
        Err(self.context.structure(found, expected, INCOMPLETE))
    }
}

fn contiguous(
    extent: &Extent,
    dataset: &Dataset,
    create: &DatasetCreate,
) -> Result<Storage, Hdf5Error> {
    let context = extent.context;
    let external = create.get_external().map_err(|error| context.damaged(error))?;
    if !external.is_empty() {
        return Err(context.structure("stored in another file", INSIDE, mend::copy(context)));
    }
    extent.exact()?;
    let offset = dataset.offset().unwrap_or(u64::MAX);
    extent.require(offset <= extent.length - extent.size)?;
    Ok(Storage::Contiguous(offset))
}

fn chunked(
    extent: &Extent,
    create: &DatasetCreate,
    element: Element,
    shape: &[usize],
) -> Result<Storage, Hdf5Error> {
    let context = extent.context;
    let largest = (extent.size as usize).clamp(MAX_SPARE_CHUNK_BYTES, MAX_CHUNK_BYTES);
    let filters = filters(context, create)?;
    let chunk = create.get_chunk().map_err(|error| context.damaged(error))?.unwrap_or_default();
    let fits = chunk.len() == shape.len()
        && bytes(&chunk, element).is_some_and(|size| (1..=largest).contains(&size))
        && chunk_count(shape, &chunk).is_some_and(|count| count <= MAX_CHUNKS);
    if !fits {
        let found = format!("stored in chunks of shape {chunk:?}");
        let largest = largest >> 20;
        let expected = format!("at most 1,048,576 chunks of at most {largest} MiB");
        return Err(context.structure(found, expected, mend::copy(context)));
    }
    let compressed = filters.iter().any(|filter| [Filter::Deflate, Filter::Lzf].contains(filter));
    extent.chunked(compressed)?;
    Ok(Storage::Chunked { chunk, filters })
}

fn filters(context: &ErrorContext, create: &DatasetCreate) -> Result<Vec<Filter>, Hdf5Error> {
    let ids = ffi::filter_ids(create).map_err(|error| context.damaged(error))?;
    let options = create.get_chunk_opts().map_err(|error| context.damaged(error))?;
    let partial =
        options.is_some_and(|options| options.contains(ChunkOpts::DONT_FILTER_PARTIAL_CHUNKS));
    if partial && !ids.is_empty() {
        let found = "compressed except for its edge";
        return Err(context.structure(
            found,
            "one form of storage for all chunks",
            mend::copy(context),
        ));
    }
    ids.into_iter().map(|id| filter(context, id)).collect()
}

fn filter(context: &ErrorContext, id: i32) -> Result<Filter, Hdf5Error> {
    match id {
        ffi::DEFLATE => Ok(Filter::Deflate),
        ffi::LZF => Ok(Filter::Lzf),
        ffi::SHUFFLE => Ok(Filter::Shuffle),
        ffi::FLETCHER32 => Ok(Filter::Fletcher32),
        _ => {
            let found = format!("stored with filter {id}{}", filter_name(id));
            let expected = "deflate, lzf, shuffle and fletcher32 only";
            Err(context.structure(found, expected, mend::copy(context)))
        }
    }
}

fn filter_name(id: i32) -> &'static str {
    match id {
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
    }
}

fn bytes(shape: &[usize], element: Element) -> Option<usize> {
    shape.iter().try_fold(element.size(), |product, &extent| product.checked_mul(extent))
}

fn chunk_count(shape: &[usize], chunk: &[usize]) -> Option<usize> {
    let counts = shape.iter().zip(chunk).map(|(&extent, &side)| extent.div_ceil(side.max(1)));
    counts.into_iter().try_fold(1_usize, |product, count| product.checked_mul(count))
}
