use std::ptr;

use data::DatasetError;

use super::index::{NearDuplicateIndex, Neighbour};
use super::thumbnail::squared_distance;

impl NearDuplicateIndex<'_> {
    /// Finds at most `count` images nearest to the one at `index` of `others`, by increasing distance,
    /// all with a squared distance below `limit`. Ties are broken by index. An image is not its own
    /// neighbour.
    pub(super) fn nearest(
        &self,
        others: &Self,
        index: usize,
        count: usize,
        limit: f32,
    ) -> Result<Vec<Neighbour>, DatasetError> {
        let mut bounds = self.lower_bounds(others, index, limit);
        if bounds.is_empty() {
            return Ok(bounds);
        }
        let Some(thumbnail) = others.thumbnail(index)? else { return Ok(Vec::new()) };
        let measured = |bound: &Neighbour| {
            let other = self.thumbnail(bound.index)?;
            let distance =
                other.map_or(f32::INFINITY, |other| squared_distance(&thumbnail, &other));
            Ok(Neighbour { distance, ..*bound })
        };
        // Images with the lowest bounds first: those whose bound exceeds the distance of `count`
        // measured images cannot be nearer.
        let first = count.min(bounds.len());
        bounds.select_nth_unstable_by(first.saturating_sub(1), order);
        let (lowest, rest) = bounds.split_at_mut(first);
        let mut near = lowest.iter().map(&measured).collect::<Result<Vec<_>, DatasetError>>()?;
        near.sort_by(order);
        let furthest = max_distance(&near);
        let mut rest: Vec<_> = rest.iter().filter(|bound| bound.distance <= furthest).collect();
        rest.sort_by(|one, other| order(one, other));
        for bound in rest {
            if bound.distance > max_distance(&near) {
                break;
            }
            near.push(measured(bound)?);
            near.sort_by(order);
            near.truncate(count);
        }
        near.retain(|neighbour| neighbour.distance < limit);
        Ok(near)
    }

    /// Images whose squared distance to the one at `index` of `others` may be below `limit`, with a
    /// lower bound of it.
    fn lower_bounds(&self, others: &Self, index: usize, limit: f32) -> Vec<Neighbour> {
        let Some(Some(descriptor)) = others.descriptors.get(index) else { return Vec::new() };
        let itself = ptr::eq(self.images, others.images).then_some(index);
        let descriptors = self.descriptors.iter().enumerate();
        let bounds = descriptors.filter_map(|(index, other)| {
            let distance = squared_distance(descriptor, other.as_ref()?);
            Some(Neighbour { index, distance })
        });
        bounds.filter(|bound| bound.distance < limit && Some(bound.index) != itself).collect()
    }
}

/// Distance of the last of `near`, which are sorted.
fn max_distance(near: &[Neighbour]) -> f32 {
    near.last().map_or(0.0, |last| last.distance)
}

fn order(one: &Neighbour, other: &Neighbour) -> std::cmp::Ordering {
    one.distance.total_cmp(&other.distance).then(one.index.cmp(&other.index))
}
