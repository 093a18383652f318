use data::{DatasetError, Examples, Normalization, SplitKind, Values};
use serde::Serialize;

use super::inspected_split::{ExampleLocation, InspectedSplit};

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

/// Computes the statistics of `part`, whose labels are below `classes`.
pub fn of(part: &InspectedSplit, classes: usize) -> Result<SplitStatistics, DatasetError> {
    let mut counts = vec![0; classes];
    for &label in &part.examples.labels {
        if let Some(count) = counts.get_mut(label as usize) {
            *count += 1;
        }
    }
    let channels = channels(&part.examples)?;
    Ok(SplitStatistics { part: part.split, count: part.examples.len(), classes: counts, channels })
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
    let ranges =
        if examples.are_images() { pixel_ranges(examples)? } else { feature_ranges(examples)? };
    let fitted = Normalization::Standardize.fit(examples)?;
    let moments = fitted.shift.into_iter().zip(fitted.scale);
    let statistics = ranges.into_iter().zip(moments).map(|([lowest, highest], (mean, scale))| {
        // The scale is 1 if all values are equal.
        let deviation = if lowest < highest { scale } else { 0.0 };
        ChannelStatistics { lowest, highest, mean, deviation }
    });
    Ok(statistics.collect())
}

/// Minimum and maximum pixel of each channel.
fn pixel_ranges(examples: &Examples) -> Result<Vec<[f32; 2]>, DatasetError> {
    let mut ranges = vec![[u8::MAX, u8::MIN]; examples.shape[2]];
    examples.each_block(|block| {
        if let Values::Pixels(pixels) = &block.values {
            extend(&mut ranges, pixels, u8::min, u8::max);
        }
    })?;
    Ok(ranges.into_iter().map(|range| range.map(f32::from)).collect())
}

/// Minimum and maximum of each feature.
fn feature_ranges(examples: &Examples) -> Result<Vec<[f32; 2]>, DatasetError> {
    let mut ranges = vec![[f32::INFINITY, f32::NEG_INFINITY]; examples.shape[2]];
    examples.each_block(|block| {
        if let Values::Features(features) = &block.values {
            extend(&mut ranges, features, f32::min, f32::max);
        }
    })?;
    Ok(ranges)
}

/// Extends the range of each channel to contain `values`, which are interleaved by channel.
fn extend<T: Copy>(
    ranges: &mut [[T; 2]],
    values: &[T],
    min: impl Fn(T, T) -> T,
    max: impl Fn(T, T) -> T,
) {
    for values in values.chunks_exact(ranges.len().max(1)) {
        for ([lowest, highest], &value) in ranges.iter_mut().zip(values) {
            (*lowest, *highest) = (min(*lowest, value), max(*highest, value));
        }
    }
}
