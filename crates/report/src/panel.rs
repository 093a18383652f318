//! Plots of curves over the epochs or another ascending quantity.

use crate::axis::Axis;
use crate::svg::{Anchor, Colour, INK, Point, Svg, colour, hexadecimal, width};

/// Points of a curve with ascending abscissas.
pub type Curve = Vec<[f64; 2]>;

/// Creates the axis for the values of some curves between two heights in pixels.
pub type AxisOf = fn(&[(&str, Curve)], [f64; 2]) -> Axis;

/// Plot of curves over the epochs.
pub struct Panel<'a> {
    /// Name of the values.
    pub heading: &'a str,
    /// Curves with their names.
    pub curves: &'a [(&'a str, Curve)],
    /// First and last abscissa; `None` if there are no epochs yet.
    pub epochs: Option<[f64; 2]>,
    pub axis: AxisOf,
}

/// Position of a panel in pixels.
#[derive(Debug, Clone, Copy)]
pub struct Frame {
    /// Left and right end.
    pub across: [f64; 2],
    /// Lower and upper end.
    pub height: [f64; 2],
}

/// Number of values below which each is drawn as a dot.
const FEW: usize = 25;
/// Number of values above which mean and range for each pixel are drawn.
const MANY: usize = 1000;

impl Panel<'_> {
    /// Draws it into a frame.
    pub fn draw(&self, frame: Frame, svg: &mut Svg) {
        let Frame { across, height } = frame;
        let centre = (across[0] + across[1]) / 2.0;
        let longest = self.curves.iter().map(|(_, curve)| curve.len()).max().unwrap_or(0);
        let below = below(longest, across);
        svg.text([centre, height[0] + 38.0], 12.0, Anchor::Middle, &below);
        let Some(epochs) = self.epochs.filter(|_| longest > 0) else {
            let note = if self.epochs.is_none() { "no epochs yet" } else { "no values yet" };
            svg.text([across[0], height[1] - 12.0], 13.0, Anchor::Start, self.heading);
            svg.line([across[0], height[0]], [across[1], height[0]], INK, 0.8);
            svg.line([across[0], height[0]], [across[0], height[1]], INK, 0.8);
            let middle = [centre, (height[0] + height[1]) / 2.0];
            return svg.text(middle, 13.0, Anchor::Middle, note);
        };
        let epochs = Axis::exact(epochs, across, 6.0, 1.0);
        let values = (self.axis)(self.curves, height);
        let scale = if values.is_logarithmic() { " (logarithmic)" } else { "" };
        let heading = format!("{}{scale}", self.heading);
        svg.text([across[0], height[1] - 12.0], 13.0, Anchor::Start, &heading);
        epochs.draw_with(&values, svg);
        for (index, (name, curve)) in self.curves.iter().enumerate() {
            if !curve.is_empty() {
                stroke(curve, name, colour(index), [&epochs, &values], svg);
            }
        }
    }
}

/// Draws a line and a name for each curve, by its index. The last one ends at `right`.
pub fn legend(names: &[(usize, &str)], [right, y]: Point, svg: &mut Svg) {
    let mut left = right - names.iter().map(|(_, name)| legend_width(name)).sum::<f64>();
    for (index, name) in names {
        svg.line([left, y - 4.0], [left + 22.0, y - 4.0], colour(*index), 2.2);
        svg.text([left + 28.0, y], 12.0, Anchor::Start, name);
        left += legend_width(name);
    }
}

fn legend_width(name: &str) -> f64 {
    42.0 + width(name, 12.0)
}

/// Returns the label of the abscissa of a panel whose longest curve has `values` values.
fn below(values: usize, across: [f64; 2]) -> String {
    let pixels = across[1] - across[0];
    if values <= MANY {
        return "epoch".to_owned();
    }
    format!("epoch (line: mean of {:.0} values, band: their range)", values as f64 / pixels)
}

/// Creates an axis that is logarithmic if the positive values span more than two decades.
pub fn free_axis(curves: &[(&str, Curve)], height: [f64; 2]) -> Axis {
    let values = || curves.iter().flat_map(|(_, curve)| curve);
    let [low, high] = range(values(), |value| value > 0.0);
    if high > 100.0 * low {
        Axis::logarithmic([low, high], height)
    } else {
        Axis::rounded(range(values(), |_| true), f64::INFINITY, height)
    }
}

/// Creates an axis from 0 to 100, or shorter if the values are close to each other.
pub fn percent_axis(curves: &[(&str, Curve)], height: [f64; 2]) -> Axis {
    let [low, high] = range(curves.iter().flat_map(|(_, curve)| curve), |_| true);
    Axis::rounded([low, high], high.max(100.0), height)
}

/// Returns the lowest and the highest of the values that pass a filter.
pub fn range<'a>(
    points: impl IntoIterator<Item = &'a [f64; 2]>,
    filter: impl Fn(f64) -> bool,
) -> [f64; 2] {
    let values = points.into_iter().map(|[_, value]| *value).filter(|value| filter(*value));
    values.fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], value| {
        [low.min(value), high.max(value)]
    })
}

/// Draws a curve, with dots if it has few values, and as mean and range if it has many.
pub fn stroke(
    curve: &[[f64; 2]],
    name: &str,
    colour: Colour,
    [epochs, values]: [&Axis; 2],
    svg: &mut Svg,
) {
    let colour = hexadecimal(colour);
    let position = |[epoch, value]: [f64; 2]| [epochs.position(epoch), values.position(value)];
    let mut line: Vec<Point> = curve.iter().copied().map(position).collect();
    if curve.len() > MANY {
        let pixels = pixels(curve, epochs);
        let low = pixels.iter().map(|pixel| [pixel.mean[0], pixel.range[0]]);
        let high = pixels.iter().map(|pixel| [pixel.mean[0], pixel.range[1]]);
        let band = joined(low.chain(high.rev()).map(position));
        svg.element(format_args!(
            r#"<polygon class="{name}" points="{band}" fill="{colour}" fill-opacity="0.25"/>"#
        ));
        line = pixels.iter().map(|pixel| position(pixel.mean)).collect();
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

fn joined(points: impl Iterator<Item = Point>) -> String {
    let points: Vec<String> = points.map(|[x, y]| format!("{x:.2},{y:.2}")).collect();
    points.join(" ")
}

/// Part of a curve within one column of pixels.
struct Pixel {
    /// Mean epoch and mean value.
    mean: [f64; 2],
    /// Lowest and highest value.
    range: [f64; 2],
}

/// Divides a curve into columns of pixels.
fn pixels(curve: &[[f64; 2]], epochs: &Axis) -> Vec<Pixel> {
    // The first epoch lies on the edge and belongs to the first column.
    let column = |[epoch, _]: &[f64; 2]| epochs.position(*epoch).ceil().max(epochs.begin() + 1.0);
    let parts = curve.chunk_by(|one, other| column(one) == column(other));
    let pixel = |part: &[[f64; 2]]| {
        let epochs: f64 = part.iter().map(|[epoch, _]| epoch).sum();
        let values: f64 = part.iter().map(|[_, value]| value).sum();
        let mean = [epochs, values].map(|sum| sum / part.len() as f64);
        Pixel { mean, range: range(part, |_| true) }
    };
    parts.map(pixel).collect()
}
