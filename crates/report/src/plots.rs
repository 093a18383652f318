//! The plots of a report, each a picture of its own.

use std::path::Path;

use crate::calibration::calibration;
use crate::confusion::confusion;
use crate::curves::{accuracies, curve, epochs, losses};
use crate::error::ReportError;
use crate::inputs::{RunData, Timing};
use crate::output::write_picture;
use crate::panel::{Curve, Frame, Panel, free_axis, legend, percent_axis};
use crate::svg::Svg;

/// A plot: the name of its files, and the SVG.
pub struct Plot {
    pub name: &'static str,
    pub svg: String,
}

/// Width and height of a plot of curves, in pixels.
const SIZE: [f64; 2] = [470.0, 330.0];
const FRAME: Frame = Frame { across: [62.0, 446.0], height: [278.0, 44.0] };

/// The plots of the metrics: loss, accuracy, learning rate and, if it is known, throughput.
pub fn curves(run: &RunData) -> Vec<Plot> {
    let (rows, epochs) = (&run.rows, epochs(&run.rows));
    let (losses, accuracies) = (losses(rows), accuracies(rows));
    let rate = [("learning rate", curve(rows, |row| row.learning_rate))];
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

/// The plots of the scores: confusion and calibration, as far as they are known.
pub fn scores(run: &RunData) -> Vec<Plot> {
    let confusion = run.evaluation.as_ref().map(|evaluation| Plot {
        name: "confusion",
        svg: confusion(&run.environment.data.classes, &evaluation.confusion),
    });
    let calibration = run
        .findings
        .as_ref()
        .map(|findings| Plot { name: "calibration", svg: calibration(&findings.calibration) });
    confusion.into_iter().chain(calibration).collect()
}

/// One picture of a panel.
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

/// Writes each plot beside the report, as SVG and PNG.
pub fn write(plots: &[Plot], directory: &Path) -> Result<(), ReportError> {
    plots.iter().try_for_each(|plot| write_picture(&plot.svg, &directory.join(plot.name)))
}

/// Examples a second. An epoch that was done again counts as it was the last time.
fn throughput(timings: &[Timing]) -> Curve {
    let mut curve: Curve = Vec::new();
    for timing in timings.iter().filter(|timing| timing.seconds > 0.0) {
        let epoch = f64::from(timing.epoch);
        while curve.pop_if(|[last, _]| *last >= epoch).is_some() {}
        curve.push([epoch, timing.examples as f64 / timing.seconds]);
    }
    curve
}
