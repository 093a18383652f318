use std::ptr;

use data::DatasetError;

use super::index::{NearDuplicateIndex, Neighbour};
use super::reduction::distance;

impl NearDuplicateIndex<'_> {
    /// At most `count` images nearest to the one at `index` of `others`, the nearest first, all
    /// nearer than `within`; of equally near ones the first. An image is no neighbour of itself.
    pub(super) fn nearest(
        &self,
        others: &Self,
        index: usize,
        count: usize,
        within: f32,
    ) -> Result<Vec<Neighbour>, DatasetError> {
        let mut bounds = self.bounds(others, index, within);
        if bounds.is_empty() {
            return Ok(bounds);
        }
        let Some(picture) = others.picture(index)? else { return Ok(Vec::new()) };
        let measured = |bound: &Neighbour| {
            let other = self.picture(bound.index)?;
            let distance = other.map_or(f32::INFINITY, |other| distance(&picture, &other));
            Ok(Neighbour { distance, ..*bound })
        };
        // The lowest bounds first: once so many are measured, no higher bound can be nearer.
        let first = count.min(bounds.len());
        bounds.select_nth_unstable_by(first.saturating_sub(1), order);
        let (lowest, rest) = bounds.split_at_mut(first);
        let mut near = lowest.iter().map(&measured).collect::<Result<Vec<_>, DatasetError>>()?;
        near.sort_by(order);
        let furthest = |near: &[Neighbour]| near.last().map_or(0.0, |last| last.distance);
        let mut rest: Vec<_> =
            rest.iter().filter(|bound| bound.distance <= furthest(&near)).collect();
        rest.sort_by(|one, other| order(one, other));
        for bound in rest {
            if bound.distance > furthest(&near) {
                break;
            }
            near.push(measured(bound)?);
            near.sort_by(order);
            near.truncate(count);
        }
        near.retain(|neighbour| neighbour.distance < within);
        Ok(near)
    }

    /// All images that may be nearer than `within` to the one at `index` of `others`, with a lower
    /// bound of their distance.
    fn bounds(&self, others: &Self, index: usize, within: f32) -> Vec<Neighbour> {
        let Some(Some(descriptor)) = others.descriptors.get(index) else { return Vec::new() };
        let itself = |place| ptr::eq(self.images, others.images) && place == index;
        let descriptors = self.descriptors.iter().enumerate();
        let bounds = descriptors.filter_map(|(place, other)| {
            Some(Neighbour { index: place, distance: distance(descriptor, other.as_ref()?) })
        });
        bounds.filter(|bound| bound.distance < within && !itself(bound.index)).collect()
    }
}

fn order(one: &Neighbour, other: &Neighbour) -> std::cmp::Ordering {
    one.distance.total_cmp(&other.distance).then(one.index.cmp(&other.index))
}
