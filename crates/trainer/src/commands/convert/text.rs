use std::iter;
use std::path::Path;

use data::SplitKind;
use data_sources::convert::{ConvertedDataset, ConvertedSplit, DuplicateGroups, ImportedDataset};
use data_sources::quality::inspection::Problem;
use data_sources::quality::{GroupStatistics, MissingClass};

use super::Cleaned;
use crate::commands::SYNTHETIC_NOTICE;
use crate::table::Table;
use crate::text::escaped;
use crate::{style, text};

/// Maximum number of classes and files that are listed; JSON has all.
const LINES: usize = 20;

pub fn of_import(out: &Path, imported: &ImportedDataset) -> String {
    let ImportedDataset { dataset: made, skipped, left_out, all_grey, notes, warnings } = imported;
    let mut paragraphs = vec![table_of(out, made)];
    paragraphs.extend(made.duplicate_groups.as_ref().map(near_duplicates));
    if !skipped.is_empty() {
        let lines = skipped.iter();
        let lines: String = lines
            .map(|image| format!("\n  {}: {}", text::path(&image.path), escaped(&image.reason)))
            .collect();
        paragraphs.push(format!("unreadable images skipped: {}{lines}", skipped.len()));
    }
    if !left_out.is_empty() {
        let lines = left_out.iter().map(|path| format!("  {}", text::path(path))).collect();
        let lines = text::shortened(lines, LINES, "; --json has all");
        paragraphs.push(format!("other files skipped: {}\n{lines}", left_out.len()));
    }
    let note = "all images are grey: use --grey to store one channel instead of three";
    paragraphs.extend(all_grey.then(|| note.to_owned()));
    paragraphs.extend(notes.iter().map(|note| escaped(note)));
    paragraphs.extend(warnings.iter().map(|warning| style::doubtful(&escaped(warning))));
    paragraphs.push(next(out, made));
    paragraphs.join("\n\n")
}

pub fn of_export(out: &Path, made: &ConvertedDataset) -> String {
    let grey = if made.shape[2] == 1 { " --grey" } else { "" };
    let file = if made.parts.len() > 1 { "DIR" } else { "FILE.h5" };
    let next = format!("next: trainer data import {} --out {file}{grey}", text::path(out));
    format!("{}\n\n{}", table_of(out, made), style::faint(&next))
}

pub fn of_split(out: &Path, made: &ConvertedDataset) -> String {
    let groups = made.duplicate_groups.as_ref().map(near_duplicates);
    let paragraphs = [Some(table_of(out, made)), groups, Some(next(out, made))];
    paragraphs.into_iter().flatten().collect::<Vec<_>>().join("\n\n")
}

pub fn of_cleaning(out: &Path, Cleaned { dataset, removed }: &Cleaned) -> String {
    let kinds = [
        ("duplicates", &[Problem::Duplicate] as &[_]),
        ("near-duplicates of another split", &[Problem::NearDuplicateAcrossSplits]),
        (
            "contradictory labels",
            &[Problem::ConflictingLabels, Problem::ConflictingLabelsAcrossSplits],
        ),
        ("blank images", &[Problem::Blank]),
    ];
    let counts = kinds.iter().filter_map(|(name, problems)| {
        let count = removed.iter().filter(|finding| problems.contains(&finding.problem)).count();
        (count > 0).then(|| format!("\n  {name}: {count}"))
    });
    let counts: String = counts.collect();
    let summary = if counts.is_empty() {
        "nothing was removed".to_owned()
    } else {
        format!("removed, see {}{counts}", text::path(&out.join("removed.csv")))
    };
    [table_of(out, dataset), summary, next(out, dataset)].join("\n\n")
}

/// Number of examples of each class in each split.
fn table_of(out: &Path, made: &ConvertedDataset) -> String {
    let ConvertedDataset { shape, are_images, classes, parts, .. } = made;
    let examples = text::examples(*are_images, *shape);
    let mut lines = Vec::from_iter(made.synthetic.then(|| style::doubtful(SYNTHETIC_NOTICE)));
    lines.push(format!("{}: {examples} in {} classes", text::path(out), classes.len()));
    let heads = parts.iter().map(|part| part.part.as_str());
    let mut table = Table::new(iter::once("class").chain(heads), &[0]);
    for (class, name) in classes.iter().enumerate().take(LINES) {
        let count =
            |part: &ConvertedSplit| part.classes.get(class).map_or(String::new(), usize::to_string);
        table.row(iter::once(escaped(name)).chain(parts.iter().map(count)));
    }
    let more = classes.len().saturating_sub(LINES);
    if more > 0 {
        let none = parts.iter().map(|_| String::new());
        table.row(iter::once(format!("and {more} more; --json has all")).chain(none));
    }
    let counts = parts.iter().map(|part| part.count.to_string());
    table.row(iter::once("total".to_owned()).chain(counts));
    lines.push(table.text());
    lines.join("\n")
}

/// Near-duplicates that were kept in one split, and classes that a split lacks because of them.
fn near_duplicates(groups: &DuplicateGroups) -> String {
    let DuplicateGroups { statistics, missing_classes } = groups;
    let GroupStatistics { groups, examples, largest } = statistics;
    let mut lines = vec![match groups {
        0 => "no near-duplicates".to_owned(),
        1 => format!("1 group of {examples} near-duplicates, kept in one split"),
        _ => format!(
            "{examples} near-duplicates in {groups} groups of up to {largest}, each kept in one split"
        ),
    }];
    if !missing_classes.is_empty() {
        let warning = "warning: groups larger than the fraction of a class stay in the training set;\n--ignore-near-duplicates splits them";
        lines.push(style::doubtful(warning));
        lines
            .extend(SplitKind::ALL.into_iter().filter_map(|split| missing(split, missing_classes)));
    }
    lines.join("\n")
}

/// The classes of which a split has no examples, if there are any.
fn missing(split: SplitKind, classes: &[MissingClass]) -> Option<String> {
    let classes = classes.iter().filter(|missing| missing.part == split);
    let classes: Vec<_> = classes.map(|missing| escaped(&missing.class)).collect();
    let shown = classes.get(..LINES).unwrap_or(&classes).join(", ");
    let more = classes.len().saturating_sub(LINES);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let line = format!("  the {} set has no examples of {shown}{more}", split.as_str());
    (!classes.is_empty()).then_some(line)
}

fn next(out: &Path, made: &ConvertedDataset) -> String {
    let train = made.parts.iter().find(|part| part.part == SplitKind::Train);
    let train = train.map_or(out, |part| &part.path);
    let (out, train) = (text::path(out), text::path(train));
    style::faint(&format!("next: trainer data inspect {train}\n      trainer config init {out}"))
}
