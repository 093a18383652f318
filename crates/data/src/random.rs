//! Random numbers as pure functions of the seed and an index, without state to save.

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;

/// Returns the order in which `epoch` visits `count` items, a permutation of `0..count`.
pub fn shuffled(count: usize, seed: u64, epoch: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(1 << 48 | epoch);
    order.shuffle(&mut rng);
    order
}

/// Identifies a batch of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchIndex {
    /// Step of the run.
    pub step: u64,
    /// Index of the micro-batch in the step, 0 without gradient accumulation.
    pub micro_batch: u64,
}

/// Generator for one image in one epoch.
pub fn of_image(seed: u64, epoch: u64, item: usize) -> ChaCha8Rng {
    keyed([seed, epoch, item as u64, 1 << 48])
}

/// Generator for one batch.
pub fn of_batch(seed: u64, batch: BatchIndex) -> ChaCha8Rng {
    keyed([seed, batch.step, batch.micro_batch, 2 << 48])
}

/// The last word is the use of the key. Other keys of four words have small numbers there.
fn keyed(words: [u64; 4]) -> ChaCha8Rng {
    let mut key = [0; 32];
    key.copy_from_slice(words.map(u64::to_le_bytes).as_flattened());
    ChaCha8Rng::from_seed(key)
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
}
