//! The plots of a report, each a picture of its own.

use std::path::Path;

use artifacts::{CalibrationBins, ClassCurves, EpochTiming};

use crate::axis::Axis;
use crate::chart::{Chart, Curve, FRAME, Line, SIZE, Scale, Style};
use crate::confusion::confusion;
use crate::curves::{ACCURACY, LOSS, curve, lines_of};
use crate::error::ReportError;
use crate::inputs::RunData;
use crate::output::write_picture;
use crate::svg::{Anchor, INK, PALETTE, Svg, colour, hexadecimal};

/// A picture that is no chart of lines, with the name of its file.
pub struct Plot {
    pub name: &'static str,
    pub svg: String,
}

/// The charts over the epochs that have values; loss and accuracy always.
pub fn curves(run: &RunData) -> Vec<Chart> {
    let others = others(run).into_iter().filter(Chart::has_values);
    [loss(run), accuracy(run)].into_iter().chain(others).collect()
}

fn loss(run: &RunData) -> Chart {
    let mut lines = lines_of(&run.epochs, LOSS);
    let steps = Line::new("steps", step_losses(run), 0);
    lines.push(Line { style: Style::Pale, ..steps });
    lines.retain(|line| !line.points.is_empty());
    Chart::over_epochs("loss", "Loss", Scale::Free, lines)
}

fn accuracy(run: &RunData) -> Chart {
    let rows = &run.epochs;
    let mut lines = lines_of(rows, ACCURACY);
    let more = [
        ("macro F1", curve(rows, |row| Some(100.0 * row.validation_macro_f1?))),
        ("balanced accuracy", curve(rows, |row| Some(100.0 * row.validation_balanced_accuracy?))),
        ("top 5", curve(rows, |row| Some(100.0 * row.validation_top_5?))),
    ];
    for (name, points) in more {
        let line = Line::new(name, points, lines.len());
        lines.push(Line { style: Style::Hidden, ..line });
    }
    lines.retain(|line| !line.points.is_empty());
    Chart::over_epochs("accuracy", "Accuracy (%)", Scale::Percent, lines)
}

fn others(run: &RunData) -> Vec<Chart> {
    let (rows, timings) = (&run.epochs, &run.timings);
    let speed =
        if run.environment.data.are_images { "Images per second" } else { "Examples per second" };
    let charts = [
        (
            "learning_rate",
            "Learning rate",
            Scale::Decades,
            curve(rows, |row| Some(row.learning_rate)),
        ),
        ("gradient_norm", "Gradient norm", Scale::Free, curve(rows, |row| row.gradient_norm)),
        ("throughput", speed, Scale::Free, timed(timings, throughput)),
        ("processor", "Processor use (cores)", Scale::Free, timed(timings, processor_use)),
        (
            "memory",
            "Peak memory (MB)",
            Scale::Free,
            timed(timings, |row| Some(row.peak_memory? as f64 / 1e6)),
        ),
    ];
    let chart = |(name, heading, scale, points)| {
        Chart::over_epochs(name, heading, scale, vec![Line::new(heading, points, 0)])
    };
    charts.map(chart).into()
}

/// The losses of steps, or of groups of steps, at their share of an epoch.
fn step_losses(run: &RunData) -> Curve {
    let mut points = Curve::new();
    let mut before = 0.0;
    for row in &run.epochs {
        let (count, end) = (row.step_losses.len() as f64, row.epoch as f64);
        let at = |index: usize| before + (end - before) * (index as f64 + 1.0) / count;
        points.extend(row.step_losses.iter().enumerate().map(|(index, loss)| [at(index), *loss]));
        before = end;
    }
    points
}

/// A quantity of timed epochs. Only the last run of a repeated epoch counts.
fn timed(timings: &[EpochTiming], value: impl Fn(&EpochTiming) -> Option<f64>) -> Curve {
    let mut curve = Curve::new();
    for timing in timings.iter().filter(|timing| timing.seconds > 0.0) {
        let epoch = timing.epoch as f64;
        while curve.pop_if(|[last, _]| *last >= epoch).is_some() {}
        curve.extend(value(timing).map(|value| [epoch, value]));
    }
    curve
}

fn throughput(timing: &EpochTiming) -> Option<f64> {
    Some(timing.examples as f64 / timing.seconds)
}

/// Number of cores that were busy on average.
fn processor_use(timing: &EpochTiming) -> Option<f64> {
    let wall = timing.seconds + timing.phases.evaluation + timing.phases.checkpoint;
    Some(timing.processor_seconds? / wall)
}

/// The ROC and precision-recall curves, if there are any.
pub fn class_curves(run: &RunData) -> Vec<Chart> {
    let Some(predictions) = &run.predictions else { return Vec::new() };
    let charts =
        [of_classes(run, &predictions.curves, true), of_classes(run, &predictions.curves, false)];
    charts.into_iter().filter(Chart::has_values).collect()
}

/// Number of classes whose curves are drawn at first.
const DRAWN: usize = 6;

/// The curves of all classes, those with the worst scores first; a few of them are drawn at first.
fn of_classes(run: &RunData, curves: &[ClassCurves], is_roc: bool) -> Chart {
    let (name, heading, x) = if is_roc {
        ("roc", "ROC: true positive rate (%)", "false positive rate")
    } else {
        ("precision_recall", "Precision (%) by recall", "recall")
    };
    let score =
        |curves: &ClassCurves| if is_roc { curves.roc_auc } else { curves.average_precision };
    let mut classes: Vec<_> = run.environment.data.classes.iter().zip(curves).collect();
    classes.sort_by(|(_, one), (_, other)| {
        score(one).unwrap_or(1.0).total_cmp(&score(other).unwrap_or(1.0))
    });
    let lines = classes.into_iter().enumerate().map(|(index, (class, curves))| {
        let points = if is_roc { &curves.roc } else { &curves.precision_recall };
        let style = if index < DRAWN { Style::Plain } else { Style::Hidden };
        Line { style, ..Line::new(class, on_grid(points, is_roc), index % PALETTE.len()) }
    });
    let lines = lines.filter(|line| !line.points.is_empty()).collect();
    Chart { name, heading: heading.to_owned(), x, lines, scale: Scale::Percent, marks: Vec::new() }
}

/// Number of intervals of the grid.
const GRID: usize = 50;

/// The curve in percent at equal distances of its abscissa, so that those of all classes can be read at
/// the same place: the largest true positive rate up to it, or the largest precision from it on.
fn on_grid(points: &[[f64; 2]], is_roc: bool) -> Curve {
    if points.is_empty() {
        return Curve::new();
    }
    let value = |at: f64| {
        let reached =
            points.iter().filter(|[x, _]| if is_roc { *x <= at + 1e-9 } else { *x >= at - 1e-9 });
        reached.map(|[_, y]| *y).fold(0.0, f64::max)
    };
    let at = |index| index as f64 / GRID as f64;
    (0..=GRID).map(|index| [at(index), 100.0 * value(at(index))]).collect()
}

/// The confusion matrix, unless there are many classes, and the calibration plot, if their data are
/// available.
pub fn scores(run: &RunData) -> [Option<Plot>; 2] {
    let evaluation = run.evaluation.as_ref().filter(|_| !run.has_many_classes());
    let confusion = evaluation.map(|evaluation| Plot {
        name: "confusion",
        svg: confusion(&run.environment.data.classes, &evaluation.confusion),
    });
    let calibration = run.predictions.as_ref().map(|predictions| Plot {
        name: "calibration",
        svg: calibration(&predictions.calibration),
    });
    [confusion, calibration]
}

/// Writes each picture into the directory of the report.
pub fn write<'a>(
    pictures: impl IntoIterator<Item = (&'a str, String)>,
    directory: &Path,
) -> Result<(), ReportError> {
    let mut pictures = pictures.into_iter();
    pictures.try_for_each(|(name, svg)| write_picture(&svg, &directory.join(name)))
}

/// Draws a reliability diagram (Guo et al. 2017, arXiv:1706.04599): accuracy over confidence. The area of a dot is its share of the examples.
fn calibration(bins: &CalibrationBins) -> String {
    let mut svg = Svg::new(SIZE, "Calibration");
    let (across, height) = (FRAME.across, [FRAME.height[0], 34.0]);
    let [x, y] = [across, height].map(|pixels| Axis::exact([0.0, 100.0], pixels, 5.0, 20.0));
    x.draw_with(&y, &mut svg);
    let ends = [0.0, 100.0].map(|value| [x.position(value), y.position(value)]);
    svg.dashed(ends[0], ends[1], INK);
    let total = bins.count();
    let fill = hexadecimal(colour(0));
    for bin in bins.iter().filter(|bin| bin.count > 0) {
        let radius = 4.0 + 16.0 * (bin.count as f64 / total as f64).sqrt();
        let at = [x.position(100.0 * bin.confidence), y.position(100.0 * bin.accuracy)];
        svg.element(format_args!(
            r#"<circle cx="{:.1}" cy="{:.1}" r="{radius:.1}" fill="{fill}" fill-opacity="0.65"><title>{} examples: confidence {:.1} %, accuracy {:.1} %</title></circle>"#,
            at[0], at[1], bin.count, 100.0 * bin.confidence, 100.0 * bin.accuracy
        ));
    }
    let centre = (across[0] + across[1]) / 2.0;
    svg.text([centre, height[0] + 38.0], 12.0, Anchor::Middle, "confidence (%)");
    svg.text([across[0], 22.0], 13.0, Anchor::Start, "Accuracy (%) by confidence");
    svg.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_are_dots_at_their_confidence_and_accuracy() {
        let mut bins = CalibrationBins::default();
        bins.add(1.0, false);
        let svg = calibration(&bins);
        assert!(svg.contains(r#"<circle cx="446.0" cy="278.0" r="20.0""#), "{svg}");
    }

    #[test]
    fn curves_of_classes_are_read_at_the_same_abscissas() {
        let roc = [[0.0, 0.0], [0.0, 0.5], [0.3, 0.9], [1.0, 1.0]];
        let curve = on_grid(&roc, true);
        assert_eq!(
            (curve.len(), curve[0], curve[14], curve[15]),
            (51, [0.0, 50.0], [0.28, 50.0], [0.3, 90.0])
        );
        let curve = on_grid(&[[0.5, 1.0], [0.75, 0.6], [1.0, 0.7]], false);
        assert_eq!((curve[25], curve[26], curve[50]), ([0.5, 100.0], [0.52, 70.0], [1.0, 70.0]));
    }
}
