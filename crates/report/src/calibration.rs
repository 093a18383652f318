//! Reliability diagrams (Guo et al. 2017, arXiv:1706.04599).

use artifacts::CalibrationBins;

use crate::axis::Axis;
use crate::palette::{INK, colour, hexadecimal};
use crate::svg::{Anchor, Svg};

const SIZE: [f64; 2] = [470.0, 330.0];
const ACROSS: [f64; 2] = [62.0, 446.0];
const HEIGHT: [f64; 2] = [278.0, 34.0];

/// Draws accuracy over confidence. The area of a dot is its share of the examples.
pub fn calibration(bins: &CalibrationBins) -> String {
    let mut svg = Svg::new(SIZE, "Calibration");
    let x = Axis::exact([0.0, 100.0], ACROSS, 5.0, 20.0);
    let y = Axis::exact([0.0, 100.0], HEIGHT, 5.0, 20.0);
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
    let centre = (ACROSS[0] + ACROSS[1]) / 2.0;
    svg.text([centre, HEIGHT[0] + 38.0], 12.0, Anchor::Middle, "confidence (%)");
    svg.text([ACROSS[0], 22.0], 13.0, Anchor::Start, "Accuracy (%) by confidence");
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
