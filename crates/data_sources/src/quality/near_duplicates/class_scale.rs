use data::{DatasetError, Examples};
use rayon::prelude::*;

use super::thumbnail::{Grid, Thumbnail, squared_distance, thumbnail};

/// Maximum number of sampled images per class: 496 pairs.
const SAMPLE: usize = 32;

/// Computes the scale of each class: the median squared distance between two different images. Of
/// images of any class if the class has too few, and 0 if no two images differ.
pub fn class_scales(images: &Examples, grid: &Grid) -> Result<Vec<f32>, DatasetError> {
    let all: Vec<usize> = (0..images.len()).collect();
    let of_any = median_distance(images, grid, &all)?.unwrap_or(0.0);
    let classes = members(&images.labels);
    let scales = classes
        .par_iter()
        .map(|members| Ok(median_distance(images, grid, members)?.unwrap_or(of_any)));
    scales.collect()
}

/// Indices of the images of each class.
fn members(labels: &[u32]) -> Vec<Vec<usize>> {
    let classes = labels.iter().max().map_or(0, |&most| most as usize + 1);
    let mut members = vec![Vec::new(); classes];
    for (index, &label) in labels.iter().enumerate() {
        if let Some(members) = members.get_mut(label as usize) {
            members.push(index);
        }
    }
    members
}

/// Median squared distance between two different images of a sample of `members`.
fn median_distance(
    images: &Examples,
    grid: &Grid,
    members: &[usize],
) -> Result<Option<f32>, DatasetError> {
    let step = members.len().div_ceil(SAMPLE).max(1);
    let sample = members.iter().step_by(step).map(|&index| thumbnail(images, grid, index));
    let sample: Vec<Option<Thumbnail>> = sample.collect::<Result<_, _>>()?;
    let sample: Vec<Thumbnail> = sample.into_iter().flatten().collect();
    let pairs = sample.iter().enumerate().flat_map(|(index, one)| {
        sample.iter().take(index).map(move |other| squared_distance(one, other))
    });
    // Distances between copies of an image do not count.
    let mut distances: Vec<f32> = pairs.filter(|distance| *distance > 0.0).collect();
    if distances.is_empty() {
        return Ok(None);
    }
    let middle = distances.len() / 2;
    Ok(Some(*distances.select_nth_unstable_by(middle, f32::total_cmp).1))
}
