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
/// ascending. A class keeps at least one item in the rest.
pub fn stratified(
    labels: &[u32],
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
        let items = labels.iter().zip(&mut held_out).filter(|(label, _)| **label == class);
        let mut members: Vec<&mut bool> = items.map(|(_, held_out)| held_out).collect();
        let count = (members.len() as f64 * fraction).round() as usize;
        let count = count.min(members.len().saturating_sub(1));
        shuffle(&mut members, seed, purpose, u64::from(class));
        members.into_iter().take(count).for_each(|held_out| *held_out = true);
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
        let (train, held_out) = stratified(&labels, HoldOut::Validation, 0.1, 3);
        assert_eq!((train.len(), held_out.len()), (540, 60));
        for class in 0..6 {
            assert_eq!(held_out.iter().filter(|&&item| labels[item] == class).count(), 10);
        }
        assert!(train.iter().all(|item| !held_out.contains(item)));
    }

    #[test]
    fn a_class_of_one_item_stays_in_the_training_set() {
        let (train, held_out) = stratified(&[0, 0, 0, 0, 1], HoldOut::Test, 0.9, 1);
        assert_eq!(held_out.len(), 3);
        assert!(train.contains(&4));
    }
}
