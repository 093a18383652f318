//! The plot of a learning rate range test.

use std::path::Path;

use crate::axis::Axis;
use crate::error::ReportError;
use crate::output::write_picture;
use crate::palette::{colour, hexadecimal};
use crate::panel::{Curve, range, stroke};
use crate::svg::{Anchor, Svg, fitted};

/// A learning rate range test.
#[derive(Debug)]
pub struct RateCurves<'a> {
    /// The learning rates, ascending.
    pub rates: &'a [f64],
    /// The loss of each.
    pub losses: &'a [f64],
    /// The same smoothed.
    pub smoothed: &'a [f64],
    /// The rate to begin with.
    pub suggestion: Option<f64>,
}

const SIZE: [f64; 2] = [560.0, 360.0];
const ACROSS: [f64; 2] = [62.0, 530.0];
const HEIGHT: [f64; 2] = [308.0, 64.0];

/// Draws the loss over the learning rate to `<stem>.svg` and `<stem>.png`.
pub fn draw_rate_search(curves: &RateCurves, title: &str, stem: &Path) -> Result<(), ReportError> {
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

fn draw(curves: &RateCurves, x: &Axis, svg: &mut Svg) {
    let paired = |values: &[f64]| -> Curve {
        curves.rates.iter().zip(values).map(|(rate, value)| [*rate, *value]).collect()
    };
    let (losses, smoothed) = (paired(curves.losses), paired(curves.smoothed));
    // What shoots up at the end would press all else flat.
    let [low, high] = range(&smoothed, |_| true);
    let first = curves.smoothed.first().copied().unwrap_or(high);
    let y = Axis::rounded([low, high.min(1.5 * first)], f64::INFINITY, HEIGHT);
    x.draw_with(&y, svg);
    let dot = hexadecimal(colour(5));
    for [rate, loss] in losses {
        let (cx, cy) = (x.place(rate), y.place(loss));
        svg.element(format_args!(r#"<circle cx="{cx:.1}" cy="{cy:.1}" r="1.8" fill="{dot}"/>"#));
    }
    stroke(&smoothed, "smoothed", colour(0), [x, &y], svg);
    if let Some(rate) = curves.suggestion {
        let at = x.place(rate);
        svg.line([at, HEIGHT[0]], [at, HEIGHT[1]], colour(1), 1.6);
        svg.text([at + 6.0, HEIGHT[1] + 12.0], 12.0, Anchor::Start, &format!("{rate:.1e}"));
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_suggestion_is_drawn_where_the_axis_says() {
        let place = tempfile::TempDir::new().unwrap();
        let stem = place.path().join("search");
        let curves = RateCurves {
            rates: &[1e-4, 1e-3, 1e-2],
            losses: &[1.0, 0.5, 2.0],
            smoothed: &[1.0, 0.6, 0.9],
            suggestion: Some(1e-3),
        };
        draw_rate_search(&curves, "a search", &stem).unwrap();
        let svg = fs::read_to_string(stem.with_extension("svg")).unwrap();
        assert!(svg.contains("M296.0 308.0L296.0 64.0") && svg.contains("1.0e-3"), "{svg}");
        let nothing = RateCurves { rates: &[], losses: &[], smoothed: &[], suggestion: None };
        draw_rate_search(&nothing, "nothing", &stem).unwrap();
    }
}
