use std::fmt;

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// Number of examples per batch: `training.batch_size`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BatchSize {
    /// The largest power of two up to 256 with 20 batches per epoch and an estimated memory of at
    /// most half of what is available, or 4 GiB on a graphics card; at least 16 if the memory
    /// allows it. A run records the number that it found.
    Auto,
    /// This number.
    #[serde(untagged)]
    Fixed(#[schemars(range(min = 1, max = 1_000_000))] usize),
}

const LARGEST: usize = 256;
/// Automatic batch size of a small training set.
const USUAL: usize = 16;
/// Fewest batches per epoch with a larger one.
const BATCHES: usize = 20;

impl BatchSize {
    /// The automatic batch size for a training set of `count` examples: one that `fits`.
    pub fn automatic(count: usize, fits: impl Fn(usize) -> bool) -> usize {
        let sizes = (1..=LARGEST.ilog2()).rev().map(|power| 1 << power);
        let mut sizes = sizes.filter(|&size| size <= USUAL || size * BATCHES <= count);
        sizes.find(|&size| fits(size)).unwrap_or(USUAL)
    }
}

impl<'de> Deserialize<'de> for BatchSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StringOrNumber)
    }
}

struct StringOrNumber;

impl Visitor<'_> for StringOrNumber {
    type Value = BatchSize;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a non-negative integer or \"auto\"")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<BatchSize, E> {
        match name {
            "auto" => Ok(BatchSize::Auto),
            _ => Err(E::unknown_variant(name, &["auto"])),
        }
    }

    fn visit_i64<E: Error>(self, size: i64) -> Result<BatchSize, E> {
        let fixed = usize::try_from(size).map(BatchSize::Fixed);
        fixed.map_err(|_| E::invalid_value(Unexpected::Signed(size), &self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_automatic_size_grows_with_the_training_set_and_fits_into_the_memory() {
        let sizes = [10, 200, 639, 640, 972, 5000, 60_000].map(|count| {
            [usize::MAX, 64, 4].map(|most| BatchSize::automatic(count, |size| size <= most))
        });
        let expected = [
            [16, 16, 4],
            [16, 16, 4],
            [16, 16, 4],
            [32, 32, 4],
            [32, 32, 4],
            [128, 64, 4],
            [256, 64, 4],
        ];
        assert_eq!(sizes, expected);
        assert_eq!(BatchSize::automatic(1000, |_| false), 16);
        assert_eq!(BatchSize::automatic(1000, |size| size != 32), 16);
    }
}
