use data::{DatasetError, Examples, Normalization, SplitKind, Values};
use serde::Serialize;

use super::{ExampleLocation, InspectedSplit, Inspection};
use crate::quality::class_counts;

/// Statistics of a split.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SplitStatistics {
    /// The split.
    pub part: SplitKind,
    /// Number of examples.
    pub count: usize,
    /// Number of examples of each class, in the order of the labels.
    pub classes: Vec<usize>,
    /// Statistics of each channel, or of each feature.
    pub channels: Vec<ChannelStatistics>,
}

/// Statistics of the values of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ChannelStatistics {
    /// Minimum.
    pub lowest: f32,
    /// Maximum.
    pub highest: f32,
    /// Mean.
    pub mean: f32,
    /// Standard deviation.
    pub deviation: f32,
}

/// Histogram of a channel or feature.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    /// Start of the first bin and end of the last.
    pub range: [f32; 2],
    /// Number of values of each split in each bin, `[splits, bins]`. All bins have the same width.
    pub parts: Vec<Vec<u64>>,
}

/// Computes the statistics of `part`, whose labels are below `classes`.
pub fn of(part: &InspectedSplit, classes: usize) -> Result<SplitStatistics, DatasetError> {
    Ok(SplitStatistics {
        part: part.split,
        count: part.examples.len(),
        classes: class_counts(&part.examples.labels, classes),
        channels: channels(&part.examples)?,
    })
}

/// Images whose pixels are all equal.
pub fn blank(
    parts: &[InspectedSplit],
    classes: &[String],
) -> Result<Vec<ExampleLocation>, DatasetError> {
    let mut blank = Vec::new();
    for part in parts {
        let [height, width, channels] = part.examples.shape;
        // Images of one pixel are not blank.
        if height * width < 2 {
            continue;
        }
        let mut item = 0;
        part.examples.each_block(|block| {
            let Values::Pixels(pixels) = &block.values else { return };
            for image in pixels.chunks_exact((height * width * channels).max(1)) {
                if is_blank(image, channels) {
                    blank.push(part.location(item, classes));
                }
                item += 1;
            }
        })?;
    }
    Ok(blank)
}

fn is_blank(image: &[u8], channels: usize) -> bool {
    let mut pixels = image.chunks_exact(channels.max(1));
    let first = pixels.next();
    pixels.all(|pixel| Some(pixel) == first)
}

fn channels(examples: &Examples) -> Result<Vec<ChannelStatistics>, DatasetError> {
    let ranges = ranges(examples)?;
    let fitted = Normalization::Standardize.fit(examples)?;
    let moments = fitted.shift.into_iter().zip(fitted.scale);
    let statistics = ranges.into_iter().zip(moments).map(|([lowest, highest], (mean, scale))| {
        // The scale is 1 if all values are equal.
        let deviation = if lowest < highest { scale } else { 0.0 };
        ChannelStatistics { lowest, highest, mean, deviation }
    });
    Ok(statistics.collect())
}

/// Minimum and maximum of each channel.
fn ranges(examples: &Examples) -> Result<Vec<[f32; 2]>, DatasetError> {
    let mut ranges = vec![[f32::INFINITY, f32::NEG_INFINITY]; examples.shape[2]];
    examples.each_block(|block| match &block.values {
        Values::Pixels(pixels) => extend(&mut ranges, pixels),
        Values::Features(features) => extend(&mut ranges, features),
        // `each_block` passes values in memory.
        Values::Stored(_) => {}
    })?;
    Ok(ranges)
}

/// Extends the range of each channel to contain `values`, which are interleaved by channel.
fn extend<T: Copy + Into<f32>>(ranges: &mut [[f32; 2]], values: &[T]) {
    for values in values.chunks_exact(ranges.len().max(1)) {
        for ([lowest, highest], &value) in ranges.iter_mut().zip(values) {
            (*lowest, *highest) = (lowest.min(value.into()), highest.max(value.into()));
        }
    }
}

/// Number of bins.
const BINS: usize = 32;

impl Inspection {
    /// Computes the histogram of each channel of `parts`, the inspected splits. Reads all values again.
    /// Fails if examples are in a file that cannot be read.
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
