//! Which items make which batch: functions of the seed and the epoch, with no state to save.

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;

/// What a stream of random numbers is for, so that no two uses share one.
#[derive(Debug, Clone, Copy)]
enum Purpose {
    Shuffle = 1,
    Validation = 2,
    Test = 3,
}

/// A part that is held out of the training set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldOut {
    /// To choose the best model by.
    Validation,
    /// To report on.
    Test,
}

impl HoldOut {
    /// The name as configs spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }
}

/// The order in which epoch `epoch` visits `count` items: a permutation of `0..count`.
pub fn shuffled(count: usize, seed: u64, epoch: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    shuffle(&mut order, seed, Purpose::Shuffle, epoch);
    order
}

/// Splits items `0..labels.len()` into the rest and the `fraction` held out of each class, both
/// ascending. A class keeps at least one item in the rest. An item counts as its size, for example
/// the number of examples that it stands for; of items of size 1 exactly the fraction is held out,
/// of others at most.
pub fn stratified(
    labels: &[u32],
    size: impl Fn(usize) -> usize,
    part: HoldOut,
    fraction: f64,
    seed: u64,
) -> (Vec<usize>, Vec<usize>) {
    let purpose = match part {
        HoldOut::Validation => Purpose::Validation,
        HoldOut::Test => Purpose::Test,
    };
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
        shuffle(&mut members, seed, purpose, u64::from(class));
        for (size, held_out) in members {
            if size <= room {
                *held_out = true;
                room -= size;
            }
        }
    }
    let where_it_is = |part: bool| {
        let items = held_out.iter().enumerate().filter(move |(_, held_out)| **held_out == part);
        items.map(|(item, _)| item).collect()
    };
    (where_it_is(false), where_it_is(true))
}

fn shuffle<T>(items: &mut [T], seed: u64, purpose: Purpose, index: u64) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream((purpose as u64) << 48 | index);
    items.shuffle(&mut rng);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_visits_each_item_once_in_an_order_of_its_own() {
        let first = shuffled(1080, 1, 1);
        let mut sorted = first.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..1080).collect::<Vec<_>>());
        assert_ne!(first, shuffled(1080, 1, 2));
        assert_ne!(first, shuffled(1080, 2, 1));
        assert_eq!(first, shuffled(1080, 1, 1));
    }

    #[test]
    fn the_order_of_a_seed_never_changes() {
        assert_eq!(shuffled(8, 1, 1), [5, 6, 2, 4, 7, 1, 3, 0]);
    }

    #[test]
    fn a_split_takes_the_same_share_of_every_class() {
        let labels: Vec<u32> = (0..600).map(|item| item % 6).collect();
        let (train, held_out) = stratified(&labels, |_| 1, HoldOut::Validation, 0.1, 3);
        assert_eq!((train.len(), held_out.len()), (540, 60));
        for class in 0..6 {
            assert_eq!(held_out.iter().filter(|&&item| labels[item] == class).count(), 10);
        }
        assert!(train.iter().all(|item| !held_out.contains(item)));
    }

    #[test]
    fn a_class_of_one_item_stays_in_the_training_set() {
        let (train, held_out) = stratified(&[0, 0, 0, 0, 1], |_| 1, HoldOut::Test, 0.9, 1);
        assert_eq!(held_out.len(), 3);
        assert!(train.contains(&4));
    }

    #[test]
    fn items_that_stand_for_several_are_held_out_whole_and_within_the_fraction() {
        // Twenty items of one, and two of ten: a quarter of forty is ten.
        let labels = vec![0; 22];
        let size = |item: usize| if item < 20 { 1 } else { 10 };
        for seed in 0..20 {
            let (rest, held_out) = stratified(&labels, size, HoldOut::Test, 0.25, seed);
            assert_eq!(rest.len() + held_out.len(), 22);
            assert_eq!(held_out.iter().copied().map(size).sum::<usize>(), 10, "{held_out:?}");
        }
        // One that is larger than the fraction stays.
        let (_, held_out) = stratified(&[0; 5], |_| 10, HoldOut::Test, 0.1, 1);
        assert!(held_out.is_empty(), "{held_out:?}");
    }
}
