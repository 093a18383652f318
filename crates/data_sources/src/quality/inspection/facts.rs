use data::{DatasetError, Examples, Normalization, SplitKind, Values};
use serde::Serialize;

use super::part::{ExampleLocation, InspectedPart};

/// What one part holds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PartFacts {
    /// The name of the part.
    pub part: SplitKind,
    /// The number of its examples.
    pub count: usize,
    /// How many of them are of each class, in the order of the labels.
    pub classes: Vec<usize>,
    /// The values of each channel, or of each feature.
    pub channels: Vec<ChannelFacts>,
}

/// The values of one channel.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ChannelFacts {
    /// The lowest value.
    pub lowest: f32,
    /// The highest value.
    pub highest: f32,
    /// Their mean.
    pub mean: f32,
    /// Their standard deviation.
    pub deviation: f32,
}

/// What `part` holds, whose labels are below `classes`.
pub fn of(part: &InspectedPart, classes: usize) -> Result<PartFacts, DatasetError> {
    let mut counts = vec![0; classes];
    for &label in &part.examples.labels {
        if let Some(count) = counts.get_mut(label as usize) {
            *count += 1;
        }
    }
    let channels = channels(&part.examples)?;
    Ok(PartFacts { part: part.split, count: part.examples.len(), classes: counts, channels })
}

/// All images of which every pixel is the same.
pub fn blank(
    parts: &[InspectedPart],
    classes: &[String],
) -> Result<Vec<ExampleLocation>, DatasetError> {
    let mut blank = Vec::new();
    for part in parts {
        let [height, width, channels] = part.examples.shape;
        // Of one pixel, all would be.
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

fn channels(examples: &Examples) -> Result<Vec<ChannelFacts>, DatasetError> {
    let ranges = match examples.are_images() {
        true => of_pixels(examples)?,
        false => of_features(examples)?,
    };
    let fitted = Normalization::Standardize.fit(examples)?;
    let moments = fitted.shift.into_iter().zip(fitted.scale);
    let facts = ranges.into_iter().zip(moments).map(|([lowest, highest], (mean, scale))| {
        // What is divided by is 1 where nothing deviates.
        let deviation = if lowest < highest { scale } else { 0.0 };
        ChannelFacts { lowest, highest, mean, deviation }
    });
    Ok(facts.collect())
}

/// The lowest and the highest pixel of each channel.
fn of_pixels(examples: &Examples) -> Result<Vec<[f32; 2]>, DatasetError> {
    let mut ranges = vec![[u8::MAX, u8::MIN]; examples.shape[2]];
    examples.each_block(|block| {
        if let Values::Pixels(pixels) = &block.values {
            widen(&mut ranges, pixels, u8::min, u8::max);
        }
    })?;
    Ok(ranges.into_iter().map(|range| range.map(f32::from)).collect())
}

/// The lowest and the highest value of each feature.
fn of_features(examples: &Examples) -> Result<Vec<[f32; 2]>, DatasetError> {
    let mut ranges = vec![[f32::INFINITY, f32::NEG_INFINITY]; examples.shape[2]];
    examples.each_block(|block| {
        if let Values::Features(features) = &block.values {
            widen(&mut ranges, features, f32::min, f32::max);
        }
    })?;
    Ok(ranges)
}

/// Widens the range of each channel to hold `values`, whose channels lie side by side.
fn widen<T: Copy>(
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
