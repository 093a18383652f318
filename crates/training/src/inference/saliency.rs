use std::ops::Range;

use artifacts::Saliency;
use burn::tensor::Device;
use data::Examples;

use super::log_probabilities;
use crate::error::RunError;
use crate::model::Classifier;

/// Number of rows and columns of the grid.
const CELLS: usize = 8;

/// Number of images that a [`saliency`] evaluates.
pub const OCCLUDED: usize = CELLS * CELLS;

/// By how much a square of the mean colour, twice as wide as a cell of the grid, lowers the
/// `probability` of `class` for an image.
pub fn saliency(
    classifier: &Classifier,
    device: &Device,
    pixels: &[u8],
    shape: [usize; 3],
    (class, probability): (usize, f32),
) -> Result<Saliency, RunError> {
    let [height, width, channels] = shape;
    let sum =
        |channel| pixels.iter().skip(channel).step_by(channels).map(|&it| u64::from(it)).sum();
    let mean = |sum: u64| (sum / (height * width) as u64) as u8;
    let grey: Vec<u8> = (0..channels).map(sum).map(mean).collect();
    let occluded = |cell| {
        let (rows, columns) = (square(cell / CELLS, height), square(cell % CELLS, width));
        let pixels = pixels.chunks_exact(channels).enumerate().flat_map(|(at, pixel)| {
            let is_hidden = rows.contains(&(at / width)) && columns.contains(&(at % width));
            if is_hidden { grey.as_slice() } else { pixel }
        });
        pixels.copied().collect::<Vec<_>>()
    };
    let images = (0..OCCLUDED).flat_map(occluded).collect();
    let images = Examples::images(shape, images, vec![0; OCCLUDED]);
    let mut values = Vec::with_capacity(OCCLUDED);
    classifier.evaluate(&images, device, |_, logits| {
        let rows = log_probabilities(classifier, logits);
        values.extend(rows.iter().filter_map(|row| Some(probability - row.get(class)?.exp())));
    })?;
    Ok(Saliency { columns: CELLS, values })
}

/// The rows or columns, of `length`, of the square around a cell.
fn square(cell: usize, length: usize) -> Range<usize> {
    let start = (2 * cell).saturating_sub(1) * length / (2 * CELLS);
    start..((2 * cell + 3) * length).div_ceil(2 * CELLS)
}

#[cfg(test)]
mod tests {
    use burn::tensor::FloatDType;
    use data::Statistics;
    use models::{MlpConfig, ModelConfig};

    use super::*;
    use crate::model::{ClassifierConfig, ObjectiveConfig};

    #[test]
    fn only_squares_that_change_the_image_change_the_probability() {
        let shape = [16, 20, 1];
        let model = ModelConfig::Mlp(MlpConfig { hidden: vec![8], ..MlpConfig::default() });
        let objective = ObjectiveConfig::default();
        let config = ClassifierConfig {
            model: &model,
            objective: &objective,
            mirrored: false,
            seed: 1,
            shape,
            classes: 3,
        };
        let statistics = Statistics { shift: vec![100.0], scale: vec![50.0] };
        let device = Device::default();
        let classifier = config.init(&statistics, FloatDType::F32, &device).unwrap();
        let drops = |pixels: &[u8]| {
            let image = Examples::images(shape, pixels.to_vec(), vec![0]);
            let logits = classifier.logits(&image, &[0], &device).unwrap();
            let probability = log_probabilities(&classifier, logits)[0][0].exp();
            saliency(&classifier, &device, pixels, shape, (0, probability)).unwrap().values
        };
        // The mean of nearly black pixels rounds to black.
        let mut pixels = vec![0; 16 * 20];
        assert!(drops(&pixels).iter().all(|drop| drop.abs() < 1e-6));
        pixels[20 * 9 + 11] = 250;
        for (cell, drop) in drops(&pixels).into_iter().enumerate() {
            // Around cell (4, 4), or half a cell above and below.
            let is_near = (3..=5).contains(&(cell / 8)) && (3..=5).contains(&(cell % 8));
            assert!(is_near || drop.abs() < 1e-6, "{cell}: {drop}");
            assert!(cell != 8 * 4 + 4 || drop.abs() > 1e-5, "{drop}");
        }
    }
}
