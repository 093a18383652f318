use data::{DatasetError, Examples, Values};

use super::inspect::Inspection;
use super::part::InspectedPart;

/// How often the values of one channel, or of one feature, lie where.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    /// Where the first bin begins, and where the last one ends.
    pub range: [f32; 2],
    /// For each part how many of its values are in each bin; all bins are equally wide.
    pub parts: Vec<Vec<u64>>,
}

/// The bins of a range.
const BINS: usize = 32;

impl Inspection {
    /// The histogram of each channel of `parts`, which are those that were inspected. Reads all
    /// values once more.
    ///
    /// # Errors
    ///
    /// If examples lie in a file that cannot be read.
    pub fn histograms(&self, parts: &[InspectedPart]) -> Result<Vec<Histogram>, DatasetError> {
        let ranges: Vec<_> = (0..self.shape[2]).map(|channel| self.range(channel)).collect();
        let counts = parts.iter().map(|part| counts(&part.examples, &ranges));
        let counts: Vec<Vec<Vec<u64>>> = counts.collect::<Result<_, _>>()?;
        let of_channel = |(channel, range): (usize, &[f32; 2])| {
            let parts = counts.iter().filter_map(|part| part.get(channel).cloned());
            Histogram { range: *range, parts: parts.collect() }
        };
        Ok(ranges.iter().enumerate().map(of_channel).collect())
    }

    /// What a channel can hold, of pixels; of features, what it does in any part.
    fn range(&self, channel: usize) -> [f32; 2] {
        if self.are_images {
            return [0.0, 256.0];
        }
        let facts = self.parts.iter().filter_map(|part| part.channels.get(channel));
        facts.fold([f32::INFINITY, f32::NEG_INFINITY], |[low, high], facts| {
            [low.min(facts.lowest), high.max(facts.highest)]
        })
    }
}

/// One list of bins a channel.
fn counts(examples: &Examples, ranges: &[[f32; 2]]) -> Result<Vec<Vec<u64>>, DatasetError> {
    let mut counts = vec![vec![0; BINS]; ranges.len()];
    examples.each_block(|block| match &block.values {
        Values::Pixels(pixels) => {
            add(&mut counts, pixels, |_, pixel| usize::from(pixel) * BINS / 256);
        }
        Values::Features(features) => add(&mut counts, features, |channel, value| {
            ranges.get(channel).map_or(0, |range| bin(value, *range))
        }),
        // Blocks are in memory.
        Values::Stored(_) => {}
    })?;
    Ok(counts)
}

/// Counts each of `values`, whose channels lie side by side, in its bin.
fn add<T: Copy>(counts: &mut [Vec<u64>], values: &[T], bin: impl Fn(usize, T) -> usize) {
    for values in values.chunks_exact(counts.len().max(1)) {
        for ((channel, counts), &value) in counts.iter_mut().enumerate().zip(values) {
            if let Some(count) = counts.get_mut(bin(channel, value)) {
                *count += 1;
            }
        }
    }
}

/// All values are in one bin where they are the same.
fn bin(value: f32, [low, high]: [f32; 2]) -> usize {
    let share = f64::from(value - low) / f64::from(high - low);
    ((share * BINS as f64) as usize).min(BINS - 1)
}
