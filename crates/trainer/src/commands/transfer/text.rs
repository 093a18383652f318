use std::path::{Path, PathBuf};

use dataset::{Fit, Imported, MadePart, MadeSet, Role, Together, UnusableImage};

use super::Report;
use crate::commands::STAND_IN;
use crate::style;
use crate::table::{Align, Table};

/// The most classes and files that are listed; JSON has all.
const LINES: usize = 20;

/// What is told of folders of images that are now HDF5 files.
pub fn of_import(report: &Report<&Imported>, fit: Fit) -> String {
    let Imported { made, skipped, left_out, all_grey } = report.made;
    let mut paragraphs = vec![table_of(&report.out, made)];
    paragraphs.extend(made.together.as_ref().map(together));
    paragraphs.extend((!skipped.is_empty()).then(|| skipped_images(skipped)));
    paragraphs.extend((!left_out.is_empty()).then(|| files_left_out(left_out)));
    let note = "all images are grey: --grey stores them with one channel instead of three";
    paragraphs.extend(all_grey.then(|| note.to_owned()));
    let fitted = "`trainer predict` stretches images to the size: bring them to its form before";
    paragraphs.extend((fit != Fit::Stretch).then(|| fitted.to_owned()));
    paragraphs.push(next(&report.out, made));
    paragraphs.join("\n\n")
}

/// What is told of images that are now files.
pub fn of_export(report: &Report<&MadeSet>) -> String {
    let (out, made) = (report.out.display(), report.made);
    let grey = if made.shape[2] == 1 { " --grey" } else { "" };
    let file = if made.parts.len() > 1 { "DIR" } else { "FILE.h5" };
    let table = table_of(&report.out, made);
    let next = format!("next: trainer data import {out} --out {file}{grey}");
    format!("{table}\n\n{}", style::faint(&next))
}

/// What is told of a file that is now several.
pub fn of_split(report: &Report<&MadeSet>) -> String {
    let mut paragraphs = vec![table_of(&report.out, report.made)];
    paragraphs.extend(report.made.together.as_ref().map(together));
    paragraphs.push(next(&report.out, report.made));
    paragraphs.join("\n\n")
}

/// How many examples of each class each part has.
fn table_of(out: &Path, made: &MadeSet) -> String {
    let MadeSet { shape: [height, width, channels], are_images, classes, parts, .. } = made;
    let examples = match are_images {
        true => format!("images of {height}x{width}x{channels}"),
        false => format!("points of {channels} features"),
    };
    let mut lines = Vec::from_iter(made.stand_in.then(|| style::doubtful(STAND_IN)));
    lines.push(format!("{}: {examples} in {} classes", out.display(), classes.len()));
    let heads = parts.iter().map(|part| (part.part.as_str(), Align::Right));
    let mut table = Table::new([("class", Align::Left)].into_iter().chain(heads), 0);
    for (class, name) in classes.iter().enumerate().take(LINES) {
        let count =
            |part: &MadePart| part.classes.get(class).map_or(String::new(), usize::to_string);
        table.row([name.clone()].into_iter().chain(parts.iter().map(count)));
    }
    let more = classes.len().saturating_sub(LINES);
    if more > 0 {
        let none = parts.iter().map(|_| String::new());
        table.row([format!("and {more} more; --json has all")].into_iter().chain(none));
    }
    let counts = parts.iter().map(|part| part.count.to_string());
    table.row(["all".to_owned()].into_iter().chain(counts));
    lines.push(table.text());
    lines.join("\n")
}

fn together(together: &Together) -> String {
    let Together { groups, examples, largest, searched: [searched, count], lacking } = together;
    let mut lines = vec![match groups {
        0 => "no twins: each example is on its own".to_owned(),
        1 => format!("{examples} examples are twins of one another, and in one part"),
        _ => format!(
            "{examples} examples are twins, in {groups} groups of up to {largest}: each group is in one part"
        ),
    }];
    let thinned = format!("(twins were looked for with {searched} of {count} images)");
    lines.extend((searched < count).then_some(thinned));
    if !lacking.is_empty() {
        let without = |role: Role| {
            let classes = lacking.iter().filter(|lacking| lacking.part == role);
            let classes: Vec<_> = classes.map(|lacking| lacking.class.as_str()).collect();
            let more = classes.len().saturating_sub(LINES);
            let shown = classes.get(..LINES).unwrap_or(&classes).join(", ");
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let line = format!("  the {} set has none of {shown}{more}", role.as_str());
            (!classes.is_empty()).then_some(line)
        };
        let attention = "ATTENTION: groups that are larger than the share stay in the training set;\n--ignore-twins tears them";
        lines.push(style::doubtful(attention));
        lines.extend(Role::ALL.into_iter().filter_map(without));
    }
    lines.join("\n")
}

fn skipped_images(skipped: &[UnusableImage]) -> String {
    let line = |image: &UnusableImage| format!("  {}: {}", image.path.display(), image.reason);
    let lines: Vec<_> = skipped.iter().map(line).collect();
    format!("left out, since they cannot be read: {}\n{}", skipped.len(), lines.join("\n"))
}

fn files_left_out(files: &[PathBuf]) -> String {
    let mut lines: Vec<_> =
        files.iter().take(LINES).map(|path| format!("  {}", path.display())).collect();
    let more = files.len().saturating_sub(LINES);
    lines.extend((more > 0).then(|| format!("  and {more} more; --json has all")));
    format!("left out, since they are no images: {}\n{}", files.len(), lines.join("\n"))
}

fn next(out: &Path, made: &MadeSet) -> String {
    let train = made.parts.iter().find(|part| part.part == Role::Train);
    let train = train.map_or(out, |part| &part.path);
    let (out, train) = (out.display(), train.display());
    style::faint(&format!("next: trainer data inspect {train}\n      trainer config init {out}"))
}
