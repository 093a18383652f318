use std::fs;
use std::path::Path;

use serde::Deserialize;

use crate::axis::Axis;
use crate::error::ReportError;
use crate::output::write_picture;
use crate::palette::{Colour, INK, colour, hexadecimal};
use crate::svg::{Anchor, Place, Svg, fitted};

/// What is drawn of a line of the metrics; a loss or an accuracy may be missing.
#[derive(Debug, Deserialize)]
struct Row {
    epoch: u32,
    train_loss: Option<f64>,
    train_accuracy: Option<f64>,
    validation_loss: Option<f64>,
    validation_accuracy: Option<f64>,
}

/// The epochs and values of a curve, ascending.
type Curve = Vec<[f64; 2]>;

/// Width and height of the picture, in pixels.
const SIZE: [f64; 2] = [948.0, 360.0];
/// Left and right end of the two panels.
const PANELS: [[f64; 2]; 2] = [[62.0, 452.0], [530.0, 920.0]];
/// Lower and upper end of the panels.
const HEIGHT: [f64; 2] = [308.0, 80.0];
/// A curve with fewer values shows each as a dot.
const FEW: usize = 25;
/// A curve with more shows their mean and their range over every pixel.
const MANY: usize = 1000;
/// The names of the curves of a panel.
const NAMES: [&str; 2] = ["train", "validation"];

/// Reads the metrics of a run (JSON Lines) and draws the curves of loss and accuracy to
/// `<stem>.svg` and `<stem>.png`.
pub fn draw_curves(metrics: &Path, title: &str, stem: &Path) -> Result<(), ReportError> {
    write_picture(&compose(&read(metrics)?, title), stem)
}

/// The rows of a file by ascending epoch.
fn read(path: &Path) -> Result<Vec<Row>, ReportError> {
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
    let losses = [|row: &Row| row.train_loss, |row: &Row| row.validation_loss];
    let accuracies = [
        |row: &Row| row.train_accuracy.map(|share| 100.0 * share),
        |row: &Row| row.validation_accuracy.map(|share| 100.0 * share),
    ];
    let [losses, accuracies] =
        [losses.map(|value| curve(rows, value)), accuracies.map(|value| curve(rows, value))];
    let mut svg = Svg::new(SIZE, title);
    svg.text([PANELS[0][0], 32.0], 16.0, Anchor::Start, &fitted(title, 16.0, 660.0));
    legend(!losses[1].is_empty() || !accuracies[1].is_empty(), &mut svg);
    panel("Loss", PANELS[0], &losses, loss_axis, rows, &mut svg);
    panel("Accuracy (%)", PANELS[1], &accuracies, percent_axis, rows, &mut svg);
    svg.finish()
}

/// The values of a column, without those that are missing.
fn curve(rows: &[Row], value: impl Fn(&Row) -> Option<f64>) -> Curve {
    let point = |row| value(row).map(|value| [f64::from(row.epoch), value]);
    rows.iter().filter_map(point).collect()
}

fn legend(validated: bool, svg: &mut Svg) {
    let left = PANELS[1][1] - if validated { 166.0 } else { 60.0 };
    for (index, name) in NAMES.iter().take(1 + usize::from(validated)).enumerate() {
        let left = left + 78.0 * index as f64;
        svg.line([left, 28.0], [left + 22.0, 28.0], colour(index), 2.2);
        svg.text([left + 28.0, 32.0], 12.0, Anchor::Start, name);
    }
}

/// Draws a train and a validation curve over the epochs between two places across.
fn panel(
    heading: &str,
    across: [f64; 2],
    curves: &[Curve; 2],
    axis: impl Fn(&[Curve; 2]) -> Axis,
    rows: &[Row],
    svg: &mut Svg,
) {
    let centre = (across[0] + across[1]) / 2.0;
    let longest = curves.iter().map(Vec::len).max().unwrap_or(0);
    svg.text([centre, HEIGHT[0] + 38.0], 12.0, Anchor::Middle, &below(longest));
    let epochs = rows.first().zip(rows.last());
    let Some((first, last)) = epochs.filter(|_| curves.iter().any(|curve| !curve.is_empty()))
    else {
        let note = if rows.is_empty() { "no epoch yet" } else { "no value yet" };
        svg.text([across[0], HEIGHT[1] - 12.0], 13.0, Anchor::Start, heading);
        svg.line([across[0], HEIGHT[0]], [across[1], HEIGHT[0]], INK, 0.8);
        svg.line([across[0], HEIGHT[0]], [across[0], HEIGHT[1]], INK, 0.8);
        return svg.text([centre, (HEIGHT[0] + HEIGHT[1]) / 2.0], 13.0, Anchor::Middle, note);
    };
    let epochs = Axis::exact([first.epoch, last.epoch].map(f64::from), across, 6.0, 1.0);
    let values = axis(curves);
    let scale = if values.is_logarithmic() { " (logarithmic)" } else { "" };
    svg.text([across[0], HEIGHT[1] - 12.0], 13.0, Anchor::Start, &format!("{heading}{scale}"));
    epochs.draw_with(&values, svg);
    for (index, (curve, name)) in curves.iter().zip(NAMES).enumerate() {
        if !curve.is_empty() {
            stroke(curve, name, colour(index), [&epochs, &values], svg);
        }
    }
}

/// What stands below a panel whose longest curve has so many values.
fn below(values: usize) -> String {
    let pixels = PANELS[0][1] - PANELS[0][0];
    match values > MANY {
        true => {
            format!("epoch (line: mean of {:.0} values, band: their range)", values as f64 / pixels)
        }
        false => "epoch".to_owned(),
    }
}

/// Logarithmic if the positive losses span more than two decades.
fn loss_axis(curves: &[Curve; 2]) -> Axis {
    let [low, high] = range(curves.iter().flatten(), |value| value > 0.0);
    match high > 100.0 * low {
        true => Axis::logarithmic([low, high], HEIGHT),
        false => Axis::rounded(range(curves.iter().flatten(), |_| true), f64::INFINITY, HEIGHT),
    }
}

fn percent_axis(curves: &[Curve; 2]) -> Axis {
    let [low, high] = range(curves.iter().flatten(), |_| true);
    Axis::rounded([low, high], high.max(100.0), HEIGHT)
}

/// The lowest and the highest of the values that count.
fn range<'a>(
    points: impl IntoIterator<Item = &'a [f64; 2]>,
    counts: impl Fn(f64) -> bool,
) -> [f64; 2] {
    let values = points.into_iter().map(|[_, value]| *value).filter(|value| counts(*value));
    values.fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], value| {
        [low.min(value), high.max(value)]
    })
}

/// Draws a curve: with dots where its values are few, as mean and range where they are many.
fn stroke(
    curve: &[[f64; 2]],
    name: &str,
    colour: Colour,
    [epochs, values]: [&Axis; 2],
    svg: &mut Svg,
) {
    let colour = hexadecimal(colour);
    let place = |[epoch, value]: [f64; 2]| [epochs.place(epoch), values.place(value)];
    let mut line: Vec<Place> = curve.iter().copied().map(place).collect();
    if curve.len() > MANY {
        let pixels = pixels(curve, epochs);
        let low = pixels.iter().map(|pixel| [pixel.mean[0], pixel.range[0]]);
        let high = pixels.iter().map(|pixel| [pixel.mean[0], pixel.range[1]]);
        let band = joined(low.chain(high.rev()).map(place));
        svg.element(format_args!(
            r#"<polygon class="{name}" points="{band}" fill="{colour}" fill-opacity="0.25"/>"#
        ));
        line = pixels.iter().map(|pixel| place(pixel.mean)).collect();
    }
    if line.len() > 1 {
        svg.element(format_args!(
            r#"<polyline class="{name}" points="{}" fill="none" stroke="{colour}" stroke-width="1.6" stroke-linejoin="round" stroke-linecap="round"/>"#,
            joined(line.iter().copied())
        ));
    }
    for [x, y] in line.iter().filter(|_| line.len() < FEW) {
        svg.element(format_args!(r#"<circle cx="{x:.2}" cy="{y:.2}" r="2.6" fill="{colour}"/>"#));
    }
}

fn joined(places: impl Iterator<Item = Place>) -> String {
    let places: Vec<String> = places.map(|[x, y]| format!("{x:.2},{y:.2}")).collect();
    places.join(" ")
}

/// The part of a curve over one pixel.
struct Pixel {
    /// The means of its epochs and its values.
    mean: [f64; 2],
    /// Its lowest and its highest value.
    range: [f64; 2],
}

/// The parts of a curve over the pixels that it is over.
fn pixels(curve: &[[f64; 2]], epochs: &Axis) -> Vec<Pixel> {
    // The first epoch lies on the edge, and belongs to the pixel after it.
    let column = |[epoch, _]: &[f64; 2]| epochs.place(*epoch).ceil().max(epochs.begin() + 1.0);
    let parts = curve.chunk_by(|one, other| column(one) == column(other));
    let pixel = |part: &[[f64; 2]]| {
        let epochs: f64 = part.iter().map(|[epoch, _]| epoch).sum();
        let values: f64 = part.iter().map(|[_, value]| value).sum();
        let mean = [epochs, values].map(|sum| sum / part.len() as f64);
        Pixel { mean, range: range(part, |_| true) }
    };
    parts.map(pixel).collect()
}

#[cfg(test)]
mod tests;
