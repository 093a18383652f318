use std::fs;
use std::path::Path;

use serde::Deserialize;

use crate::error::ReportError;
use crate::output::write_picture;
use crate::panel::{Curve, Frame, Panel, free_axis, legend, percent_axis};
use crate::svg::{Anchor, Svg, fitted};

/// What is drawn of a line of the metrics; all but the epoch may be missing.
#[derive(Debug, Deserialize)]
pub struct Row {
    pub epoch: u32,
    pub learning_rate: Option<f64>,
    pub train_loss: Option<f64>,
    pub train_accuracy: Option<f64>,
    pub validation_loss: Option<f64>,
    pub validation_accuracy: Option<f64>,
}

/// Width and height of the picture, in pixels.
const SIZE: [f64; 2] = [948.0, 360.0];
/// Left and right end of the two panels.
const PANELS: [[f64; 2]; 2] = [[62.0, 452.0], [530.0, 920.0]];
/// Lower and upper end of the panels.
const HEIGHT: [f64; 2] = [308.0, 80.0];
/// The names of the curves of a panel.
const NAMES: [&str; 2] = ["train", "validation"];

/// Reads the metrics of a run (JSON Lines) and draws the curves of loss and accuracy to
/// `<stem>.svg` and `<stem>.png`.
pub fn draw_curves(metrics: &Path, title: &str, stem: &Path) -> Result<(), ReportError> {
    write_picture(&compose(&read(metrics)?, title), stem)
}

/// The rows of a file of JSON Lines by ascending epoch.
pub fn read(path: &Path) -> Result<Vec<Row>, ReportError> {
    let text = fs::read_to_string(path).map_err(|error| ReportError::read(path, error))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let row = |(index, line)| {
        serde_json::from_str(line).map_err(|source| ReportError::Malformed {
            path: path.to_owned(),
            line: index + 1,
            source,
        })
    };
    let mut rows: Vec<Row> = lines.map(row).collect::<Result<_, _>>()?;
    rows.sort_by_key(|row| row.epoch);
    Ok(rows)
}

fn compose(rows: &[Row], title: &str) -> String {
    let (losses, accuracies) = (losses(rows), accuracies(rows));
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

/// The losses in training and in validation.
pub fn losses(rows: &[Row]) -> [(&'static str, Curve); 2] {
    let [train, validation] = NAMES;
    [
        (train, curve(rows, |row| row.train_loss)),
        (validation, curve(rows, |row| row.validation_loss)),
    ]
}

/// The accuracies in training and in validation, in percent.
pub fn accuracies(rows: &[Row]) -> [(&'static str, Curve); 2] {
    let [train, validation] = NAMES;
    let percent = |share: Option<f64>| share.map(|share| 100.0 * share);
    [
        (train, curve(rows, |row| percent(row.train_accuracy))),
        (validation, curve(rows, |row| percent(row.validation_accuracy))),
    ]
}

/// The first and the last epoch.
pub fn epochs(rows: &[Row]) -> Option<[f64; 2]> {
    let ends = rows.first().zip(rows.last());
    ends.map(|(first, last)| [first.epoch, last.epoch].map(f64::from))
}

/// The values of a column, without those that are missing.
pub fn curve(rows: &[Row], value: impl Fn(&Row) -> Option<f64>) -> Curve {
    let point = |row| value(row).map(|value| [f64::from(row.epoch), value]);
    rows.iter().filter_map(point).collect()
}

#[cfg(test)]
mod tests;
