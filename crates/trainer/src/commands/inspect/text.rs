use std::path::PathBuf;

use dataset::{Doubts, Inspection, Pair, PartFacts, Place};

use super::Report;
use crate::commands::STAND_IN;
use crate::style;

/// The most lines of a list; JSON has all.
const LINES: usize = 20;

/// What is told of a data set, in paragraphs.
pub fn of(report: &Report, drawn: Option<&[PathBuf]>) -> String {
    let inspection = report.inspection;
    let paragraphs = [
        headline(report),
        balance(inspection),
        ranges(inspection),
        findings(inspection),
        list("twins across parts", inspection.twins.iter().map(pair)),
        list("equal examples within a part", inspection.duplicates.iter().map(pair)),
        list("blank images", inspection.blank.iter().map(place)),
        inspection.doubts.as_ref().map_or(String::new(), doubts),
        drawn.map_or(String::new(), pictures),
        verdict(report),
    ];
    let paragraphs = paragraphs.into_iter().filter(|paragraph| !paragraph.is_empty());
    paragraphs.collect::<Vec<_>>().join("\n\n")
}

fn headline(report: &Report) -> String {
    let inspection = report.inspection;
    let mut lines = Vec::from_iter(report.stand_in.then(|| style::doubtful(STAND_IN)));
    lines.push(format!("{}: {}", report.input, about(inspection)));
    let origin = |part: &PartFacts| {
        let origin = report.origins.get(part.part).map_or("", String::as_str);
        format!("  {:<10}  {:>7}  {origin}", part.part, part.count)
    };
    lines.extend(inspection.parts.iter().map(origin));
    lines.join("\n")
}

/// What the examples are.
pub fn about(inspection: &Inspection) -> String {
    let [height, width, channels] = inspection.shape;
    let examples = match inspection.are_images {
        true => format!("images of {height}x{width}x{channels}"),
        false => format!("points of {channels} features"),
    };
    format!("{examples} in {} classes", inspection.classes.len())
}

/// How many examples of each class each part has.
fn balance(inspection: &Inspection) -> String {
    let names = inspection.classes.iter().map(|name| name.chars().count());
    let width = names.max().unwrap_or(0).clamp("class".len(), 30);
    let heads = inspection.parts.iter().map(|part| format!("  {:>16}", part.part));
    let mut lines = vec![format!("{:<width$}{}", "class", heads.collect::<String>())];
    lines.extend(inspection.classes.iter().enumerate().map(|(class, name)| {
        let counts = inspection.parts.iter().map(|part| {
            let count = part.classes.get(class).copied().unwrap_or_default();
            let share = 100.0 * count as f64 / part.count.max(1) as f64;
            format!("  {count:>7} {share:>6.1} %")
        });
        let name: String = name.chars().take(width).collect();
        format!("{name:<width$}{}", counts.collect::<String>())
    }));
    shortened(lines, LINES + 1)
}

/// The values of each channel of each part.
fn ranges(inspection: &Inspection) -> String {
    let kind = if inspection.are_images { "channel" } else { "feature" };
    let mut lines = vec![format!(
        "{:<10}  {kind}  {:>9}  {:>9}  {:>9}  {:>9}",
        "part", "lowest", "highest", "mean", "deviation"
    )];
    for part in &inspection.parts {
        let rows = part.channels.iter().enumerate().map(|(channel, facts)| {
            let numbers = [facts.lowest, facts.highest, facts.mean, facts.deviation].map(number);
            format!("{:<10}  {channel:>7}  {}", part.part, numbers.join("  "))
        });
        lines.push(shortened(rows.collect(), LINES));
    }
    lines.join("\n")
}

fn number(value: f32) -> String {
    let value = f64::from(value);
    let text = match value == value.trunc() && value.abs() < 1e6 {
        true => format!("{value:.0}"),
        false if (1e-2..1e6).contains(&value.abs()) => format!("{value:.2}"),
        false => format!("{value:.2e}"),
    };
    format!("{text:>9}")
}

/// How much was found of what there is to find.
fn findings(inspection: &Inspection) -> String {
    let twins = match inspection.parts.len() {
        1 => looked_for(inspection),
        _ if inspection.was_searched_whole() => inspection.twins.len().to_string(),
        _ => format!("{} ({})", inspection.twins.len(), looked_for(inspection)),
    };
    let mut lines = vec![
        format!("twins across parts            {twins}"),
        format!("equal examples within a part  {}", inspection.duplicates.len()),
    ];
    if inspection.are_images {
        lines.push(format!("blank images                  {}", inspection.blank.len()));
    }
    lines.join("\n")
}

/// For how many examples twins were looked for.
pub fn looked_for(inspection: &Inspection) -> String {
    let [searched, count] = inspection.searched;
    match inspection.parts.len() {
        1 => "not looked for: a single part, give a config".to_owned(),
        _ if inspection.was_searched_whole() => format!("looked for with all {count}"),
        _ => format!("looked for with {searched} of {count}"),
    }
}

/// A titled list; nothing if it is empty.
fn list(title: &str, lines: impl Iterator<Item = String>) -> String {
    let lines: Vec<String> = lines.map(|line| format!("  {line}")).collect();
    if lines.is_empty() { String::new() } else { format!("{title}\n{}", shortened(lines, LINES)) }
}

fn pair(pair: &Pair) -> String {
    let distance = distance(pair.distance);
    let torn = if pair.is_of_one_class() { "" } else { "  TWO LABELS" };
    format!("{}  {}  {distance}{torn}", place(&pair.example), place(&pair.of))
}

/// How far apart two examples are.
pub fn distance(distance: f32) -> String {
    match distance {
        0.0 => "equal".to_owned(),
        distance => format!("distance {distance:.2}"),
    }
}

fn place(place: &Place) -> String {
    format!("{:<26}", format!("{} {} (class {})", place.part, place.index, place.class))
}

/// Labels that the nearest training images contradict.
fn doubts(doubts: &Doubts) -> String {
    let basis = doubted(doubts);
    let lines = doubts.listed.iter().map(|doubt| {
        let distance = doubt.distance;
        format!("{}  {}  distance {distance:.2}", place(&doubt.example), place(&doubt.nearest))
    });
    let title = "labels worth a look: these images are near ones of another class";
    let lines = list(title, lines);
    if lines.is_empty() { basis } else { format!("{basis}\n\n{lines}") }
}

/// How labels were doubted, and whether they can be.
pub fn doubted(doubts: &Doubts) -> String {
    let Doubts { searched, agreed, confirmed, .. } = doubts;
    let basis = format!(
        "of {searched} images, the 5 nearest training images are of one class for {agreed},\nwhich is the label for {confirmed}"
    );
    match doubts.are_founded() {
        true => basis,
        false => format!("{basis}: too few to doubt a label by them"),
    }
}

fn pictures(drawn: &[PathBuf]) -> String {
    let drawn: Vec<_> = drawn.iter().map(|path| path.display().to_string()).collect();
    format!("drawn: {}", drawn.join(", "))
}

fn verdict(report: &Report) -> String {
    match report.problems.is_empty() {
        true => style::good("nothing found that makes a score worthless"),
        false => format!("{}\n  {}", style::bad("PROBLEMS"), report.problems.join("\n  ")),
    }
}

/// So many of `lines`, and how many there are more.
fn shortened(mut lines: Vec<String>, most: usize) -> String {
    let more = lines.len().saturating_sub(most);
    lines.truncate(most);
    lines.extend((more > 0).then(|| format!("  and {more} more; --json has all")));
    lines.join("\n")
}
