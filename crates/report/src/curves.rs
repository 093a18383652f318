use artifacts::{EpochMetrics, RunDir};

use crate::chart::{Chart, Curve, Frame, Line, Scale, legend};
use crate::error::ReportError;
use crate::output::write_picture;
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
    let mut svg = Svg::new(SIZE, title);
    svg.text([PANELS[0][0], 32.0], 16.0, Anchor::Start, &fitted(title, 16.0, 660.0));
    let charts = [
        Chart::over_epochs("loss", "Loss", Scale::Free, lines_of(rows, LOSS)),
        Chart::over_epochs("accuracy", "Accuracy (%)", Scale::Percent, lines_of(rows, ACCURACY)),
    ];
    let [losses, _] = &charts;
    let is_named = |line: &&Line| line.name == NAMES[0] || !line.points.is_empty();
    let named: Vec<&Line> = losses.lines.iter().filter(is_named).collect();
    legend(&named, [PANELS[1][1], 32.0], &mut svg);
    for (chart, across) in charts.iter().zip(PANELS) {
        chart.draw(Frame { across, height: HEIGHT }, &mut svg);
    }
    svg.finish()
}

/// The curves of a metric on the training and the validation set.
pub fn lines_of(rows: &[EpochMetrics], metric: Metric) -> Vec<Line> {
    let lines = NAMES.into_iter().zip(metric).enumerate();
    lines.map(|(index, (name, value))| Line::new(name, curve(rows, value), index)).collect()
}

/// Returns the values of a column, without missing ones.
pub fn curve(rows: &[EpochMetrics], value: impl Fn(&EpochMetrics) -> Option<f64>) -> Curve {
    rows.iter().filter_map(|row| Some([row.epoch as f64, value(row)?])).collect()
}

#[cfg(test)]
mod tests;
