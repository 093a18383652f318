//! Order and stratified hold-out of examples: pure functions of the seed, without state to save.

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;

use crate::split_kind::SplitKind;

/// Returns the order in which `epoch` visits `count` items, a permutation of `0..count`.
pub fn shuffled(count: usize, seed: u64, epoch: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    shuffle(&mut order, seed, SplitKind::Train, epoch);
    order
}

/// Divides the items `0..labels.len()` into the rest and a `fraction` of each class held out as
/// `split`, both ascending. Each class keeps at least one item in the rest.
///
/// An item counts as its `size`, for example the number of examples in a group. The fraction is exact
/// for items of size 1 and an upper bound for others.
pub fn stratified(
    labels: &[u32],
    size: impl Fn(usize) -> usize,
    split: SplitKind,
    fraction: f64,
    seed: u64,
) -> (Vec<usize>, Vec<usize>) {
    let classes = labels.iter().max().map_or(0, |&most| most + 1);
    let mut held_out = vec![false; labels.len()];
    for class in 0..classes {
        let items = labels.iter().zip(&mut held_out).enumerate();
        let items = items.filter(|(_, (label, _))| **label == class);
        let mut members: Vec<(usize, &mut bool)> =
            items.map(|(item, (_, held_out))| (size(item), held_out)).collect();
        let count = members.iter().map(|(size, _)| size).sum::<usize>();
        let mut room = (count as f64 * fraction).round() as usize;
        room = room.min(count.saturating_sub(1));
        shuffle(&mut members, seed, split, u64::from(class));
        for (size, held_out) in members {
            if size <= room {
                *held_out = true;
                room -= size;
            }
        }
    }
    (0..labels.len()).partition(|&item| held_out.get(item) == Some(&false))
}

/// Shuffles `items` with random stream `index` of `split`: an epoch or a class.
fn shuffle<T>(items: &mut [T], seed: u64, split: SplitKind, index: u64) {
    let stream: u64 = match split {
        SplitKind::Train => 1,
        SplitKind::Validation => 2,
        SplitKind::Test => 3,
    };
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(stream << 48 | index);
    items.shuffle(&mut rng);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_epoch_visits_every_item_once_in_its_own_order() {
        let first = shuffled(1080, 1, 1);
        let mut sorted = first.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..1080).collect::<Vec<_>>());
        assert_ne!(first, shuffled(1080, 1, 2));
        assert_ne!(first, shuffled(1080, 2, 1));
        assert_eq!(first, shuffled(1080, 1, 1));
    }

    #[test]
    fn the_order_for_a_seed_never_changes() {
        assert_eq!(shuffled(8, 1, 1), [5, 6, 2, 4, 7, 1, 3, 0]);
    }

    #[test]
    fn the_same_fraction_of_every_class_is_held_out() {
        let labels: Vec<u32> = (0..600).map(|item| item % 6).collect();
        let (train, held_out) = stratified(&labels, |_| 1, SplitKind::Validation, 0.1, 3);
        assert_eq!((train.len(), held_out.len()), (540, 60));
        for class in 0..6 {
            assert_eq!(held_out.iter().filter(|&&item| labels[item] == class).count(), 10);
        }
        assert!(train.iter().all(|item| !held_out.contains(item)));
    }

    #[test]
    fn a_class_of_one_item_stays_in_the_training_set() {
        let (train, held_out) = stratified(&[0, 0, 0, 0, 1], |_| 1, SplitKind::Test, 0.9, 1);
        assert_eq!(held_out.len(), 3);
        assert!(train.contains(&4));
    }

    #[test]
    fn groups_are_held_out_whole_and_within_the_fraction() {
        // Twenty items of size 1 and two of size 10: a quarter of the total is 10.
        let labels = vec![0; 22];
        let size = |item: usize| if item < 20 { 1 } else { 10 };
        for seed in 0..20 {
            let (rest, held_out) = stratified(&labels, size, SplitKind::Test, 0.25, seed);
            assert_eq!(rest.len() + held_out.len(), 22);
            assert_eq!(held_out.iter().copied().map(size).sum::<usize>(), 10, "{held_out:?}");
        }
        // An item larger than the fraction stays in the rest.
        let (_, held_out) = stratified(&[0; 5], |_| 10, SplitKind::Test, 0.1, 1);
        assert!(held_out.is_empty(), "{held_out:?}");
    }
}
