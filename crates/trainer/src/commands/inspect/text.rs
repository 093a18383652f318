use std::iter;
use std::path::Path;

use data_sources::quality::inspection::{
    DuplicatePair, ExampleLocation, Inspection, SuspectLabel, SuspectLabels,
};

use super::Report;
use crate::commands::SYNTHETIC_NOTICE;
use crate::style;
use crate::table::Table;
use crate::text::{self, cut, escaped, pad_end};

/// Maximum number of lines of a list; JSON has all.
const LINES: usize = 20;

/// Follows the number of lines that are not shown.
const MORE: &str = "; --json and --csv have all";

/// Maximum width of the names of classes, and minimum width of an example in a list.
const NAME_WIDTH: usize = 26;

/// Formats the inspection of a data set; `page` is the path of the page if one was written.
pub fn of(report: &Report, page: Option<&Path>) -> String {
    let inspection = report.inspection;
    let paragraphs = [
        headline(report),
        balance(inspection),
        ranges(inspection),
        findings(inspection),
        list("near-duplicates across splits", inspection.near_duplicates.iter().map(pair)),
        list("duplicates within a split", inspection.duplicates.iter().map(pair)),
        list("blank images", inspection.blank.iter().map(location)),
        inspection.suspect_labels.as_ref().map_or(String::new(), suspect_labels),
        page.map_or(String::new(), |page| format!("wrote {}", text::path(page))),
        verdict(report),
    ];
    let paragraphs = paragraphs.into_iter().filter(|paragraph| !paragraph.is_empty());
    paragraphs.collect::<Vec<_>>().join("\n\n")
}

fn headline(report: &Report) -> String {
    let inspection = report.inspection;
    let mut lines =
        Vec::from_iter(report.subject.synthetic.then(|| style::doubtful(SYNTHETIC_NOTICE)));
    lines.push(format!("{}: {}", escaped(&report.input), about(inspection)));
    lines.extend(inspection.parts.iter().map(|part| {
        let origin =
            report.subject.origins.get(&part.part).map_or(String::new(), |path| escaped(path));
        format!("  {:<10}  {:>7}  {origin}", part.part, part.count)
    }));
    lines.extend(report.subject.notes.iter().map(|note| format!("  {}", escaped(note))));
    lines.join("\n")
}

/// Kind and shape of the examples, and number of classes.
pub fn about(inspection: &Inspection) -> String {
    let examples = text::examples(inspection.are_images, inspection.shape);
    format!("{examples} in {} classes", inspection.classes.len())
}

/// Number of examples of each class in each split.
fn balance(inspection: &Inspection) -> String {
    let heads = inspection.parts.iter().map(|part| part.part.as_str());
    let mut table = Table::new(iter::once("class").chain(heads), &[0]);
    for (class, name) in inspection.classes.iter().enumerate() {
        let counts = inspection.parts.iter().map(|part| {
            let count = part.classes.get(class).copied().unwrap_or_default();
            let share = 100.0 * count as f64 / part.count.max(1) as f64;
            format!("{count:>7} {share:>6.1} %")
        });
        table.row(iter::once(cut(&escaped(name), NAME_WIDTH)).chain(counts));
    }
    text::shortened(table.text().lines().map(str::to_owned).collect(), LINES + 1, MORE)
}

/// Statistics of the values of each channel in each split.
fn ranges(inspection: &Inspection) -> String {
    let kind = if inspection.are_images { "channel" } else { "feature" };
    let mut lines = vec![format!(
        "{:<10}  {kind}  {:>9}  {:>9}  {:>9}  {:>9}",
        "split", "min", "max", "mean", "std"
    )];
    for part in &inspection.parts {
        let rows = part.channels.iter().enumerate().map(|(channel, facts)| {
            let numbers = [facts.lowest, facts.highest, facts.mean, facts.deviation].map(number);
            format!("{:<10}  {channel:>7}  {}", part.part, numbers.join("  "))
        });
        lines.push(text::shortened(rows.collect(), LINES, MORE));
    }
    lines.join("\n")
}

fn number(value: f32) -> String {
    let value = f64::from(value);
    let text = if value == value.trunc() && value.abs() < 1e6 {
        format!("{value:.0}")
    } else if (1e-2..1e6).contains(&value.abs()) {
        format!("{value:.2}")
    } else {
        format!("{value:.2e}")
    };
    format!("{text:>9}")
}

/// Number of findings of each check.
fn findings(inspection: &Inspection) -> String {
    let near_duplicates = match inspection.parts.len() {
        1 => search_coverage(inspection).to_owned(),
        _ => inspection.near_duplicates.len().to_string(),
    };
    let mut lines = vec![
        format!("near-duplicates across splits  {near_duplicates}"),
        format!("duplicates within a split      {}", inspection.duplicates.len()),
    ];
    if inspection.are_images {
        lines.push(format!("blank images                   {}", inspection.blank.len()));
    }
    lines.join("\n")
}

pub fn search_coverage(inspection: &Inspection) -> &'static str {
    match inspection.parts.len() {
        1 => "not searched: only one split (give a config)",
        _ => "searched all examples",
    }
}

/// A list with a title; empty if there are no lines.
fn list(title: &str, lines: impl Iterator<Item = String>) -> String {
    let lines: Vec<String> = lines.map(|line| format!("  {line}")).collect();
    if lines.is_empty() {
        return String::new();
    }
    format!("{title}\n{}", text::shortened(lines, LINES, MORE))
}

fn pair(pair: &DuplicatePair) -> String {
    let distance = distance(pair.distance);
    let conflict = if pair.labels_agree() { "" } else { "  CONFLICTING LABELS" };
    format!("{}  {}  {distance}{conflict}", location(&pair.example), location(&pair.of))
}

/// Distance between two examples.
pub fn distance(distance: f32) -> String {
    match distance {
        0.0 => "equal".to_owned(),
        distance => format!("distance {distance:.2}"),
    }
}

fn location(example: &ExampleLocation) -> String {
    let class = escaped(&example.class);
    let file = example.file.as_ref().map_or(String::new(), |file| format!(" {}", escaped(file)));
    let text = format!("{} {} (class {class}){file}", example.part, example.index);
    pad_end(&text, NAME_WIDTH)
}

/// Labels that contradict those of the nearest training images.
fn suspect_labels(suspects: &SuspectLabels) -> String {
    let basis = agreement(suspects);
    let lines =
        suspects.listed.iter().map(|SuspectLabel { example, nearest, distance, .. }| {
            format!("{}  {}  distance {distance:.2}", location(example), location(nearest))
        });
    let title = "suspect labels: these images are close to images of another class";
    let lines = list(title, lines);
    if lines.is_empty() { basis } else { format!("{basis}\n\n{lines}") }
}

/// Agreement of labels with those of the nearest training images.
pub fn agreement(suspects: &SuspectLabels) -> String {
    let SuspectLabels { searched, agreed, confirmed, .. } = suspects;
    let basis = format!(
        "the 5 nearest training images agree on a class for {agreed} of {searched} images;\nit is the label of {confirmed} of them"
    );
    if suspects.is_reliable() { basis } else { format!("{basis}: too few to flag label errors") }
}

fn verdict(report: &Report) -> String {
    let warnings = &report.inspection.warnings;
    let mut parts = Vec::new();
    if !warnings.is_empty() {
        let lines: Vec<_> = warnings.iter().map(|warning| escaped(warning)).collect();
        parts.push(format!("{}\n  {}", style::doubtful("WARNINGS"), lines.join("\n  ")));
    }
    if !report.problems.is_empty() {
        parts.push(format!("{}\n  {}", style::bad("PROBLEMS"), report.problems.join("\n  ")));
    } else if warnings.is_empty() {
        parts.push(style::good("no problems found that invalidate scores"));
    }
    parts.join("\n\n")
}
