//! The plots of a report, each a separate picture.

use std::path::Path;

use artifacts::{CalibrationBins, EpochTiming};

use crate::axis::Axis;
use crate::confusion::confusion;
use crate::curves::{ACCURACY, LOSS, curve, curves_of, epochs};
use crate::error::ReportError;
use crate::inputs::RunData;
use crate::output::write_picture;
use crate::panel::{AxisOf, Curve, Frame, Panel, free_axis, legend, percent_axis};
use crate::svg::{Anchor, INK, Svg, colour, hexadecimal};

/// A plot with the name of its file.
pub struct Plot {
    pub name: &'static str,
    pub svg: String,
}

/// Width and height of a plot, in pixels.
pub const SIZE: [f64; 2] = [470.0, 330.0];
pub const FRAME: Frame = Frame { across: [62.0, 446.0], height: [278.0, 44.0] };

/// Returns the plots of loss, accuracy, learning rate and throughput.
pub fn curves(run: &RunData) -> Vec<Plot> {
    let (rows, epochs) = (&run.epochs, epochs(&run.epochs));
    let (losses, accuracies) = (curves_of(rows, LOSS), curves_of(rows, ACCURACY));
    let rate = [("learning rate", curve(rows, |row| Some(row.learning_rate)))];
    let speed = [("images per second", throughput(&run.timings))];
    let speed_heading =
        if run.environment.data.are_images { "Images per second" } else { "Examples per second" };
    let panels: [(_, _, &[_], AxisOf); 4] = [
        ("loss", "Loss", &losses, free_axis),
        ("accuracy", "Accuracy (%)", &accuracies, percent_axis),
        ("learning_rate", "Learning rate", &rate, free_axis),
        ("throughput", speed_heading, &speed, free_axis),
    ];
    let plot = |(name, heading, curves, axis)| Plot {
        name,
        svg: single(&Panel { heading, curves, epochs, axis }),
    };
    panels.into_iter().map(plot).collect()
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

/// Draws a reliability diagram (Guo et al. 2017, arXiv:1706.04599): accuracy over confidence. The area of a dot is its share of the examples.
fn calibration(bins: &CalibrationBins) -> String {
    let mut svg = Svg::new(SIZE, "Calibration");
    let (across, height) = (FRAME.across, [FRAME.height[0], 34.0]);
    let [x, y] = [across, height].map(|pixels| Axis::exact([0.0, 100.0], pixels, 5.0, 20.0));
    x.draw_with(&y, &mut svg);
    let ends = [0.0, 100.0].map(|value| [x.position(value), y.position(value)]);
    svg.element(format_args!(
        r#"<path d="M{:.1} {:.1}L{:.1} {:.1}" stroke="{}" stroke-width="1" stroke-dasharray="4 4"/>"#,
        ends[0][0], ends[0][1], ends[1][0], ends[1][1], hexadecimal(INK)
    ));
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
}
