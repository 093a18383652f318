use std::borrow::Cow;

use data::{DatasetError, Examples, Values};
use rayon::prelude::*;
use support::ProgressTask;

use super::reduction::{Descriptor, Grid, Picture};
use super::{class_scale, reduction};

/// The share of the median distance between images of a class below which two are twins.
///
/// Of the test images of SIGNS, twelve are at 0.05 to 0.06 and one is at 0.10 from a training image;
/// the next, frames of one hand that moved by a pixel, are at 0.13 and 0.18, and different hands
/// from 0.24 on. Of the cats one is at 0, and the next is at 0.42. Copies of SIGNS' images by JPEG of
/// quality 30 are at 0.11, and at 0.17 at most.
const CLOSE: f32 = 1.0 / 6.0;

/// The most pairs of images whose sketches are compared: about a minute of one core.
const MOST_PAIRS: usize = 1 << 32;

/// The most bytes of reduced images that are kept rather than made again.
const MOST_BYTES: usize = 1 << 28;

/// Images reduced to what tells them apart, to be searched for those that are alike.
#[derive(Debug)]
pub struct NearDuplicateIndex<'a> {
    pub(super) images: &'a Examples,
    grid: Grid,
    /// One an image; none where an image shows nothing.
    pub(super) descriptors: Vec<Option<Descriptor>>,
    /// The same images reduced, where all of them take little memory; else none at all.
    pub(super) pictures: Vec<Option<Picture>>,
    /// The median squared distance between two images of each class.
    typical: Vec<f32>,
}

/// Two images that are one picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NearDuplicate {
    /// The index of one.
    pub index: usize,
    /// The index of the one in the album that was searched.
    pub of: usize,
    /// How far apart they are, as a share of the median distance between images of their class.
    pub distance: f32,
}

/// The twins that a search found.
#[derive(Debug, Clone, PartialEq)]
pub struct NearDuplicates {
    /// At most one for each image, the closest.
    pub pairs: Vec<NearDuplicate>,
    /// For how many images one was looked for.
    pub searched: usize,
}

/// Another image that is like one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Neighbour {
    /// Its index in the album that was searched.
    pub index: usize,
    /// The squared distance.
    pub distance: f32,
}

impl<'a> NearDuplicateIndex<'a> {
    /// The album of `images`; none if they are no images.
    ///
    /// # Errors
    ///
    /// If they lie in a file that cannot be read.
    pub fn of(images: &'a Examples) -> Result<Option<Self>, DatasetError> {
        if !images.are_images() || images.is_empty() {
            return Ok(None);
        }
        let grid = Grid::new(images.shape);
        let keeps = images.len().saturating_mul(grid.bytes()) <= MOST_BYTES;
        let (mut descriptors, mut pictures) = (Vec::with_capacity(images.len()), Vec::new());
        let task = ProgressTask::start("looking at images", images.len());
        let reduced = |pixels: &[u8]| {
            task.advance(1);
            let picture = grid.reduced(pixels);
            (picture.as_deref().map(|picture| grid.descriptor(picture)), picture.filter(|_| keeps))
        };
        images.each_block(|block| {
            if let Values::Pixels(pixels) = &block.values {
                let pixels = pixels.par_chunks_exact(images.width().max(1));
                let (mut some, reduced): (Vec<_>, Vec<_>) = pixels.map(reduced).unzip();
                descriptors.append(&mut some);
                pictures.extend(reduced.into_iter().filter(|_| keeps));
            }
        })?;
        let typical = class_scale::typical(images, &grid)?;
        Ok(Some(Self { images, grid, descriptors, pictures, typical }))
    }

    /// The twin in this album of each image of `others`, if it has one. Where that would be too
    /// many pairs, it is looked for only for every so many of them.
    ///
    /// # Errors
    ///
    /// If images lie in a file that cannot be read.
    pub fn near_duplicates(&self, others: &Self) -> Result<NearDuplicates, DatasetError> {
        let within = self.within();
        let places = others.every(MOST_PAIRS / self.descriptors.len().max(1));
        let searched = places.len();
        let task = ProgressTask::start("looking for twins", searched);
        let duplicate = |index| {
            task.advance(1);
            let nearest = self.nearest(others, index, 1, within)?;
            Ok(nearest.first().and_then(|&nearest| self.duplicate(others, index, nearest)))
        };
        let pairs: Vec<Option<NearDuplicate>> =
            places.into_par_iter().map(duplicate).collect::<Result<_, DatasetError>>()?;
        Ok(NearDuplicates { pairs: pairs.into_iter().flatten().collect(), searched })
    }

    /// The images of this album whose twins in it are looked for: all of them, or every so many where
    /// that would be too many pairs.
    pub(crate) fn places(&self) -> Vec<usize> {
        self.every(MOST_PAIRS / self.descriptors.len().max(1))
    }

    /// All twins in this album of its image at `index`.
    pub(crate) fn near_duplicates_of(&self, index: usize) -> Result<Vec<usize>, DatasetError> {
        let near = self.nearest(self, index, usize::MAX, self.within())?;
        let near_duplicates = near.into_iter().filter_map(|near| self.duplicate(self, index, near));
        Ok(near_duplicates.map(|duplicate| duplicate.of).collect())
    }

    /// The images nearest to each of at most so many of `others`, evenly over them, by their index.
    /// An image is no neighbour of itself.
    pub(crate) fn neighbours(
        &self,
        others: &Self,
        count: usize,
        most: usize,
    ) -> Result<Vec<(usize, Vec<Neighbour>)>, DatasetError> {
        let places = others.every(most / self.descriptors.len().max(1));
        let task = ProgressTask::start("looking at neighbours", places.len());
        let nearest = |index| {
            task.advance(1);
            Ok((index, self.nearest(others, index, count, f32::INFINITY)?))
        };
        places.into_par_iter().map(nearest).collect()
    }

    /// How far away an image is, as a share of the median distance between images of its class.
    pub(crate) fn relative(&self, neighbour: Neighbour) -> f32 {
        let label = self.images.labels.get(neighbour.index);
        let typical = label.and_then(|&label| self.typical.get(label as usize));
        (neighbour.distance / typical.copied().unwrap_or(0.0)).sqrt()
    }

    /// The squared distance that no twin reaches.
    fn within(&self) -> f32 {
        self.typical.iter().copied().fold(0.0, f32::max) * CLOSE * CLOSE
    }

    /// A near image, if it is close enough to be a twin.
    fn duplicate(&self, others: &Self, index: usize, nearest: Neighbour) -> Option<NearDuplicate> {
        let typical = |images: &Examples, index: usize| {
            self.typical.get(*images.labels.get(index)? as usize).copied()
        };
        let own = typical(self.images, nearest.index)?;
        // Of two classes the one whose images are more alike.
        let typical = own.min(typical(others.images, index).unwrap_or(own));
        let distance = (nearest.distance / typical).sqrt();
        (distance < CLOSE).then_some(NearDuplicate { index, of: nearest.index, distance })
    }

    /// At least one and at most about so many of the images, evenly over them.
    fn every(&self, most: usize) -> Vec<usize> {
        let count = self.descriptors.len();
        (0..count).step_by(count.div_ceil(most.max(1)).max(1)).collect()
    }

    /// The reduced image at `index`; none if it shows nothing.
    pub(super) fn picture(&self, index: usize) -> Result<Option<Cow<'_, [f32]>>, DatasetError> {
        match self.pictures.get(index) {
            Some(kept) => Ok(kept.as_deref().map(Cow::Borrowed)),
            None => Ok(reduction::picture(self.images, &self.grid, index)?.map(Cow::Owned)),
        }
    }
}
