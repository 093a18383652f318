use crate::grid_cells::by_cell;
use crate::palette::{Colour, colour};

/// Opacity over white of the colour of a class with probability 1.
const CERTAIN: f32 = 0.42;
/// Opacity where all classes have equal probabilities.
const UNDECIDED: f32 = 0.08;

/// Mixes the colours of the classes by their probabilities. `probabilities` has for each class the
/// values of a grid, `[rows * columns]`, the lowest row first. Returns RGB, the highest row first.
pub fn mixed_colours(probabilities: &[Vec<f32>], columns: usize) -> Vec<u8> {
    let lists = probabilities
        .iter()
        .map(|values| values.chunks_exact(columns).rev().flatten().copied())
        .collect();
    by_cell(lists).flat_map(|cell| mixed(&cell)).collect()
}

/// Mixes the colours for one cell, with one probability per class.
fn mixed(probabilities: &[f32]) -> Colour {
    let highest = probabilities.iter().copied().fold(0.0, f32::max);
    let even = 1.0 / probabilities.len() as f32;
    let certainty = if even < 1.0 { (highest - even) / (1.0 - even) } else { 1.0 };
    let strength = UNDECIDED + (CERTAIN - UNDECIDED) * certainty.clamp(0.0, 1.0);
    let mut darkness = [0.0; 3];
    for (class, probability) in probabilities.iter().enumerate() {
        for (sum, part) in darkness.iter_mut().zip(colour(class)) {
            *sum += probability * (255.0 - f32::from(part));
        }
    }
    darkness.map(|sum| (255.5 - strength * sum) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_have_the_colour_of_their_class_the_highest_row_first() {
        let pixels = mixed_colours(&[vec![1.0, 0.5, 0.0], vec![0.0, 0.5, 1.0]], 1);
        let [above, between, below] = [0, 3, 6].map(|at| &pixels[at..at + 3]);
        // The first class is blue, the second orange.
        assert!(above[0] > above[2] && below[2] > below[0], "{above:?} {below:?}");
        assert!(between.iter().all(|part| *part > 230), "{between:?}");
    }
}
