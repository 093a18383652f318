//! The plots of a report, each a separate picture.

use std::path::Path;

use artifacts::EpochTiming;

use crate::calibration::calibration;
use crate::confusion::confusion;
use crate::curves::{accuracies, curve, epochs, losses};
use crate::error::ReportError;
use crate::inputs::RunData;
use crate::output::write_picture;
use crate::panel::{Curve, Frame, Panel, free_axis, legend, percent_axis};
use crate::svg::Svg;

/// A plot with the name of its file.
pub struct Plot {
    pub name: &'static str,
    pub svg: String,
}

/// Width and height of a plot of curves, in pixels.
const SIZE: [f64; 2] = [470.0, 330.0];
const FRAME: Frame = Frame { across: [62.0, 446.0], height: [278.0, 44.0] };

/// Returns the plots of loss, accuracy, learning rate and throughput.
pub fn curves(run: &RunData) -> Vec<Plot> {
    let (rows, epochs) = (&run.epochs, epochs(&run.epochs));
    let (losses, accuracies) = (losses(rows), accuracies(rows));
    let rate = [("learning rate", curve(rows, |row| Some(row.learning_rate)))];
    let speed = [("images per second", throughput(&run.timings))];
    let speed_heading =
        if run.environment.data.are_images { "Images per second" } else { "Examples per second" };
    let panels = [
        ("loss", Panel { heading: "Loss", curves: &losses, epochs, axis: free_axis }),
        (
            "accuracy",
            Panel { heading: "Accuracy (%)", curves: &accuracies, epochs, axis: percent_axis },
        ),
        (
            "learning_rate",
            Panel { heading: "Learning rate", curves: &rate, epochs, axis: free_axis },
        ),
        ("throughput", Panel { heading: speed_heading, curves: &speed, epochs, axis: free_axis }),
    ];
    panels.into_iter().map(|(name, panel)| Plot { name, svg: single(&panel) }).collect()
}

/// Returns the confusion matrix, unless there are many classes, and the calibration plot, if their data are available.
pub fn scores(run: &RunData) -> Vec<Plot> {
    let evaluation = run.evaluation.as_ref().filter(|_| !run.has_many_classes());
    let confusion = evaluation.map(|evaluation| Plot {
        name: "confusion",
        svg: confusion(&run.environment.data.classes, &evaluation.confusion),
    });
    let calibration = run.predictions.as_ref().map(|predictions| Plot {
        name: "calibration",
        svg: calibration(&predictions.calibration),
    });
    confusion.into_iter().chain(calibration).collect()
}

/// Draws a panel as a picture.
pub fn single(panel: &Panel) -> String {
    let mut svg = Svg::new(SIZE, panel.heading);
    let filled = panel.curves.iter().enumerate().filter(|(_, (_, curve))| !curve.is_empty());
    let names: Vec<(usize, &str)> = filled.map(|(index, (name, _))| (index, *name)).collect();
    if panel.curves.len() > 1 {
        legend(&names, [FRAME.across[1], 32.0], &mut svg);
    }
    panel.draw(FRAME, &mut svg);
    svg.finish()
}

/// Writes each plot into the directory of the report.
pub fn write(plots: &[Plot], directory: &Path) -> Result<(), ReportError> {
    plots.iter().try_for_each(|plot| write_picture(&plot.svg, &directory.join(plot.name)))
}

/// Returns examples per second. Only the last run of a repeated epoch counts.
fn throughput(timings: &[EpochTiming]) -> Curve {
    let mut curve: Curve = Vec::new();
    for timing in timings.iter().filter(|timing| timing.seconds > 0.0) {
        let epoch = timing.epoch as f64;
        while curve.pop_if(|[last, _]| *last >= epoch).is_some() {}
        curve.push([epoch, timing.examples as f64 / timing.seconds]);
    }
    curve
}
