//! Where a data set keeps its bytes: inside the file, plain, and no more than the file can hold.

use hdf5::Dataset;
use hdf5::dataset::{ChunkOpts, DatasetCreate, Layout};

use super::Hdf5Error;
use super::element::Element;
use super::error::Site;
use super::ffi;
use super::source::Source;

/// The largest data set.
pub(super) const MAX_BYTES: usize = 1 << 40;
/// The largest that is compressed, since its rows cannot be read one by one.
const MAX_INFLATED: u64 = 8 << 30;
/// The largest chunk: one is held in memory beside its data set.
const MAX_CHUNK_BYTES: usize = 256 << 20;
/// The largest chunk of a data set that is smaller itself: a few bytes may inflate to it.
const MAX_SPARE_CHUNK_BYTES: usize = 64 << 20;
const MAX_CHUNKS: usize = 1 << 20;
/// Deflate packs at most 1032 bytes into one.
const MAX_RATIO: u64 = 1100;

const FILTERS: &str = "repack it: `h5repack -f GZIP=4 old.h5 new.h5`";
const EMBED: &str = "repack it: `h5repack -l CONTI old.h5 new.h5`";
const SIZE: &str = "write it again with its data, or split it into smaller files";
const SHRINK: &str = "repack it with smaller chunks: `h5repack -l CONTI old.h5 new.h5`";
const INCOMPLETE: &str = "the file was cut short or never filled; download or write it again";

/// The place and form of the bytes of a data set.
#[derive(Debug)]
pub(super) enum Storage {
    /// In the object header.
    Compact,
    /// In one piece at this offset of the file.
    Contiguous(u64),
    /// In pieces of this shape, each passed through the filters in this order.
    Chunked { chunk: Vec<usize>, filters: Vec<Filter> },
}

/// A filter that is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Filter {
    Deflate,
    Shuffle,
}

impl Storage {
    /// The size in bytes of a data set and its storage, both within the bounds of the file.
    pub(super) fn check(
        source: &Source,
        site: &Site,
        dataset: &Dataset,
        element: Element,
        shape: &[usize],
    ) -> Result<(usize, Self), Hdf5Error> {
        let create = dataset.dcpl().map_err(|error| site.damaged(error))?;
        let layout = create.get_layout().map_err(|error| site.damaged(error))?;
        let size = bytes(shape, element).filter(|size| (1..=MAX_BYTES).contains(size));
        let size = size.ok_or_else(|| {
            let found = format!("{element} {shape:?}");
            site.structure(found, "at least one element and at most 1 TiB", SIZE)
        })?;
        let extent = Extent {
            site,
            stored: dataset.storage_size(),
            size: size as u64,
            length: source.length,
        };
        let storage = match layout {
            // libhdf5 alone reads the object header, and it must not follow strings to their heap.
            Layout::Compact if element == Element::Variable => {
                Err(site.structure("made of references in its header", INSIDE, EMBED))
            }
            Layout::Compact => extent.exact().map(|()| Self::Compact),
            Layout::Contiguous => contiguous(&extent, dataset, &create),
            Layout::Chunked => chunked(&extent, &create, element, shape),
            Layout::Virtual => Err(site.structure("a view of other files", INSIDE, EMBED)),
        };
        Ok((size, storage?))
    }
}

const INSIDE: &str = "data inside this file";

struct Extent<'a> {
    site: &'a Site<'a>,
    stored: u64,
    size: u64,
    length: u64,
}

impl Extent<'_> {
    fn exact(&self) -> Result<(), Hdf5Error> {
        self.require(self.stored == self.size && self.size <= self.length)
    }

    /// Chunks do not overlap: together they are not longer than the file.
    fn chunked(&self, deflated: bool) -> Result<(), Hdf5Error> {
        let inflated = self.stored.saturating_mul(MAX_RATIO).min(MAX_INFLATED);
        let room = if deflated { inflated } else { self.stored };
        self.require(self.stored <= self.length && self.size <= room)
    }

    fn require(&self, holds: bool) -> Result<(), Hdf5Error> {
        if holds {
            return Ok(());
        }
        let found = format!("stored in {} bytes of a file of {}", self.stored, self.length);
        let expected = format!("storage for the {} bytes that it declares", self.size);
        Err(self.site.structure(found, expected, INCOMPLETE))
    }
}

fn contiguous(
    extent: &Extent,
    dataset: &Dataset,
    create: &DatasetCreate,
) -> Result<Storage, Hdf5Error> {
    let site = extent.site;
    let external = create.get_external().map_err(|error| site.damaged(error))?;
    if !external.is_empty() {
        return Err(site.structure("stored in another file", INSIDE, EMBED));
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
    let site = extent.site;
    let largest = (extent.size as usize).clamp(MAX_SPARE_CHUNK_BYTES, MAX_CHUNK_BYTES);
    let filters = filters(site, create)?;
    let chunk = create.get_chunk().map_err(|error| site.damaged(error))?.unwrap_or_default();
    let fits = chunk.len() == shape.len()
        && bytes(&chunk, element).is_some_and(|size| (1..=largest).contains(&size))
        && chunk_count(shape, &chunk).is_some_and(|count| count <= MAX_CHUNKS);
    if !fits {
        let found = format!("stored in chunks of shape {chunk:?}");
        let largest = largest >> 20;
        let expected = format!("at most 1,048,576 chunks of at most {largest} MiB");
        return Err(site.structure(found, expected, SHRINK));
    }
    extent.chunked(filters.contains(&Filter::Deflate))?;
    Ok(Storage::Chunked { chunk, filters })
}

fn filters(site: &Site, create: &DatasetCreate) -> Result<Vec<Filter>, Hdf5Error> {
    let ids = ffi::filter_ids(create).map_err(|error| site.damaged(error))?;
    let options = create.get_chunk_opts().map_err(|error| site.damaged(error))?;
    let partial =
        options.is_some_and(|options| options.contains(ChunkOpts::DONT_FILTER_PARTIAL_CHUNKS));
    if partial && !ids.is_empty() {
        let found = "compressed except for its edge";
        return Err(site.structure(found, "one form of storage for all chunks", FILTERS));
    }
    ids.into_iter().map(|id| filter(site, id)).collect()
}

fn filter(site: &Site, id: i32) -> Result<Filter, Hdf5Error> {
    match id {
        ffi::DEFLATE => Ok(Filter::Deflate),
        ffi::SHUFFLE => Ok(Filter::Shuffle),
        _ => {
            let found = format!("stored with filter {id}{}", filter_name(id));
            Err(site.structure(found, "deflate and shuffle only", FILTERS))
        }
    }
}

fn filter_name(id: i32) -> &'static str {
    match id {
        3 => " (fletcher32)",
        4 => " (szip)",
        5 => " (nbit)",
        6 => " (scaleoffset)",
        32000 => " (lzf)",
        32001 => " (blosc)",
        32015 => " (zstd)",
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
