use std::borrow::Cow;
use std::cmp::Ordering;
use std::ptr;

use data::{DatasetError, Examples, Values};
use rayon::prelude::*;
use support::ProgressTask;

use super::common_structure::Descriptor;
use super::measure::{Measure, Tolerance};
use super::thumbnail::{Grid, Thumbnail, squared_distance};
use crate::quality::content::map_images;

/// Maximum size of the cached thumbnails, in bytes, and of those of images that stay in a file. Larger ones
/// are computed on demand.
const MAX_CACHE_BYTES: usize = 1 << 28;
const MAX_STORED_CACHE_BYTES: usize = 1 << 25;

/// Rounding error of a lower bound of a squared distance.
const ROUNDING: f32 = 1e-5;
/// Number of values of descriptors that are compared before the sum is compared with its limit.
const STAGE: usize = 16;

/// Index of images for the search for near-duplicates and nearest neighbours.
#[derive(Debug)]
pub struct NearDuplicateIndex<'a> {
    images: &'a Examples,
    measure: &'a Measure,
    grid: Grid,
    /// Images that are not blank, by the first value of their descriptor.
    entries: Vec<Entry>,
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
    /// Indexes `examples`, a part of the data set of `measure`. `None` if there are none. Fails if the
    /// images are in a file that cannot be read.
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
        let entries = descriptors.into_iter().enumerate();
        let entries = entries.filter_map(|(image, descriptor)| Some((image, descriptor?)));
        let mut entries: Vec<Entry> =
            entries.map(|(image, descriptor)| Entry { image, descriptor }).collect();
        entries.par_sort_by(|one, other| one.first().total_cmp(&other.first()));
        Ok(Some(Self { images, measure, grid, entries, thumbnails }))
    }

    /// Finds the closest near-duplicate in this index of each image of `others`. Fails if images are in a
    /// file that cannot be read.
    pub fn near_duplicates(&self, others: &Self) -> Result<Vec<NearDuplicate>, DatasetError> {
        let task = ProgressTask::start("searching for near-duplicates", others.entries.len());
        let closest = |entry: &Entry| {
            task.advance(1);
            let near = self.near(others, entry, 0, Tolerance::STRICT, |_| true)?;
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

    /// Pairs of the image at `position` of the search order with near-duplicates, by the wide tolerance, that
    /// come after it, among the pairs that `are_wanted`. All positions together have all pairs.
    pub(crate) fn near_duplicates_after(
        &self,
        position: usize,
        are_wanted: impl Fn(usize, usize) -> bool,
    ) -> Result<Vec<(usize, usize)>, DatasetError> {
        let Some(entry) = self.entries.get(position) else { return Ok(Vec::new()) };
        let is_wanted = |image| are_wanted(entry.image, image);
        let near = self.near(self, entry, position + 1, Tolerance::WIDE, is_wanted)?;
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
        let most = (max_pairs / self.entries.len().max(1)).max(1);
        let step = others.images.len().div_ceil(most).max(1);
        let indices: Vec<usize> = (0..others.images.len()).step_by(step).collect();
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
    fn label(&self, index: usize) -> u32 {
        self.images.labels.get(index).copied().unwrap_or_default()
    }

    /// Entry of the image at `index`; `None` for a blank image.
    pub(super) fn entry(&self, index: usize) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.image == index)
    }

    /// Thumbnail of the image at `index`; `None` for a blank image.
    pub(super) fn thumbnail(&self, index: usize) -> Result<Option<Cow<'_, [f32]>>, DatasetError> {
        match self.thumbnails.get(index) {
            Some(cached) => Ok(cached.as_deref().map(Cow::Borrowed)),
            None => {
                let reduce = |_, pixels: &[u8]| self.grid.thumbnail(pixels);
                let thumbnail = map_images(self.images, &[index], reduce)?.pop();
                Ok(thumbnail.flatten().map(Cow::Owned))
            }
        }
    }

    /// Near-duplicates in this index of an image of `others`, among the entries from position `from` on
    /// whose image `is_wanted`. An image is not its own near-duplicate.
    ///
    /// The first values of two near descriptors are near, and entries are sorted by them: only entries of
    /// a window are compared.
    fn near(
        &self,
        others: &Self,
        entry: &Entry,
        from: usize,
        tolerance: Tolerance,
        is_wanted: impl Fn(usize) -> bool,
    ) -> Result<Vec<Neighbour>, DatasetError> {
        let limit = self.measure.max_squared_distance(tolerance) + ROUNDING;
        let reach = limit.sqrt();
        let entries = self.entries.get(from..).unwrap_or_default();
        let (lowest, highest) = (entry.first() - reach, entry.first() + reach);
        let start = entries.partition_point(|other| other.first() < lowest);
        let window = entries.iter().skip(start).take_while(|other| other.first() <= highest);
        let itself = self.has_images_of(others).then_some(entry.image);
        let mut near = Vec::new();
        let mut thumbnail = None;
        for other in window.filter(|other| is_within(&entry.descriptor, &other.descriptor, limit)) {
            if Some(other.image) == itself || !is_wanted(other.image) {
                continue;
            }
            if thumbnail.is_none() {
                thumbnail = others.thumbnail(entry.image)?;
            }
            let (Some(one), Some(of)) = (&thumbnail, self.thumbnail(other.image)?) else {
                continue;
            };
            let distance = squared_distance(one, &of);
            let pair = [&entry.descriptor, &other.descriptor];
            let labels = [others.label(entry.image), self.label(other.image)];
            if self.measure.are_near_duplicates(pair, labels, distance, tolerance) {
                near.push(Neighbour { index: other.image, distance });
            }
        }
        Ok(near)
    }

    /// Finds at most `count` images nearest to the one at `index` of `others`, by increasing distance.
    /// Ties are broken by index. An image is not its own neighbour.
    fn nearest(
        &self,
        others: &Self,
        index: usize,
        count: usize,
    ) -> Result<Vec<Neighbour>, DatasetError> {
        let (Some(entry), Some(thumbnail)) = (others.entry(index), others.thumbnail(index)?) else {
            return Ok(Vec::new());
        };
        let itself = self.has_images_of(others).then_some(index);
        let others = self.entries.iter().filter(|other| Some(other.image) != itself);
        let mut bounds: Vec<Neighbour> = others
            .map(|other| {
                let distance = squared_distance(&entry.descriptor.0, &other.descriptor.0);
                Neighbour { index: other.image, distance: (distance - ROUNDING).max(0.0) }
            })
            .collect();
        bounds.sort_unstable_by(Neighbour::order);
        let mut near: Vec<Neighbour> = Vec::new();
        for bound in bounds {
            // The lowest bounds come first: an image whose bound exceeds the distance of `count` measured
            // images cannot be nearer.
            let furthest = near.last().map_or(f32::INFINITY, |last| last.distance);
            if near.len() == count && bound.distance > furthest {
                break;
            }
            let other = self.thumbnail(bound.index)?;
            let distance = other.map_or(f32::INFINITY, |of| squared_distance(&thumbnail, &of));
            near.push(Neighbour { distance, ..bound });
            near.sort_by(Neighbour::order);
            near.truncate(count);
        }
        Ok(near)
    }

    fn has_images_of(&self, others: &Self) -> bool {
        ptr::eq(self.images, others.images)
    }
}

impl Entry {
    /// The value that entries are sorted by.
    fn first(&self) -> f32 {
        self.descriptor.0[0]
    }
}

impl Neighbour {
    fn order(&self, other: &Self) -> Ordering {
        self.distance.total_cmp(&other.distance).then(self.index.cmp(&other.index))
    }
}

/// Returns whether the squared distance of two descriptors is below `limit`. Most are not after a few
/// values.
fn is_within(one: &Descriptor, other: &Descriptor, limit: f32) -> bool {
    let mut sum = 0.0;
    one.0.chunks_exact(STAGE).zip(other.0.chunks_exact(STAGE)).all(|(one, other)| {
        sum += squared_distance(one, other);
        sum < limit
    })
}
