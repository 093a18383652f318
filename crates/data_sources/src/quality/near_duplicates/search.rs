use std::ptr;

use data::DatasetError;

use super::common_structure::Descriptor;
use super::index::{Entry, NearDuplicateIndex, Neighbour};
use super::measure::Tolerance;
use super::thumbnail::squared_distance;

/// Rounding error of a lower bound of a squared distance.
const ROUNDING: f32 = 1e-5;
/// Number of values of descriptors that are compared before the sum is compared with its limit.
const STAGE: usize = 16;

impl NearDuplicateIndex<'_> {
    /// Near-duplicates in this index of an image of `others`, among the entries from position `from` on
    /// whose image `is_wanted`. An image is not its own near-duplicate.
    ///
    /// The first values of two near descriptors are near, and entries are sorted by them: only entries of
    /// a window are compared.
    pub(super) fn near(
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
    pub(super) fn nearest(
        &self,
        others: &Self,
        index: usize,
        count: usize,
    ) -> Result<Vec<Neighbour>, DatasetError> {
        let mut bounds = self.lower_bounds(others, index);
        let Some(thumbnail) = others.thumbnail(index)? else { return Ok(Vec::new()) };
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

    /// The other images with lower bounds of their squared distance to the one at `index` of `others`.
    fn lower_bounds(&self, others: &Self, index: usize) -> Vec<Neighbour> {
        let Some(entry) = others.entry(index) else { return Vec::new() };
        let itself = self.has_images_of(others).then_some(index);
        let others = self.entries.iter().filter(|other| Some(other.image) != itself);
        let bound = |other: &Entry| {
            let distance = squared_distance(&entry.descriptor.0, &other.descriptor.0);
            Neighbour { index: other.image, distance: (distance - ROUNDING).max(0.0) }
        };
        others.map(bound).collect()
    }

    fn has_images_of(&self, others: &Self) -> bool {
        ptr::eq(self.images, others.images)
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
