use crate::axis::Axis;
use crate::boundary::{Boundary, Point};
use crate::contour::decision_lines;
use crate::palette::{Colour, INK, WHITE, colour, hexadecimal};
use crate::svg::{Anchor, Place, Svg, fitted, width};

/// The longest edges of the plane, in pixels.
const MOST: [f64; 2] = [460.0, 400.0];
/// Where its upper left corner is.
const CORNER: [f64; 2] = [64.0, 50.0];
/// The font size of the legend.
const NAMES: f64 = 12.0;
/// The classes that the legend has room for.
const NAMED: usize = 15;

/// How a point is marked.
#[derive(Clone, Copy)]
enum Mark {
    /// Filled, with a thin white edge.
    Train,
    /// A ring.
    Test,
}

/// Draws a boundary as SVG; `tint` is the image of its probabilities, if it has any.
pub fn compose(boundary: &Boundary, tint: Option<&str>, title: &str) -> String {
    let [wide, high] = edges(boundary);
    let [left, top] = CORNER;
    let [right, bottom] = [left + wide, top + high];
    let names = boundary.classes.iter().map(|name| width(name, NAMES)).fold(44.0, f64::max);
    let beside = 60.0 + names.min(170.0);
    let mut svg = Svg::new([right + beside, bottom + 56.0], title);
    svg.text([left, 30.0], 16.0, Anchor::Start, &fitted(title, 16.0, wide + beside - 16.0));
    let x = Axis::exact(boundary.x, [left, right], wide / 70.0, 0.0);
    let y = Axis::exact(boundary.y, [bottom, top], high / 60.0, 0.0);
    x.draw_with(&y, &mut svg);
    let frame = format!(r#"x="{left}" y="{top}" width="{wide}" height="{high}""#);
    svg.element(format_args!(r#"<clipPath id="plane"><rect {frame}/></clipPath>"#));
    svg.element(r#"<g clip-path="url(#plane)">"#);
    if let Some(tint) = tint {
        svg.element(format_args!(r#"<image {frame} preserveAspectRatio="none" href="{tint}"/>"#));
        draw_lines(boundary, [left, bottom], [wide, high], &mut svg);
    }
    draw_points(boundary, &boundary.train, Mark::Train, [&x, &y], &mut svg);
    draw_points(boundary, &boundary.test, Mark::Test, [&x, &y], &mut svg);
    svg.element("</g>");
    let ink = hexadecimal(INK);
    svg.element(format_args!(r#"<rect {frame} fill="none" stroke="{ink}" stroke-width="0.8"/>"#));
    svg.text([left + wide / 2.0, bottom + 40.0], 12.0, Anchor::Middle, "first feature");
    svg.upright([20.0, top + high / 2.0], 12.0, "second feature");
    draw_legend(boundary, [right + 26.0, top + 8.0], &mut svg);
    svg.finish()
}

/// Width and height of the plane in pixels: of equal scale, unless one would be too short.
fn edges(boundary: &Boundary) -> [f64; 2] {
    let [wide, high] = [boundary.x, boundary.y].map(|[low, high]| high - low);
    if !(0.4..2.5).contains(&(wide / high)) {
        return MOST;
    }
    let scale = (MOST[0] / wide).min(MOST[1] / high);
    [(scale * wide).round(), (scale * high).round()]
}

fn draw_lines(boundary: &Boundary, [left, bottom]: Place, [wide, high]: [f64; 2], svg: &mut Svg) {
    let lines = decision_lines(&boundary.probabilities, boundary.columns, boundary.rows);
    let place = |[x, y]: [f64; 2]| format!("{:.2} {:.2}", left + x * wide, bottom - y * high);
    let parts = lines.into_iter().map(|[from, to]| format!("M{}L{}", place(from), place(to)));
    svg.element(format_args!(
        r#"<path class="decision" d="{}" fill="none" stroke="{}" stroke-width="1.5" stroke-linecap="round"/>"#,
        parts.collect::<String>(),
        hexadecimal(INK)
    ));
}

/// Draws the points that lie on the plane, a group for each class.
fn draw_points(boundary: &Boundary, points: &[Point], mark: Mark, axes: [&Axis; 2], svg: &mut Svg) {
    let [across, upwards] = axes;
    let radius = if boundary.train.len() + boundary.test.len() > 1000 { 2.4 } else { 3.4 };
    let ranges = [boundary.x, boundary.y];
    let shown = |point: &&Point| {
        let mut values = ranges.iter().zip(point.at);
        values.all(|([low, high], value)| (*low..=*high).contains(&value.into()))
    };
    for class in 0..boundary.classes.len() {
        svg.element(mark.begin(colour(class)));
        let of_class = points.iter().filter(|point| point.class as usize == class);
        for point in of_class.filter(shown) {
            let [x, y] = point.at.map(f64::from);
            let [x, y] = [across.place(x), upwards.place(y)];
            svg.element(format_args!(r#"<circle cx="{x:.1}" cy="{y:.1}" r="{radius}"/>"#));
        }
        svg.element("</g>");
    }
}

/// Names the classes by their colours, then the marks of the points that there are.
fn draw_legend(boundary: &Boundary, [left, top]: Place, svg: &mut Svg) {
    let mut line = top;
    let mut entry = |mark: Mark, colour: Colour, name: &str, below: f64| {
        svg.element(mark.begin(colour));
        svg.element(format_args!(r#"<circle cx="{left}" cy="{line}" r="4.2"/></g>"#));
        let place = [left + 13.0, line + 0.36 * NAMES];
        svg.text(place, NAMES, Anchor::Start, &fitted(name, NAMES, 170.0));
        line += below;
    };
    let shown = boundary.classes.len().min(NAMED);
    for (class, name) in boundary.classes.iter().take(shown).enumerate() {
        entry(Mark::Train, colour(class), name, if class + 1 == shown { 32.0 } else { 20.0 });
    }
    if shown < boundary.classes.len() {
        let others = format!("and {} more", boundary.classes.len() - shown);
        entry(Mark::Train, WHITE, &others, 32.0);
    }
    if !boundary.train.is_empty() {
        entry(Mark::Train, NEUTRAL, "train", 20.0);
    }
    if !boundary.test.is_empty() {
        entry(Mark::Test, NEUTRAL, "test", 20.0);
    }
}

/// The colour of a mark of no class.
const NEUTRAL: Colour = [0x6a; 3];

impl Mark {
    /// Begins a group of circles.
    fn begin(self, colour: Colour) -> String {
        let colour = hexadecimal(colour);
        match self {
            Self::Train => {
                format!(r##"<g class="train" fill="{colour}" stroke="#fff" stroke-width="0.8">"##)
            }
            Self::Test => format!(
                r##"<g class="test" fill="#fff" fill-opacity="0.6" stroke="{colour}" stroke-width="1.5">"##
            ),
        }
    }
}
