//! What a data set holds and what is wrong with it: one HTML file that needs nothing beside it.

mod content;
mod plots;
#[cfg(test)]
mod tests;

use std::path::Path;

use maud::{Markup, html};

use crate::boundary::Boundary;
use crate::error::ReportError;
use crate::output::write_file;
use crate::page::document;
use crate::sheet::{SheetCell, SheetRow};

/// What is told of a data set.
#[derive(Debug, Clone, Default)]
pub struct DataPage {
    /// What it is called.
    pub title: String,
    /// What its examples are.
    pub about: String,
    /// What is said of data that are drawn rather than real.
    pub warning: Option<String>,
    /// What makes scores worthless, a line each.
    pub problems: Vec<String>,
    /// What was looked for, found or not.
    pub findings: Vec<DataFinding>,
    /// The names of the classes.
    pub classes: Vec<String>,
    /// What its parts hold.
    pub parts: Vec<DataPart>,
    /// What a value is one of: `channel` or `feature`.
    pub unit: &'static str,
    /// How the values of each channel are distributed.
    pub histograms: Vec<DataHistogram>,
    /// Points of two features, without a model that says anything of them.
    pub points: Option<Boundary>,
    /// Some images of each class.
    pub preview: Vec<SheetRow>,
    /// SHA-256 of each set of the source.
    pub sums: Vec<(String, String)>,
}

/// Something that was looked for in a data set.
#[derive(Debug, Clone)]
pub struct DataFinding {
    /// What it is.
    pub heading: &'static str,
    /// How often it was found; none if it could not be looked for.
    pub count: Option<usize>,
    /// What was found, and how it was looked for.
    pub told: String,
    /// What to do about it.
    pub next: &'static str,
    /// What was found, each with its images; the first of them where there are many.
    pub cards: Vec<DataCard>,
}

/// One or two examples, and what there is to say of them.
#[derive(Debug, Clone)]
pub struct DataCard {
    /// The examples, if they are images.
    pub images: Vec<SheetCell>,
    /// What they are, a line each.
    pub words: Vec<String>,
}

/// What one part of a data set holds.
#[derive(Debug, Clone)]
pub struct DataPart {
    /// Its name.
    pub name: String,
    /// Where it comes from.
    pub origin: String,
    /// The number of its examples.
    pub count: usize,
    /// How many of them are of each class.
    pub classes: Vec<usize>,
    /// Of each channel the lowest and the highest value, the mean and the standard deviation.
    pub channels: Vec<[f32; 4]>,
}

/// How often the values of one channel lie where.
#[derive(Debug, Clone)]
pub struct DataHistogram {
    /// Where the first bin begins, and where the last one ends.
    pub range: [f32; 2],
    /// For each part how many values are in each bin.
    pub parts: Vec<Vec<u64>>,
}

/// Draws a data set to `page`.
pub fn draw_inspection(data: &DataPage, page: &Path) -> Result<(), ReportError> {
    let found = data.findings.iter().filter(|finding| !finding.cards.is_empty());
    let found: Vec<Markup> = found
        .map(content::finding)
        .collect::<Result<_, _>>()
        .map_err(|problem| ReportError::render(page, problem))?;
    let preview = content::preview(data).map_err(|problem| ReportError::render(page, problem))?;
    let content = html! {
        (content::headline(data))
        (content::parts(data))
        (content::balance(data))
        (content::values(data))
        (preview)
        @for finding in &found { (finding) }
    };
    write_file(page, document(&data.title, &content).into_string().as_bytes())
}
