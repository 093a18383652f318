//! Order and stratified hold-out of examples: pure functions of the seed, without state to save.

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;
use sha2::{Digest, Sha256};

use crate::split_kind::SplitKind;

/// Returns the order in which `epoch` visits `count` items, a permutation of `0..count`.
pub fn shuffled(count: usize, seed: u64, epoch: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    shuffle(&mut order, seed, epoch);
    order
}

/// A group that can be held out.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// Index of the group.
    pub group: usize,
    /// Number of examples.
    pub size: usize,
    /// Key of its content.
    pub key: &'a [u8; 32],
}

/// Chooses groups of one class to hold out as `split`: as many as fit into `room` examples, in an order
/// that depends on seed and content alone. If all groups are larger, the smallest is held out, unless it
/// has more than half of the examples. One group always stays.
///
/// The position of a group in the order does not depend on the other groups, so that an added example
/// moves few others.
pub fn held_out(
    mut candidates: Vec<Candidate>,
    room: usize,
    split: SplitKind,
    seed: u64,
) -> Vec<usize> {
    candidates.sort_by_cached_key(|candidate| (rank(candidate.key, split, seed), candidate.group));
    let (mut left, mut held_out) = (room, Vec::new());
    for candidate in &candidates {
        if candidate.size <= left && held_out.len() + 1 < candidates.len() {
            held_out.push(candidate.group);
            left -= candidate.size;
        }
    }
    if held_out.is_empty() && room > 0 {
        let count: usize = candidates.iter().map(|candidate| candidate.size).sum();
        let smallest = candidates.iter().min_by_key(|candidate| candidate.size);
        let smallest = smallest.filter(|smallest| 2 * smallest.size <= count);
        held_out.extend(smallest.map(|smallest| smallest.group));
    }
    held_out
}

/// Position of a group in the order of the groups of a class.
fn rank(key: &[u8; 32], split: SplitKind, seed: u64) -> [u8; 32] {
    let hash = Sha256::new().chain_update(seed.to_le_bytes());
    hash.chain_update([split as u8]).chain_update(key).finalize().into()
}

/// Shuffles `items` for an epoch.
fn shuffle<T>(items: &mut [T], seed: u64, epoch: u64) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(1 << 48 | epoch);
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

    /// Groups of these sizes, with the hashes of their indices as keys.
    fn hold_out(sizes: &[usize], room: usize, seed: u64) -> Vec<usize> {
        let keys: Vec<[u8; 32]> =
            (0..sizes.len()).map(|group| Sha256::digest(group.to_le_bytes()).into()).collect();
        let groups = sizes.iter().zip(&keys).enumerate();
        let groups = groups.map(|(group, (&size, key))| Candidate { group, size, key });
        held_out(groups.collect(), room, SplitKind::Test, seed)
    }

    #[test]
    fn groups_fill_the_room_as_far_as_they_fit() {
        // Twenty groups of size 1 and two of size 10.
        let sizes: Vec<usize> = (0..22).map(|group| if group < 20 { 1 } else { 10 }).collect();
        for seed in 0..20 {
            let held_out = hold_out(&sizes, 10, seed);
            assert_eq!(held_out.iter().map(|&group| sizes[group]).sum::<usize>(), 10, "{seed}");
        }
        assert_ne!(hold_out(&sizes, 5, 1), hold_out(&sizes, 5, 2));
    }

    #[test]
    fn one_group_always_stays_and_a_too_large_one_is_not_held_out() {
        assert_eq!(hold_out(&[1], 1, 1), [0; 0]);
        assert_eq!(hold_out(&[1; 3], 9, 1).len(), 2);
        // All groups are larger than the room of 1.
        assert_eq!(hold_out(&[10, 3, 9], 1, 1), [1]);
        assert_eq!(hold_out(&[10, 11], 1, 1), [0]);
        assert_eq!(hold_out(&[10], 1, 1), [0; 0]);
        assert_eq!(hold_out(&[10, 3, 9], 0, 1), [0; 0]);
    }

    #[test]
    fn an_added_group_moves_at_most_one_other() {
        let before = hold_out(&[1; 100], 10, 7);
        let after = hold_out(&[1; 101], 10, 7);
        let moved = before.iter().filter(|group| !after.contains(group)).count();
        assert!(moved <= 1, "{before:?} {after:?}");
    }
}
