use artifacts::{EpochMetrics, RunDir};

use crate::error::ReportError;
use crate::output::write_picture;
use crate::panel::{Curve, Frame, Panel, free_axis, legend, percent_axis};
use crate::svg::{Anchor, Svg, fitted};

/// Width and height of the picture, in pixels.
const SIZE: [f64; 2] = [948.0, 360.0];
/// Left and right end of the two panels.
const PANELS: [[f64; 2]; 2] = [[62.0, 452.0], [530.0, 920.0]];
/// Lower and upper end of the panels.
const HEIGHT: [f64; 2] = [308.0, 80.0];
/// Names of the curves of a panel.
const NAMES: [&str; 2] = ["train", "validation"];

/// Value of a metric on the training set and on the validation set.
pub type Metric = [fn(&EpochMetrics) -> Option<f64>; 2];
pub const LOSS: Metric = [|row| Some(row.train_loss), |row| row.validation_loss];
/// In percent.
pub const ACCURACY: Metric =
    [|row| Some(100.0 * row.train_accuracy), |row| Some(100.0 * row.validation_accuracy?)];

/// Draws loss and accuracy of `run` over the epochs to `curves.svg` in its directory.
pub fn draw_curves(run: &RunDir, title: &str) -> Result<(), ReportError> {
    write_picture(&compose(&EpochMetrics::read_all(run)?, title), &run.picture("curves"))
}

fn compose(rows: &[EpochMetrics], title: &str) -> String {
    let (losses, accuracies) = (curves_of(rows, LOSS), curves_of(rows, ACCURACY));
    let mut svg = Svg::new(SIZE, title);
    svg.text([PANELS[0][0], 32.0], 16.0, Anchor::Start, &fitted(title, 16.0, 660.0));
    let validated = [&losses, &accuracies].iter().any(|[_, (_, curve)]| !curve.is_empty());
    let names = NAMES.into_iter().enumerate().take(1 + usize::from(validated));
    legend(&names.collect::<Vec<_>>(), [PANELS[1][1], 32.0], &mut svg);
    let epochs = epochs(rows);
    let panels = [
        Panel { heading: "Loss", curves: &losses, epochs, axis: free_axis },
        Panel { heading: "Accuracy (%)", curves: &accuracies, epochs, axis: percent_axis },
    ];
    for (panel, across) in panels.iter().zip(PANELS) {
        panel.draw(Frame { across, height: HEIGHT }, &mut svg);
    }
    svg.finish()
}

/// Returns the curves of a metric on the training and the validation set.
pub fn curves_of(rows: &[EpochMetrics], metric: Metric) -> [(&'static str, Curve); 2] {
    let ([train, validation], [of_train, of_validation]) = (NAMES, metric);
    [(train, curve(rows, of_train)), (validation, curve(rows, of_validation))]
}

/// Returns the first and the last epoch.
pub fn epochs(rows: &[EpochMetrics]) -> Option<[f64; 2]> {
    let ends = rows.first().zip(rows.last());
    ends.map(|(first, last)| [first.epoch, last.epoch].map(|epoch| epoch as f64))
}

/// Returns the values of a column, without missing ones.
pub fn curve(rows: &[EpochMetrics], value: impl Fn(&EpochMetrics) -> Option<f64>) -> Curve {
    rows.iter().filter_map(|row| Some([row.epoch as f64, value(row)?])).collect()
}

#[cfg(test)]
mod tests;
