use data::{DatasetError, Examples, Values};

use super::inspect::Inspection;
use super::inspected_split::InspectedSplit;

/// Histogram of a channel or feature.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    /// Start of the first bin and end of the last.
    pub range: [f32; 2],
    /// Number of values of each split in each bin, `[splits, bins]`. All bins have the same width.
    pub parts: Vec<Vec<u64>>,
}

/// Number of bins.
const BINS: usize = 32;

impl Inspection {
    /// Computes the histogram of each channel of `parts`, the inspected splits. Reads all values
    /// again.
    ///
    /// # Errors
    ///
    /// If examples are in a file that cannot be read.
    pub fn histograms(&self, parts: &[InspectedSplit]) -> Result<Vec<Histogram>, DatasetError> {
        let ranges: Vec<_> = (0..self.shape[2]).map(|channel| self.range(channel)).collect();
        let counts = parts.iter().map(|part| counts(&part.examples, &ranges));
        let counts: Vec<Vec<Vec<u64>>> = counts.collect::<Result<_, _>>()?;
        let of_channel = |(channel, range): (usize, &[f32; 2])| {
            let parts = counts.iter().filter_map(|part| part.get(channel).cloned());
            Histogram { range: *range, parts: parts.collect() }
        };
        Ok(ranges.iter().enumerate().map(of_channel).collect())
    }

    /// Range of the histogram of a channel: of possible values for pixels, of values in any split for
    /// features.
    fn range(&self, channel: usize) -> [f32; 2] {
        if self.are_images {
            return [0.0, 256.0];
        }
        let channels = self.parts.iter().filter_map(|part| part.channels.get(channel));
        channels.fold([f32::INFINITY, f32::NEG_INFINITY], |[low, high], channel| {
            [low.min(channel.lowest), high.max(channel.highest)]
        })
    }
}

/// Number of values in each bin, `[channels, bins]`.
fn counts(examples: &Examples, ranges: &[[f32; 2]]) -> Result<Vec<Vec<u64>>, DatasetError> {
    let mut counts = vec![vec![0; BINS]; ranges.len()];
    examples.each_block(|block| match &block.values {
        Values::Pixels(pixels) => {
            add(&mut counts, pixels, |_, pixel| usize::from(pixel) * BINS / 256);
        }
        Values::Features(features) => add(&mut counts, features, |channel, value| {
            ranges.get(channel).map_or(0, |range| bin(value, *range))
        }),
        // `each_block` passes values in memory.
        Values::Stored(_) => {}
    })?;
    Ok(counts)
}

/// Counts `values`, which are interleaved by channel, in their bins.
fn add<T: Copy>(counts: &mut [Vec<u64>], values: &[T], bin: impl Fn(usize, T) -> usize) {
    for values in values.chunks_exact(counts.len().max(1)) {
        for ((channel, counts), &value) in counts.iter_mut().enumerate().zip(values) {
            if let Some(count) = counts.get_mut(bin(channel, value)) {
                *count += 1;
            }
        }
    }
}

/// Bin of a value. For an empty range it is the first.
fn bin(value: f32, [low, high]: [f32; 2]) -> usize {
    let share = f64::from(value - low) / f64::from(high - low);
    ((share * BINS as f64) as usize).min(BINS - 1)
}
