use data::{DatasetError, Examples};
use rayon::prelude::*;

use super::reduction::{Grid, Picture, distance, picture};

/// So many images of a class tell how far apart two of them are: 496 pairs.
const SAMPLE: usize = 32;

/// The median squared distance between two images of each class; of any two where a class has too
/// few, and 0 where there are no two that differ.
pub fn typical(images: &Examples, grid: &Grid) -> Result<Vec<f32>, DatasetError> {
    let all: Vec<usize> = (0..images.len()).collect();
    let of_any = median(images, grid, &all)?.unwrap_or(0.0);
    let median = |members: &Vec<usize>| Ok(median(images, grid, members)?.unwrap_or(of_any));
    members(&images.labels).par_iter().map(median).collect()
}

/// The images of each class.
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

/// The median squared distance between two different images of a sample of `members`.
fn median(images: &Examples, grid: &Grid, members: &[usize]) -> Result<Option<f32>, DatasetError> {
    let step = members.len().div_ceil(SAMPLE).max(1);
    let sample = members.iter().step_by(step).map(|&index| picture(images, grid, index));
    let sample: Vec<Option<Picture>> = sample.collect::<Result<_, _>>()?;
    let sample: Vec<Picture> = sample.into_iter().flatten().collect();
    let pairs = sample
        .iter()
        .enumerate()
        .flat_map(|(index, one)| sample.iter().take(index).map(move |other| distance(one, other)));
    // Copies say nothing of different images.
    let mut distances: Vec<f32> = pairs.filter(|distance| *distance > 0.0).collect();
    let middle = distances.len() / 2;
    Ok(match distances.is_empty() {
        true => None,
        false => Some(*distances.select_nth_unstable_by(middle, f32::total_cmp).1),
    })
}
