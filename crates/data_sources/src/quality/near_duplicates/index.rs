use std::borrow::Cow;
use std::cmp::Ordering;

use data::{DatasetError, Examples, Values};
use rayon::prelude::*;
use support::ProgressTask;

use super::common_structure::Descriptor;
use super::measure::{Measure, Tolerance};
use super::thumbnail::{Grid, Thumbnail, thumbnails};

/// Maximum size of the cached thumbnails, in bytes, and of those of images that stay in a file. Larger ones
/// are computed on demand.
const MAX_CACHE_BYTES: usize = 1 << 28;
const MAX_STORED_CACHE_BYTES: usize = 1 << 25;

/// Index of images for the search for near-duplicates and nearest neighbours.
#[derive(Debug)]
pub struct NearDuplicateIndex<'a> {
    pub(super) images: &'a Examples,
    pub(super) measure: &'a Measure,
    grid: Grid,
    /// Images that are not blank, by the first value of their descriptor.
    pub(super) entries: Vec<Entry>,
    /// Position in the entries of each image; `None` for a blank image.
    positions: Vec<Option<usize>>,
    /// Cached thumbnails by image; empty if they would exceed [`MAX_CACHE_BYTES`].
    pub(super) thumbnails: Vec<Option<Thumbnail>>,
}

/// An image of an index.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    /// Index of the image.
    pub image: usize,
    pub descriptor: Descriptor,
}

/// A pair of near-duplicate images.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NearDuplicate {
    /// Index of the query image.
    pub index: usize,
    /// Index of its near-duplicate in the searched images.
    pub of: usize,
    /// Distance as a fraction of the median distance between images of the data set.
    pub distance: f32,
}

/// A near image of the searched images.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Neighbour {
    /// Index in the searched images.
    pub index: usize,
    /// Squared distance.
    pub distance: f32,
}

impl<'a> NearDuplicateIndex<'a> {
    /// Indexes `examples`, a part of the data set of `measure`. `None` if there are none.
    ///
    /// # Errors
    ///
    /// If the images are in a file that cannot be read.
    pub fn new(examples: &'a Examples, measure: &'a Measure) -> Result<Option<Self>, DatasetError> {
        let Some(images) = measure.images(examples).filter(|images| !images.is_empty()) else {
            return Ok(None);
        };
        let grid = Grid::new(images.shape);
        let most = match images.values {
            Values::Stored(_) => MAX_STORED_CACHE_BYTES,
            _ => MAX_CACHE_BYTES,
        };
        let is_cached = images.len().saturating_mul(grid.thumbnail_bytes()) <= most;
        let (mut descriptors, mut thumbnails) = (Vec::with_capacity(images.len()), Vec::new());
        let task = ProgressTask::start("indexing images", images.len());
        let reduce = |pixels: &[u8]| {
            task.advance(1);
            let thumbnail = grid.thumbnail(pixels);
            let descriptor = thumbnail.as_deref().map(|thumbnail| measure.descriptor(thumbnail));
            (descriptor, thumbnail.filter(|_| is_cached))
        };
        images.each_block(|block| {
            if let Values::Pixels(pixels) = &block.values {
                let pixels = pixels.par_chunks_exact(images.width().max(1));
                let (mut some, reduced): (Vec<_>, Vec<_>) = pixels.map(reduce).unzip();
                descriptors.append(&mut some);
                thumbnails.extend(reduced.into_iter().filter(|_| is_cached));
            }
        })?;
        let (entries, positions) = sorted(&descriptors);
        Ok(Some(Self { images, measure, grid, entries, positions, thumbnails }))
    }

    /// Finds the closest near-duplicate in this index of each image of `others`.
    ///
    /// # Errors
    ///
    /// If images are in a file that cannot be read.
    pub fn near_duplicates(&self, others: &Self) -> Result<Vec<NearDuplicate>, DatasetError> {
        let task = ProgressTask::start("searching for near-duplicates", others.entries.len());
        let closest = |entry: &Entry| {
            task.advance(1);
            let near = self.near(others, entry, 0, Tolerance::Strict, |_| true)?;
            let closest = near.into_iter().min_by(Neighbour::order);
            Ok(closest.map(|near| NearDuplicate {
                index: entry.image,
                of: near.index,
                distance: self.relative_distance(others, entry.image, near),
            }))
        };
        let pairs: Vec<Option<NearDuplicate>> =
            others.entries.par_iter().map(closest).collect::<Result<_, DatasetError>>()?;
        let mut pairs: Vec<NearDuplicate> = pairs.into_iter().flatten().collect();
        pairs.sort_unstable_by_key(|pair| pair.index);
        Ok(pairs)
    }

    /// Number of images that are not blank.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Pairs of the image at `position` of the search order with near-duplicates that come after it, among
    /// the pairs that `are_wanted`. All positions together have all pairs.
    pub(crate) fn near_duplicates_after(
        &self,
        position: usize,
        tolerance: Tolerance,
        are_wanted: impl Fn(usize, usize) -> bool,
    ) -> Result<Vec<(usize, usize)>, DatasetError> {
        let Some(entry) = self.entries.get(position) else { return Ok(Vec::new()) };
        let is_wanted = |image| are_wanted(entry.image, image);
        let near = self.near(self, entry, position + 1, tolerance, is_wanted)?;
        Ok(near.into_iter().map(|near| (entry.image, near.index)).collect())
    }

    /// Finds the `count` nearest neighbours of evenly spaced images of `others`, with at most
    /// `max_pairs` comparisons. Returns the index of each image with its neighbours. An image is not
    /// its own neighbour.
    pub(crate) fn neighbours(
        &self,
        others: &Self,
        count: usize,
        max_pairs: usize,
    ) -> Result<Vec<(usize, Vec<Neighbour>)>, DatasetError> {
        let indices = others.evenly_spaced(max_pairs / self.entries.len().max(1));
        let task = ProgressTask::start("searching for neighbours", indices.len());
        let nearest = |index| {
            task.advance(1);
            Ok((index, self.nearest(others, index, count)?))
        };
        indices.into_par_iter().map(nearest).collect()
    }

    /// Distance between the image at `index` of `others` and its neighbour as a fraction of the median
    /// distance between images of the data set, or of their class.
    pub(crate) fn relative_distance(
        &self,
        others: &Self,
        index: usize,
        neighbour: Neighbour,
    ) -> f32 {
        let labels = [others.label(index), self.label(neighbour.index)];
        self.measure.relative_distance(neighbour.distance, labels)
    }

    /// Label of the image at `index`.
    pub(super) fn label(&self, index: usize) -> u32 {
        self.images.labels.get(index).copied().unwrap_or_default()
    }

    /// Evenly spaced indices, about `most` at most and at least one.
    fn evenly_spaced(&self, most: usize) -> Vec<usize> {
        let count = self.images.len();
        (0..count).step_by(count.div_ceil(most.max(1)).max(1)).collect()
    }

    /// Entry of the image at `index`; `None` for a blank image.
    pub(super) fn entry(&self, index: usize) -> Option<&Entry> {
        self.entries.get((*self.positions.get(index)?)?)
    }

    /// Thumbnail of the image at `index`; `None` for a blank image.
    pub(super) fn thumbnail(&self, index: usize) -> Result<Option<Cow<'_, [f32]>>, DatasetError> {
        match self.thumbnails.get(index) {
            Some(cached) => Ok(cached.as_deref().map(Cow::Borrowed)),
            None => {
                let thumbnail = thumbnails(self.images, &self.grid, &[index])?.pop();
                Ok(thumbnail.flatten().map(Cow::Owned))
            }
        }
    }
}

impl Entry {
    /// The value that entries are sorted by.
    pub fn first(&self) -> f32 {
        self.descriptor.0[0]
    }
}

impl Neighbour {
    pub fn order(&self, other: &Self) -> Ordering {
        self.distance.total_cmp(&other.distance).then(self.index.cmp(&other.index))
    }
}

/// The images that are not blank, sorted, and the position of each image among them.
fn sorted(descriptors: &[Option<Descriptor>]) -> (Vec<Entry>, Vec<Option<usize>>) {
    let entries = descriptors.iter().enumerate();
    let mut entries: Vec<Entry> = entries
        .filter_map(|(image, descriptor)| Some(Entry { image, descriptor: (*descriptor)? }))
        .collect();
    entries.par_sort_by(|one, other| one.first().total_cmp(&other.first()));
    let mut positions = vec![None; descriptors.len()];
    for (position, entry) in entries.iter().enumerate() {
        if let Some(own) = positions.get_mut(entry.image) {
            *own = Some(position);
        }
    }
    (entries, positions)
}
