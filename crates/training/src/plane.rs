use dataset::{DatasetError, Examples, Split};

use crate::environment::Environment;
use crate::error::RunError;
use crate::evaluation::log_probabilities_of;
use crate::run_dir::RunDir;
use crate::session::EVALUATION_BATCH;
use crate::trained::Trained;

/// What a model of two features says all over the plane of its data.
#[derive(Debug, Clone, PartialEq)]
pub struct Plane {
    /// The first and the last value of the first feature.
    pub x: [f64; 2],
    /// The first and the last value of the second feature.
    pub y: [f64; 2],
    /// The cells of the grid along the first feature.
    pub columns: usize,
    /// The cells of the grid along the second feature.
    pub rows: usize,
    /// One list a class: its probability at the centre of each cell, `[rows * columns]`,
    /// row-major, the lowest second feature first.
    pub probabilities: Vec<Vec<f32>>,
    /// The names of the classes.
    pub classes: Vec<String>,
    /// What the model was trained on.
    pub train: Examples,
    /// What it is tested on.
    pub test: Examples,
}

/// The cells of the grid along either feature.
const CELLS: usize = 200;

/// The share of the range of the points that is shown beyond them, on each side.
const MARGIN: f64 = 0.08;

impl Plane {
    /// What the model of `run` says over the plane of its data, on `device`, or else the best one;
    /// `None` if there is no such plane. Nothing is loaded to find that the data are images.
    pub fn of(run: &RunDir, device: Option<&str>) -> Result<Option<Self>, RunError> {
        let data = Environment::read(run)?.data;
        match data.are_images || data.shape[2] != 2 {
            true => Ok(None),
            false => Trained::open(run.path(), device)?.plane(),
        }
    }
}

impl Trained {
    /// What the model says over the plane of its data, which must be as they were; `None` if they
    /// are too large to be drawn.
    fn plane(&self) -> Result<Option<Plane>, RunError> {
        let data = self.load()?;
        let (x, y) = (range(&data, 0)?, range(&data, 1)?);
        if !x.iter().chain(&y).all(|end| (*end as f32).is_finite()) {
            return Ok(None);
        }
        let grid = Examples::features(2, centres(x, y), vec![0; CELLS * CELLS]);
        let plane = Plane {
            x,
            y,
            columns: CELLS,
            rows: CELLS,
            probabilities: self.probabilities(&grid)?,
            classes: data.classes,
            train: data.train,
            test: data.test,
        };
        Ok(Some(plane))
    }

    /// One list a class, with a probability for each of `examples`.
    fn probabilities(&self, examples: &Examples) -> Result<Vec<Vec<f32>>, DatasetError> {
        let order: Vec<usize> = (0..examples.len()).collect();
        let mut lists = vec![Vec::with_capacity(order.len()); self.data().classes.len()];
        for items in order.chunks(EVALUATION_BATCH) {
            for row in log_probabilities_of(self.classifier(), examples, items, self.device())? {
                lists.iter_mut().zip(row).for_each(|(list, log)| list.push(log.exp()));
            }
        }
        Ok(lists)
    }
}

/// The range of one of two features, with a margin.
fn range(data: &Split, feature: usize) -> Result<[f64; 2], DatasetError> {
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for examples in [&data.train, &data.test] {
        let all: Vec<usize> = (0..examples.len()).collect();
        for value in examples.gather(&all)?.into_iter().skip(feature).step_by(2).map(f64::from) {
            (low, high) = (low.min(value), high.max(value));
        }
    }
    // A feature that never changes still needs a width to be drawn.
    let margin = (MARGIN * (high - low)).max(1e-3 * high.abs().max(low.abs())).max(1e-3);
    Ok([low - margin, high + margin])
}

/// The centres of all cells, `[rows * columns, 2]`.
fn centres(x: [f64; 2], y: [f64; 2]) -> Vec<f32> {
    let centre = |[low, high]: [f64; 2], cell: usize| {
        (low + (high - low) * (cell as f64 + 0.5) / CELLS as f64) as f32
    };
    let cells = (0..CELLS).flat_map(|row| (0..CELLS).map(move |column| (row, column)));
    cells.flat_map(|(row, column)| [centre(x, column), centre(y, row)]).collect()
}
