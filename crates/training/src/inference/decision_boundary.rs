use artifacts::{BoundaryPoint, DecisionBoundary};
use burn::tensor::Device;
use data::{DatasetError, Examples, Split};

use super::log_probabilities;
use crate::model::Classifier;

/// Grid cells along each feature.
const CELLS: usize = 200;

/// Margin around the points on each side, as a share of their range.
const MARGIN: f64 = 0.08;

/// Largest number of points of a split.
const MAX_POINTS: usize = 4000;

/// Class probabilities of `classifier` over the plane of `data`, which have two features; `None` if
/// their values are too large to be plotted.
pub fn decision_boundary(
    classifier: &Classifier,
    data: &Split,
    device: &Device,
) -> Result<Option<DecisionBoundary>, DatasetError> {
    let (x, y) = (range(data, 0)?, range(data, 1)?);
    if !x.iter().chain(&y).all(|end| (*end as f32).is_finite()) {
        return Ok(None);
    }
    let grid = Examples::features(2, cell_centers(x, y), vec![0; CELLS * CELLS]);
    let mut probabilities = vec![Vec::with_capacity(grid.len()); data.classes.len()];
    classifier.evaluate(&grid, device, |_, logits| {
        for row in log_probabilities(classifier, logits) {
            probabilities.iter_mut().zip(row).for_each(|(class, log)| class.push(log.exp()));
        }
    })?;
    Ok(Some(DecisionBoundary {
        x,
        y,
        columns: CELLS,
        rows: CELLS,
        probabilities,
        classes: data.classes.clone(),
        train: points(&data.train)?,
        test: data.test.as_ref().map_or(Ok(Vec::new()), points)?,
    }))
}

/// The range of one of two features, with a margin.
fn range(data: &Split, feature: usize) -> Result<[f64; 2], DatasetError> {
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for examples in [Some(&data.train), data.test.as_ref()].into_iter().flatten() {
        let all: Vec<usize> = (0..examples.len()).collect();
        for value in examples.gather(&all)?.into_iter().skip(feature).step_by(2).map(f64::from) {
            (low, high) = (low.min(value), high.max(value));
        }
    }
    // A constant feature needs a range too.
    let margin = (MARGIN * (high - low)).max(1e-3 * high.abs().max(low.abs())).max(1e-3);
    Ok([low - margin, high + margin])
}

/// Centers of all cells, `[rows * columns, 2]`.
fn cell_centers(x: [f64; 2], y: [f64; 2]) -> Vec<f32> {
    fn center([low, high]: [f64; 2], cell: usize) -> f32 {
        (low + (high - low) * (cell as f64 + 0.5) / CELLS as f64) as f32
    }
    let cells = (0..CELLS).flat_map(|row| (0..CELLS).map(move |column| (row, column)));
    cells.flat_map(|(row, column)| [center(x, column), center(y, row)]).collect()
}

/// The points of `examples`, thinned out to at most [`MAX_POINTS`].
fn points(examples: &Examples) -> Result<Vec<BoundaryPoint>, DatasetError> {
    let step = examples.len().div_ceil(MAX_POINTS).max(1);
    let items: Vec<usize> = (0..examples.len()).step_by(step).collect();
    let features = examples.gather(&items)?;
    let (pairs, _) = features.as_chunks::<2>();
    let labelled = pairs.iter().zip(examples.labels_at(&items));
    Ok(labelled.map(|(&at, class)| BoundaryPoint { at, class }).collect())
}
