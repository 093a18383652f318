//! Charts of lines over an ascending quantity. Each is described once, and drawn as SVG here and by
//! `page.js` in pages.

use serde::{Serialize, Serializer};

use crate::axis::Axis;
use crate::svg::{Anchor, Colour, INK, Point, Svg, colour, escaped, hexadecimal, width};

/// Points of a curve with ascending abscissas.
pub type Curve = Vec<[f64; 2]>;

/// A chart of lines.
#[derive(Debug, Clone, Serialize)]
pub struct Chart {
    /// Name of its file.
    #[serde(skip)]
    pub name: &'static str,
    /// Name of the values.
    pub heading: String,
    /// Name of the abscissa.
    pub x: &'static str,
    pub lines: Vec<Line>,
    pub scale: Scale,
    /// Abscissas with a name.
    pub marks: Vec<(f64, String)>,
}

/// A line of a chart.
#[derive(Debug, Clone, Serialize)]
pub struct Line {
    pub name: String,
    #[serde(serialize_with = "thinned")]
    pub points: Curve,
    #[serde(serialize_with = "as_hexadecimal")]
    pub colour: Colour,
    pub style: Style,
}

/// How a line is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Style {
    Plain,
    /// Thin and pale, behind the others.
    Pale,
    /// Only if the reader of a page asks for it.
    Hidden,
}

/// The scale of the values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// Logarithmic if the positive values span more than two decades.
    Free,
    /// Up to 100, from 0 unless the values are close to each other.
    Percent,
    /// As `Free`, with at most four decades below the largest value.
    Decades,
}

/// Position of a chart in pixels.
#[derive(Debug, Clone, Copy)]
pub struct Frame {
    /// Left and right end.
    pub across: [f64; 2],
    /// Lower and upper end.
    pub height: [f64; 2],
}

/// Width and height of a chart that is a picture of its own, in pixels.
pub const SIZE: [f64; 2] = [470.0, 330.0];
pub const FRAME: Frame = Frame { across: [62.0, 446.0], height: [278.0, 44.0] };

/// Number of values below which each is drawn as a dot.
const FEW: usize = 25;
/// Number of values above which mean and range for each pixel are drawn.
const MANY: usize = 1000;

impl Line {
    /// A line in the colour of the palette with this index.
    pub fn new(name: impl Into<String>, points: Curve, index: usize) -> Self {
        Self { name: name.into(), points, colour: colour(index), style: Style::Plain }
    }
}

impl Chart {
    /// A chart over the epochs.
    pub fn over_epochs(
        name: &'static str,
        heading: impl Into<String>,
        scale: Scale,
        lines: Vec<Line>,
    ) -> Self {
        Self { name, heading: heading.into(), x: "epoch", lines, scale, marks: Vec::new() }
    }

    /// Whether there is anything to draw.
    pub fn has_values(&self) -> bool {
        self.lines.iter().any(|line| !line.points.is_empty())
    }

    /// Draws it as a picture of its own.
    pub fn svg(&self) -> String {
        let mut svg = Svg::new(SIZE, &self.heading);
        if self.lines.len() > 1 {
            let lines: Vec<&Line> =
                self.drawn().filter(|line| line.style == Style::Plain).collect();
            legend(&lines, [FRAME.across[1], 32.0], &mut svg);
        }
        self.draw(FRAME, &mut svg);
        svg.finish()
    }

    /// The lines that are drawn without a reader's asking, the pale ones first.
    fn drawn(&self) -> impl Iterator<Item = &Line> {
        let of = |style| {
            let lines = self.lines.iter().filter(move |line| line.style == style);
            lines.filter(|line| !line.points.is_empty())
        };
        of(Style::Pale).chain(of(Style::Plain))
    }

    /// Draws it into a frame.
    pub fn draw(&self, frame: Frame, svg: &mut Svg) {
        let Frame { across, height } = frame;
        let centre = (across[0] + across[1]) / 2.0;
        let longest = self.drawn().map(|line| line.points.len()).max().unwrap_or(0);
        let below = below(self.x, longest, across);
        svg.text([centre, height[0] + 38.0], 12.0, Anchor::Middle, &below);
        if longest == 0 {
            svg.text([across[0], height[1] - 12.0], 13.0, Anchor::Start, &self.heading);
            svg.line([across[0], height[0]], [across[1], height[0]], INK, 0.8);
            svg.line([across[0], height[0]], [across[0], height[1]], INK, 0.8);
            let middle = [centre, (height[0] + height[1]) / 2.0];
            return svg.text(middle, 13.0, Anchor::Middle, "no values yet");
        }
        let finest = if self.x == "epoch" { 1.0 } else { 0.0 };
        let x = Axis::exact(range(self.points().map(|[x, _]| *x)), across, 6.0, finest);
        let values = self.axis(height);
        let scale = if values.is_logarithmic() { " (logarithmic)" } else { "" };
        let heading = format!("{}{scale}", self.heading);
        svg.text([across[0], height[1] - 12.0], 13.0, Anchor::Start, &heading);
        x.draw_with(&values, svg);
        for (at, name) in &self.marks {
            let at = x.position(*at);
            svg.dashed([at, height[0]], [at, height[1]], INK);
            svg.text([at, height[1] - 2.0], 10.0, Anchor::Middle, name);
        }
        for line in self.drawn() {
            line.draw([&x, &values], svg);
        }
    }

    fn points(&self) -> impl Iterator<Item = &[f64; 2]> {
        self.drawn().flat_map(|line| &line.points)
    }

    /// The axis of the values between two heights in pixels.
    fn axis(&self, height: [f64; 2]) -> Axis {
        let values = || self.points().map(|[_, value]| *value);
        let all = range(values());
        if self.scale == Scale::Percent {
            return Axis::rounded(all, all[1].max(100.0), height);
        }
        let [low, high] = range(values().filter(|value| *value > 0.0));
        let low = if self.scale == Scale::Decades { low.max(1e-4 * high) } else { low };
        if high > 100.0 * low {
            Axis::logarithmic([low, high], height)
        } else {
            Axis::rounded(all, f64::INFINITY, height)
        }
    }
}

/// Draws a line and a name for each line. The last one ends at `right`.
pub fn legend(lines: &[&Line], [right, y]: Point, svg: &mut Svg) {
    let mut left = right - lines.iter().map(|line| legend_width(&line.name)).sum::<f64>();
    for line in lines {
        svg.line([left, y - 4.0], [left + 22.0, y - 4.0], line.colour, 2.2);
        svg.text([left + 28.0, y], 12.0, Anchor::Start, &line.name);
        left += legend_width(&line.name);
    }
}

fn legend_width(name: &str) -> f64 {
    42.0 + width(name, 12.0)
}

/// The label of the abscissa of a chart whose longest line has `values` values.
fn below(x: &str, values: usize, across: [f64; 2]) -> String {
    let pixels = across[1] - across[0];
    if values <= MANY {
        return x.to_owned();
    }
    format!("{x} (line: mean of {:.0} values, band: their range)", values as f64 / pixels)
}

/// The lowest and the highest of some values.
pub fn range(values: impl IntoIterator<Item = f64>) -> [f64; 2] {
    let all = [f64::INFINITY, f64::NEG_INFINITY];
    values.into_iter().fold(all, |[low, high], value| [low.min(value), high.max(value)])
}

impl Line {
    /// Draws it, with dots if it has few values, and as mean and range if it has many.
    pub fn draw(&self, [x, values]: [&Axis; 2], svg: &mut Svg) {
        let (name, colour) = (escaped(&self.name), hexadecimal(self.colour));
        let (width, opacity) = if self.style == Style::Pale { (1.0, 0.35) } else { (1.6, 1.0) };
        let position = |[at, value]: [f64; 2]| [x.position(at), values.position(value)];
        let mut line: Vec<Point> = self.points.iter().copied().map(position).collect();
        if self.points.len() > MANY {
            let pixels = pixels(&self.points, x);
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
                r#"<polyline class="{name}" points="{}" fill="none" stroke="{colour}" stroke-opacity="{opacity}" stroke-width="{width}" stroke-linejoin="round" stroke-linecap="round"/>"#,
                joined(line.iter().copied())
            ));
        }
        for [x, y] in line.iter().filter(|_| line.len() < FEW && self.style == Style::Plain) {
            svg.element(format_args!(
                r#"<circle cx="{x:.2}" cy="{y:.2}" r="2.6" fill="{colour}"/>"#
            ));
        }
    }
}

fn joined(points: impl Iterator<Item = Point>) -> String {
    let points: Vec<String> = points.map(|[x, y]| format!("{x:.2},{y:.2}")).collect();
    points.join(" ")
}

/// Part of a line within one column of pixels.
struct Pixel {
    /// Mean abscissa and mean value.
    mean: [f64; 2],
    /// Lowest and highest value.
    range: [f64; 2],
}

impl Pixel {
    fn of(part: &[[f64; 2]]) -> Self {
        let sum = part.iter().fold([0.0; 2], |[a, b], [x, value]| [a + x, b + value]);
        let mean = sum.map(|sum| sum / part.len() as f64);
        Self { mean, range: range(part.iter().map(|[_, value]| *value)) }
    }
}

/// Divides a line into columns of pixels.
fn pixels(points: &[[f64; 2]], x: &Axis) -> Vec<Pixel> {
    // The first point lies on the edge and belongs to the first column.
    let column = |[at, _]: &[f64; 2]| x.position(*at).ceil().max(x.begin() + 1.0);
    points.chunk_by(|one, other| column(one) == column(other)).map(Pixel::of).collect()
}

/// Number of points of a line in a page above which means of neighbours are kept.
const KEPT: usize = 2000;

/// Serializes points as abscissas and values with six digits each.
fn thinned<S: Serializer>(points: &Curve, serializer: S) -> Result<S::Ok, S::Error> {
    let parts = points.chunks(points.len().div_ceil(KEPT).max(1));
    let means: Vec<[f64; 2]> = parts.map(|part| Pixel::of(part).mean).collect();
    let columns: (Vec<f64>, Vec<f64>) =
        means.iter().map(|[x, value]| (rounded(*x), rounded(*value))).unzip();
    columns.serialize(serializer)
}

/// Rounds to six significant digits.
fn rounded(value: f64) -> f64 {
    format!("{value:.5e}").parse().unwrap_or(value)
}

fn as_hexadecimal<S: Serializer>(colour: &Colour, serializer: S) -> Result<S::Ok, S::Error> {
    hexadecimal(*colour).serialize(serializer)
}

#[cfg(test)]
mod tests;
