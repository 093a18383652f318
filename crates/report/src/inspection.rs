//! Inspections of data sets: self-contained HTML files.

mod content;
mod image;
#[cfg(test)]
mod tests;

use std::path::Path;

use artifacts::DecisionBoundary;

use crate::error::ReportError;
use crate::output::write_file;
use crate::page::{Section, document};

pub use image::DataImage;

/// Contents of the page about a data set.
#[derive(Debug, Clone, Default)]
pub struct DataPage {
    /// Title of the page.
    pub title: String,
    /// Description of the examples.
    pub about: String,
    /// Warning about synthetic data.
    pub warning: Option<String>,
    /// Problems that invalidate scores, one line each.
    pub problems: Vec<String>,
    /// Results of all checks, including those without a finding.
    pub findings: Vec<DataFinding>,
    /// Names of the classes.
    pub classes: Vec<String>,
    /// Statistics of each split.
    pub parts: Vec<DataPart>,
    /// Name of a column of values: `channel` or `feature`.
    pub unit: &'static str,
    /// Distribution of the values of each channel.
    pub histograms: Vec<DataHistogram>,
    /// Points of two features, without probabilities.
    pub points: Option<DecisionBoundary>,
    /// Example images of each class.
    pub preview: Vec<DataPreview>,
    /// SHA-256 of each source.
    pub sums: Vec<(String, String)>,
}

/// Example images of one class.
#[derive(Debug, Clone)]
pub struct DataPreview {
    /// Name of the class.
    pub class: String,
    /// Some images of the class.
    pub images: Vec<DataImage>,
}

/// Result of one check of a data set.
#[derive(Debug, Clone)]
pub struct DataFinding {
    /// Name of the problem.
    pub heading: &'static str,
    /// Number of findings; `None` if the check is impossible.
    pub count: Option<usize>,
    /// Description of the check and its result.
    pub summary: String,
    /// Recommended action.
    pub remedy: &'static str,
    /// The findings, or the first of many.
    pub cards: Vec<DataCard>,
}

/// One or two examples with a description.
#[derive(Debug, Clone)]
pub struct DataCard {
    /// The examples, if they are images.
    pub images: Vec<DataImage>,
    /// Lines of the description.
    pub lines: Vec<String>,
}

/// Statistics of one split.
#[derive(Debug, Clone)]
pub struct DataPart {
    /// Name of the split.
    pub name: String,
    /// Origin of the data.
    pub origin: String,
    /// Number of examples.
    pub count: usize,
    /// Number of examples of each class.
    pub classes: Vec<usize>,
    /// Lowest value, highest value, mean and standard deviation of each channel.
    pub channels: Vec<[f32; 4]>,
}

/// Histogram of the values of one channel.
#[derive(Debug, Clone)]
pub struct DataHistogram {
    /// Start of the first and end of the last bin.
    pub range: [f32; 2],
    /// Number of values in each bin, for each split.
    pub parts: Vec<Vec<u64>>,
}

/// Writes the page about a data set to `page`.
pub fn draw_inspection(data: &DataPage, page: &Path) -> Result<(), ReportError> {
    let render = |problem: String| ReportError::render(page, problem);
    let mut sections = vec![
        Section::new("Splits", content::parts(data)),
        Section::new("Classes", content::balance(data)),
        Section::new("Values", content::values(data)),
        Section::new("Examples of each class", content::preview(data).map_err(render)?),
    ];
    for finding in data.findings.iter().filter(|finding| !finding.cards.is_empty()) {
        let content = content::finding(finding).map_err(render)?;
        sections.push(Section::new(finding.heading, content));
    }
    let html = document(&data.title, &content::headline(data), &sections);
    write_file(page, html.into_string().as_bytes())
}
