//! Random numbers as pure functions of the seed and an index.

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

use super::mixing::BatchIndex;

/// Use of a key. Other keys of four words have small numbers in the last word.
#[derive(Clone, Copy)]
enum Purpose {
    Image = 1,
    Batch = 2,
}

/// Generator for one image in one epoch.
pub fn of_image(seed: u64, epoch: u64, item: usize) -> ChaCha8Rng {
    keyed([seed, epoch, item as u64], Purpose::Image)
}

/// Generator for one batch.
pub fn of_batch(seed: u64, batch: BatchIndex) -> ChaCha8Rng {
    keyed([seed, batch.step, batch.micro_batch], Purpose::Batch)
}

fn keyed(words: [u64; 3], purpose: Purpose) -> ChaCha8Rng {
    let mut key = [0; 32];
    let purpose = (purpose as u64) << 48;
    for (bytes, word) in key.chunks_exact_mut(8).zip(words.into_iter().chain([purpose])) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    ChaCha8Rng::from_seed(key)
}
