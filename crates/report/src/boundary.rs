use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::ReportError;
use crate::output::write_picture;
use crate::plane::compose;
use crate::tint::tint;

/// What a model says over a plane of two features: the content of `boundary.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Boundary {
    /// The first and the last value of the first feature that is shown.
    pub x: [f64; 2],
    /// The first and the last value of the second feature that is shown.
    pub y: [f64; 2],
    /// The cells of the grid along the first feature.
    pub columns: usize,
    /// The cells of the grid along the second feature.
    pub rows: usize,
    /// One list a class: its probability at the centre of each cell, `f32 [rows * columns]`,
    /// row-major, the lowest y first.
    pub probabilities: Vec<Vec<f32>>,
    /// The names of the classes.
    pub classes: Vec<String>,
    /// What the model was trained on.
    pub train: Vec<Point>,
    /// What it is tested on.
    pub test: Vec<Point>,
}

/// A labelled point of the plane.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Point {
    /// Its two features.
    pub at: [f32; 2],
    /// Its class, an index of [`Boundary::classes`].
    pub class: u32,
}

/// Reads `boundary.json` and draws the classes over the plane, with the points over it, to
/// `<stem>.svg` and `<stem>.png`.
pub fn draw_boundary(boundary: &Path, title: &str, stem: &Path) -> Result<(), ReportError> {
    let content = fs::read(boundary).map_err(|error| ReportError::read(boundary, error))?;
    let malformed = |source: serde_json::Error| ReportError::Malformed {
        path: boundary.to_owned(),
        line: source.line(),
        source,
    };
    let parsed: Boundary = serde_json::from_slice(&content).map_err(malformed)?;
    let unfit = |problem| ReportError::Unfit { path: boundary.to_owned(), problem };
    parsed.check().map_err(unfit)?;
    let tint = tint(&parsed.probabilities, parsed.columns, parsed.rows)
        .map_err(|error| ReportError::render(boundary, error))?;
    write_picture(&compose(&parsed, Some(&tint), title), stem)
}

impl Boundary {
    /// Whether all parts fit together; if not, what does not.
    fn check(&self) -> Result<(), String> {
        for (name, [low, high]) in [("x", self.x), ("y", self.y)] {
            let width = high - low;
            if !width.is_finite() || width <= 1e-6 * low.abs().max(high.abs()) {
                return Err(format!("`{name}` is [{low}, {high}], which is no range"));
            }
        }
        let [columns, rows, classes] = [self.columns, self.rows, self.classes.len()];
        if columns == 0 || rows == 0 || classes == 0 {
            return Err(format!("{columns} columns, {rows} rows and {classes} classes"));
        }
        if self.probabilities.len() != classes {
            return Err(format!(
                "{} probabilities for {classes} classes",
                self.probabilities.len()
            ));
        }
        for (name, list) in self.classes.iter().zip(&self.probabilities) {
            if columns.checked_mul(rows) != Some(list.len()) {
                let count = list.len();
                return Err(format!("{count} probabilities of `{name}` for {columns} x {rows}"));
            }
            if let Some(value) = list.iter().find(|value| !(-1e-4..1.0001).contains(*value)) {
                return Err(format!("a probability of `{name}` is {value}"));
            }
        }
        let beyond = |point: &&Point| point.class as usize >= classes;
        match self.train.iter().chain(&self.test).find(beyond) {
            Some(point) => Err(format!("a point is of class {} of {classes}", point.class)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
