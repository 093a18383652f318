//! Plots of learning rate range tests.

use std::path::Path;

use crate::axis::Axis;
use crate::chart::{Curve, Line, range};
use crate::error::ReportError;
use crate::output::write_picture;
use crate::svg::{Anchor, Svg, colour, fitted, hexadecimal};

/// Curves of a learning rate range test.
#[derive(Debug)]
pub struct LrCurves<'a> {
    /// Learning rates, ascending.
    pub rates: &'a [f64],
    /// Loss at each rate.
    pub losses: &'a [f64],
    /// Smoothed loss at each rate.
    pub smoothed: &'a [f64],
    /// Suggested initial learning rate.
    pub suggestion: Option<f64>,
}

const SIZE: [f64; 2] = [560.0, 360.0];
const ACROSS: [f64; 2] = [62.0, 530.0];
const HEIGHT: [f64; 2] = [308.0, 64.0];

/// Draws the loss over the learning rate to `<stem>.svg`.
pub fn draw_lr_range_test(curves: &LrCurves, title: &str, stem: &Path) -> Result<(), ReportError> {
    let mut svg = Svg::new(SIZE, title);
    svg.text([ACROSS[0], 28.0], 16.0, Anchor::Start, &fitted(title, 16.0, 460.0));
    svg.text([ACROSS[0], 52.0], 13.0, Anchor::Start, "Loss (dots), smoothed (line)");
    let centre = (ACROSS[0] + ACROSS[1]) / 2.0;
    svg.text([centre, HEIGHT[0] + 38.0], 12.0, Anchor::Middle, "learning rate");
    if let Some((first, last)) =
        curves.rates.first().zip(curves.rates.last()).filter(|(a, b)| a < b)
    {
        let x = Axis::logarithmic([*first, *last], ACROSS);
        draw(curves, &x, &mut svg);
    }
    write_picture(&svg.finish(), stem)
}

fn draw(curves: &LrCurves, x: &Axis, svg: &mut Svg) {
    let paired = |values: &[f64]| -> Curve {
        curves.rates.iter().zip(values).map(|(rate, value)| [*rate, *value]).collect()
    };
    let (losses, smoothed) = (paired(curves.losses), paired(curves.smoothed));
    // The divergence at the end would flatten the rest.
    let [low, high] = range(curves.smoothed.iter().copied());
    let first = curves.smoothed.first().copied().unwrap_or(high);
    let y = Axis::rounded([low, high.min(1.5 * first)], f64::INFINITY, HEIGHT);
    x.draw_with(&y, svg);
    let dot = hexadecimal(colour(5));
    for [rate, loss] in losses {
        let (cx, cy) = (x.position(rate), y.position(loss));
        svg.element(format_args!(r#"<circle cx="{cx:.1}" cy="{cy:.1}" r="1.8" fill="{dot}"/>"#));
    }
    Line::new("smoothed", smoothed, 0).draw([x, &y], svg);
    if let Some(rate) = curves.suggestion {
        let at = x.position(rate);
        svg.line([at, HEIGHT[0]], [at, HEIGHT[1]], colour(1), 1.6);
        svg.text([at + 6.0, HEIGHT[1] + 12.0], 12.0, Anchor::Start, &format!("{rate:.1e}"));
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_suggestion_is_drawn_at_its_learning_rate() {
        let folder = tempfile::TempDir::new().unwrap();
        let stem = folder.path().join("search");
        let curves = LrCurves {
            rates: &[1e-4, 1e-3, 1e-2],
            losses: &[1.0, 0.5, 2.0],
            smoothed: &[1.0, 0.6, 0.9],
            suggestion: Some(1e-3),
        };
        draw_lr_range_test(&curves, "a search", &stem).unwrap();
        let svg = fs::read_to_string(stem.with_extension("svg")).unwrap();
        assert!(svg.contains("M296.0 308.0L296.0 64.0") && svg.contains("1.0e-3"), "{svg}");
        let nothing = LrCurves { rates: &[], losses: &[], smoothed: &[], suggestion: None };
        draw_lr_range_test(&nothing, "nothing", &stem).unwrap();
    }
}
