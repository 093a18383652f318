use std::path::Path;

use artifacts::{BoundaryPoint, DecisionBoundary};

use png::ColorType;

use crate::axis::Axis;
use crate::contour::{by_cell, decision_lines};
use crate::error::ReportError;
use crate::output::{png_data_uri, write_picture};
use crate::svg::{Anchor, Colour, INK, Point, Svg, WHITE, colour, fitted, hexadecimal, width};

/// Largest width and height of the plane, in pixels.
const MAX_SIZE: [f64; 2] = [460.0, 400.0];
const CORNER: Point = [64.0, 50.0];
const LEGEND_FONT: f64 = 12.0;
/// Largest number of classes in the legend.
const MAX_CLASSES: usize = 15;
/// Colour of a mark that belongs to no class.
const NEUTRAL: Colour = [0x6a; 3];

/// Opacity over white of the colour of a class with probability 1.
const CERTAIN: f32 = 0.42;
/// Opacity where all classes have equal probabilities.
const UNDECIDED: f32 = 0.08;

/// Mark of a point.
#[derive(Clone, Copy)]
enum Mark {
    /// Filled, with a thin white edge.
    Train,
    /// A ring.
    Test,
}

/// Draws the classes over the plane of two features, with the points on top, to `<stem>.svg`.
pub fn draw_boundary(
    boundary: &DecisionBoundary,
    title: &str,
    stem: &Path,
) -> Result<(), ReportError> {
    check(boundary).map_err(|problem| ReportError::Boundary { problem })?;
    let pixels = mixed_colours(&boundary.probabilities, boundary.columns);
    let background = png_data_uri([boundary.columns, boundary.rows], ColorType::Rgb, &pixels)
        .map_err(|problem| ReportError::render(stem, problem))?;
    write_picture(&compose(boundary, Some(&background), title), stem)
}

/// Fails if the fields of `boundary` contradict each other.
fn check(boundary: &DecisionBoundary) -> Result<(), String> {
    for (name, [low, high]) in [("x", boundary.x), ("y", boundary.y)] {
        let width = high - low;
        if !width.is_finite() || width <= 1e-6 * low.abs().max(high.abs()) {
            return Err(format!("`{name}` is [{low}, {high}], which is not a range"));
        }
    }
    let [columns, rows, classes] = [boundary.columns, boundary.rows, boundary.classes.len()];
    if columns == 0 || rows == 0 || classes == 0 {
        return Err(format!("{columns} columns, {rows} rows and {classes} classes"));
    }
    if boundary.probabilities.len() != classes {
        return Err(format!(
            "{} probabilities for {classes} classes",
            boundary.probabilities.len()
        ));
    }
    for (name, list) in boundary.classes.iter().zip(&boundary.probabilities) {
        if columns.checked_mul(rows) != Some(list.len()) {
            let count = list.len();
            return Err(format!("{count} probabilities of `{name}` for {columns} x {rows}"));
        }
        if let Some(value) = list.iter().find(|value| !(-1e-4..1.0001).contains(*value)) {
            return Err(format!("a probability of `{name}` is {value}"));
        }
    }
    let mut points = boundary.train.iter().chain(&boundary.test);
    match points.find(|point| point.class as usize >= classes) {
        Some(point) => Err(format!("a point is of class {} of {classes}", point.class)),
        None => Ok(()),
    }
}

/// Mixes the colours of the classes by their probabilities. `probabilities` has for each class the
/// values of a grid, `[rows * columns]`, the lowest row first. Returns RGB, the highest row first.
fn mixed_colours(probabilities: &[Vec<f32>], columns: usize) -> Vec<u8> {
    let lists = probabilities
        .iter()
        .map(|values| values.chunks_exact(columns).rev().flatten().copied())
        .collect();
    by_cell(lists).flat_map(|cell| mixed(&cell)).collect()
}

/// Mixes the colours for one cell, with one probability per class.
fn mixed(probabilities: &[f32]) -> Colour {
    let highest = probabilities.iter().copied().fold(0.0, f32::max);
    let even = 1.0 / probabilities.len() as f32;
    let certainty = if even < 1.0 { (highest - even) / (1.0 - even) } else { 1.0 };
    let strength = UNDECIDED + (CERTAIN - UNDECIDED) * certainty.clamp(0.0, 1.0);
    let mut darkness = [0.0; 3];
    for (class, probability) in probabilities.iter().enumerate() {
        for (sum, part) in darkness.iter_mut().zip(colour(class)) {
            *sum += probability * (255.0 - f32::from(part));
        }
    }
    darkness.map(|sum| (255.5 - strength * sum) as u8)
}

/// Composes the SVG; `background` is the data URI of an image of the probabilities.
pub fn compose(boundary: &DecisionBoundary, background: Option<&str>, title: &str) -> String {
    let [wide, high] = size(boundary);
    let [left, top] = CORNER;
    let [right, bottom] = [left + wide, top + high];
    let names = boundary.classes.iter().map(|name| width(name, LEGEND_FONT)).fold(44.0, f64::max);
    let beside = 60.0 + names.min(170.0);
    let mut svg = Svg::new([right + beside, bottom + 56.0], title);
    svg.text([left, 30.0], 16.0, Anchor::Start, &fitted(title, 16.0, wide + beside - 16.0));
    let x = Axis::exact(boundary.x, [left, right], wide / 70.0, 0.0);
    let y = Axis::exact(boundary.y, [bottom, top], high / 60.0, 0.0);
    x.draw_with(&y, &mut svg);
    let frame = format!(r#"x="{left}" y="{top}" width="{wide}" height="{high}""#);
    svg.element(format_args!(r#"<clipPath id="plane"><rect {frame}/></clipPath>"#));
    svg.element(r#"<g clip-path="url(#plane)">"#);
    if let Some(image) = background {
        svg.element(format_args!(r#"<image {frame} preserveAspectRatio="none" href="{image}"/>"#));
        draw_lines(boundary, [left, bottom], [wide, high], &mut svg);
    }
    draw_points(boundary, &boundary.train, Mark::Train, [&x, &y], &mut svg);
    draw_points(boundary, &boundary.test, Mark::Test, [&x, &y], &mut svg);
    svg.element("</g>");
    let ink = hexadecimal(INK);
    svg.element(format_args!(r#"<rect {frame} fill="none" stroke="{ink}" stroke-width="0.8"/>"#));
    svg.text([left + wide / 2.0, bottom + 40.0], 12.0, Anchor::Middle, "first feature");
    svg.upright([20.0, top + high / 2.0], 12.0, Anchor::Middle, "second feature");
    draw_legend(boundary, [right + 26.0, top + 8.0], &mut svg);
    svg.finish()
}

/// Width and height of the plane in pixels, with equal scales unless one side would be too short.
fn size(boundary: &DecisionBoundary) -> [f64; 2] {
    let [wide, high] = [boundary.x, boundary.y].map(|[low, high]| high - low);
    if !(0.4..2.5).contains(&(wide / high)) {
        return MAX_SIZE;
    }
    let scale = (MAX_SIZE[0] / wide).min(MAX_SIZE[1] / high);
    [(scale * wide).round(), (scale * high).round()]
}

fn draw_lines(
    boundary: &DecisionBoundary,
    [left, bottom]: Point,
    [wide, high]: [f64; 2],
    svg: &mut Svg,
) {
    let mut path = String::new();
    for segment in decision_lines(&boundary.probabilities, boundary.columns, boundary.rows) {
        for ([x, y], command) in segment.into_iter().zip(["M", "L"]) {
            path += &format!("{command}{:.2} {:.2}", left + x * wide, bottom - y * high);
        }
    }
    svg.element(format_args!(
        r#"<path class="decision" d="{path}" fill="none" stroke="{}" stroke-width="1.5" stroke-linecap="round"/>"#,
        hexadecimal(INK)
    ));
}

/// Draws the points that lie on the plane, in one group per class.
fn draw_points(
    boundary: &DecisionBoundary,
    points: &[BoundaryPoint],
    mark: Mark,
    [x_axis, y_axis]: [&Axis; 2],
    svg: &mut Svg,
) {
    let radius = if boundary.train.len() + boundary.test.len() > 1000 { 2.4 } else { 3.4 };
    for class in 0..boundary.classes.len() {
        svg.element(mark.begin(colour(class)));
        for point in points.iter().filter(|point| point.class as usize == class) {
            let [x, y] = point.at.map(f64::from);
            if is_within(boundary.x, x) && is_within(boundary.y, y) {
                let [x, y] = [x_axis.position(x), y_axis.position(y)];
                svg.element(format_args!(r#"<circle cx="{x:.1}" cy="{y:.1}" r="{radius}"/>"#));
            }
        }
        svg.element("</g>");
    }
}

fn is_within([low, high]: [f64; 2], value: f64) -> bool {
    (low..=high).contains(&value)
}

/// Lists the colours of the classes, then the marks of the splits that have points.
fn draw_legend(boundary: &DecisionBoundary, [left, top]: Point, svg: &mut Svg) {
    let shown = boundary.classes.len().min(MAX_CLASSES);
    let classes = boundary.classes.iter().take(shown).enumerate();
    let mut entries: Vec<(Mark, Colour, String, f64)> =
        classes.map(|(class, name)| (Mark::Train, colour(class), name.clone(), 20.0)).collect();
    if shown < boundary.classes.len() {
        let others = format!("and {} more", boundary.classes.len() - shown);
        entries.push((Mark::Train, WHITE, others, 20.0));
    }
    if let Some((.., below)) = entries.last_mut() {
        *below = 32.0;
    }
    if !boundary.train.is_empty() {
        entries.push((Mark::Train, NEUTRAL, "train".to_owned(), 20.0));
    }
    if !boundary.test.is_empty() {
        entries.push((Mark::Test, NEUTRAL, "test".to_owned(), 20.0));
    }
    let mut line = top;
    for (mark, colour, name, below) in entries {
        svg.element(mark.begin(colour));
        svg.element(format_args!(r#"<circle cx="{left}" cy="{line}" r="4.2"/></g>"#));
        let text = [left + 13.0, line + 0.36 * LEGEND_FONT];
        svg.text(text, LEGEND_FONT, Anchor::Start, &fitted(&name, LEGEND_FONT, 170.0));
        line += below;
    }
}

impl Mark {
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

#[cfg(test)]
mod tests;
