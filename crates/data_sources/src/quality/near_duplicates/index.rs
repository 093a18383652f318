use std::borrow::Cow;

use data::{DatasetError, Examples, Values};
use rayon::prelude::*;
use support::ProgressTask;

use super::class_scale;
use super::thumbnail::{self, Descriptor, Grid, Thumbnail};

/// Distance below which two images are near-duplicates, as a fraction of the class scale.
///
/// Of the test images of SIGNS, twelve are at 0.05 to 0.06 and one is at 0.10 from a training image;
/// the next, frames of one hand that moved by a pixel, are at 0.13 and 0.18, and different hands
/// from 0.24 on. Of the cats one is at 0, and the next is at 0.42. Copies of SIGNS' images by JPEG of
/// quality 30 are at 0.11, and at 0.17 at most.
const MAX_DISTANCE: f32 = 1.0 / 6.0;

/// Maximum number of pairs of descriptors to compare: about a minute on one core.
const MAX_PAIRS: usize = 1 << 32;

/// Maximum size of the cached thumbnails, in bytes. Larger ones are computed on demand.
const MAX_CACHE_BYTES: usize = 1 << 28;

/// Index of images for the search for near-duplicates and nearest neighbours.
#[derive(Debug)]
pub struct NearDuplicateIndex<'a> {
    pub(super) images: &'a Examples,
    grid: Grid,
    /// Descriptor of each image; `None` for a blank image.
    pub(super) descriptors: Vec<Option<Descriptor>>,
    /// Cached thumbnails; empty if they would exceed [`MAX_CACHE_BYTES`].
    pub(super) thumbnails: Vec<Option<Thumbnail>>,
    /// Median squared distance between two images of each class.
    class_scales: Vec<f32>,
}

/// A pair of near-duplicate images.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NearDuplicate {
    /// Index of the query image.
    pub index: usize,
    /// Index of its near-duplicate in the searched images.
    pub of: usize,
    /// Distance as a fraction of the median distance between images of their class.
    pub distance: f32,
}

/// Result of a search for near-duplicates.
#[derive(Debug, Clone, PartialEq)]
pub struct NearDuplicates {
    /// The closest near-duplicate of each image that has one.
    pub pairs: Vec<NearDuplicate>,
    /// Number of images that near-duplicates were searched for.
    pub searched: usize,
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
    /// Indexes `images`. `None` if the examples are not images.
    ///
    /// # Errors
    ///
    /// If the images are in a file that cannot be read.
    pub fn of(images: &'a Examples) -> Result<Option<Self>, DatasetError> {
        if !images.are_images() || images.is_empty() {
            return Ok(None);
        }
        let grid = Grid::new(images.shape);
        let is_cached = images.len().saturating_mul(grid.thumbnail_bytes()) <= MAX_CACHE_BYTES;
        let (mut descriptors, mut thumbnails) = (Vec::with_capacity(images.len()), Vec::new());
        let task = ProgressTask::start("indexing images", images.len());
        let reduce = |pixels: &[u8]| {
            task.advance(1);
            let thumbnail = grid.thumbnail(pixels);
            let descriptor = thumbnail.as_deref().map(|thumbnail| grid.descriptor(thumbnail));
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
        let class_scales = class_scale::class_scales(images, &grid)?;
        Ok(Some(Self { images, grid, descriptors, thumbnails, class_scales }))
    }

    /// Finds the closest near-duplicate in this index of each image of `others`. If that would be too
    /// many pairs, only evenly spaced images of `others` are searched for.
    ///
    /// # Errors
    ///
    /// If images are in a file that cannot be read.
    pub fn near_duplicates(&self, others: &Self) -> Result<NearDuplicates, DatasetError> {
        let limit = self.max_squared_distance();
        let indices = others.evenly_spaced(MAX_PAIRS / self.descriptors.len().max(1));
        let searched = indices.len();
        let task = ProgressTask::start("searching for near-duplicates", searched);
        let closest = |index| {
            task.advance(1);
            let nearest = self.nearest(others, index, 1, limit)?;
            Ok(nearest.first().and_then(|&nearest| self.near_duplicate(others, index, nearest)))
        };
        let pairs: Vec<Option<NearDuplicate>> =
            indices.into_par_iter().map(closest).collect::<Result<_, DatasetError>>()?;
        Ok(NearDuplicates { pairs: pairs.into_iter().flatten().collect(), searched })
    }

    /// Indices of the images of this index to search for within it: all, or evenly spaced ones if
    /// that would be too many pairs.
    pub(crate) fn searched_indices(&self) -> Vec<usize> {
        self.evenly_spaced(MAX_PAIRS / self.descriptors.len().max(1))
    }

    /// Indices of all near-duplicates in this index of its image at `index`.
    pub(crate) fn near_duplicates_of(&self, index: usize) -> Result<Vec<usize>, DatasetError> {
        let near = self.nearest(self, index, usize::MAX, self.max_squared_distance())?;
        let pairs = near.into_iter().filter_map(|near| self.near_duplicate(self, index, near));
        Ok(pairs.map(|pair| pair.of).collect())
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
        let indices = others.evenly_spaced(max_pairs / self.descriptors.len().max(1));
        let task = ProgressTask::start("searching for neighbours", indices.len());
        let nearest = |index| {
            task.advance(1);
            Ok((index, self.nearest(others, index, count, f32::INFINITY)?))
        };
        indices.into_par_iter().map(nearest).collect()
    }

    /// Distance of a neighbour as a fraction of the median distance between images of its class.
    pub(crate) fn relative_distance(&self, neighbour: Neighbour) -> f32 {
        let scale = self.class_scale(self.images, neighbour.index);
        (neighbour.distance / scale.unwrap_or(0.0)).sqrt()
    }

    /// Upper bound of the squared distance of near-duplicates of any class.
    fn max_squared_distance(&self) -> f32 {
        self.class_scales.iter().copied().fold(0.0, f32::max) * MAX_DISTANCE * MAX_DISTANCE
    }

    /// Scale of the class of an image of `images`; `None` for a class that is not in this index.
    fn class_scale(&self, images: &Examples, index: usize) -> Option<f32> {
        self.class_scales.get(*images.labels.get(index)? as usize).copied()
    }

    /// The pair of an image and its neighbour, if they are near-duplicates.
    fn near_duplicate(
        &self,
        others: &Self,
        index: usize,
        nearest: Neighbour,
    ) -> Option<NearDuplicate> {
        let own = self.class_scale(self.images, nearest.index)?;
        // Of two classes, the smaller scale.
        let scale = own.min(self.class_scale(others.images, index).unwrap_or(own));
        let distance = (nearest.distance / scale).sqrt();
        (distance < MAX_DISTANCE).then_some(NearDuplicate { index, of: nearest.index, distance })
    }

    /// Evenly spaced indices, about `most` at most and at least one.
    fn evenly_spaced(&self, most: usize) -> Vec<usize> {
        let count = self.descriptors.len();
        (0..count).step_by(count.div_ceil(most.max(1)).max(1)).collect()
    }

    /// Thumbnail of the image at `index`; `None` for a blank image.
    pub(super) fn thumbnail(&self, index: usize) -> Result<Option<Cow<'_, [f32]>>, DatasetError> {
        match self.thumbnails.get(index) {
            Some(cached) => Ok(cached.as_deref().map(Cow::Borrowed)),
            None => Ok(thumbnail::thumbnail(self.images, &self.grid, index)?.map(Cow::Owned)),
        }
    }
}
