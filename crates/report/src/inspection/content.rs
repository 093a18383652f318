use maud::{Markup, PreEscaped, html};

use super::{DataCard, DataFinding, DataPage, DataPart, plots};
use crate::page::{Bar, bar, figures, percent, section, words};
use crate::plane;
use crate::sheet::SheetCell;

/// The most classes whose bars are drawn, and the most channels whose values are told.
const CLASSES: usize = 50;
const CHANNELS: usize = 50;

/// What it is, and what is wrong with it.
pub fn headline(data: &DataPage) -> Markup {
    html! {
        header {
            h1 { (data.title) }
            p class="quiet" { (data.about) }
            @if let Some(warning) = &data.warning { p class="warning" { (warning) } }
            @for problem in &data.problems { p class="warning" { (problem) } }
            @if data.problems.is_empty() { p { "Nothing found that makes a score worthless." } }
            div class="scroll" { table class="words" { tbody {
                @for finding in &data.findings { (looked_for(finding)) }
            } } }
        }
    }
}

/// How often something was found, with the way to it.
fn looked_for(finding: &DataFinding) -> Markup {
    html! { tr {
        td { b { @match finding.count { Some(count) => (count), None => "–" } } }
        td {
            @match finding.cards.is_empty() {
                true => (finding.heading),
                false => a href=(format!("#{}", anchor(finding))) { (finding.heading) },
            }
            p class="quiet" { (finding.told) }
        }
    } }
}

fn anchor(finding: &DataFinding) -> String {
    finding.heading.replace(' ', "-").to_lowercase()
}

/// Where each part comes from.
pub fn parts(data: &DataPage) -> Markup {
    let of_part = |part: &DataPart| (part.name.clone(), format!("{}: {}", part.count, part.origin));
    let sums = data.sums.iter().map(|(set, sum)| (format!("SHA-256, {set}"), sum.clone()));
    let rows: Vec<_> = data.parts.iter().map(of_part).chain(sums).collect();
    section("Parts", &words(&rows))
}

/// How many examples of each class each part has.
pub fn balance(data: &DataPage) -> Markup {
    section(
        "Classes",
        &html! { div class="cards" {
            @for part in &data.parts { div class="card" { (classes(part, &data.classes)) } }
        } },
    )
}

fn classes(part: &DataPart, names: &[String]) -> Markup {
    let largest = part.classes.iter().copied().max().unwrap_or(0).max(1);
    let share = percent(largest as f64 / part.count.max(1) as f64);
    html! {
        p { b { (part.name) } ": always guessing the largest class is right for " (share) }
        @for (name, &count) in names.iter().zip(&part.classes).take(CLASSES) {
            (bar(&Bar { name, share: count as f64 / largest as f64, text: &count.to_string(), is_marked: count == 0 }))
        }
        @if names.len() > CLASSES { p class="quiet" { "and " (names.len() - CLASSES) " more classes" } }
    }
}

/// What values the channels have.
pub fn values(data: &DataPage) -> Markup {
    let rows = data.parts.iter().flat_map(|part| {
        part.channels.iter().enumerate().take(CHANNELS).map(move |channel| (part, channel))
    });
    let width = data.parts.iter().map(|part| part.channels.len()).max().unwrap_or(0);
    section(
        "Values",
        &html! {
            (figures(&plots::histograms(data)))
            @if let Some(points) = &data.points {
                figure { (PreEscaped(plane::compose(points, None, "Points"))) }
            }
            div class="scroll" { table {
                thead { tr {
                    th { "part" } th { (data.unit) }
                    th { "lowest" } th { "highest" } th { "mean" } th { "deviation" }
                } }
                tbody { @for (part, (channel, values)) in rows { tr {
                    td { (part.name) }
                    td { (channel) }
                    @for value in values { td { (number(*value)) } }
                } } }
            } }
            @if width > CHANNELS { p class="quiet" { "and " (width - CHANNELS) " more" } }
        },
    )
}

fn number(value: f32) -> String {
    match value == value.trunc() && value.abs() < 1e6 {
        true => format!("{value:.0}"),
        false if (1e-2..1e6).contains(&value.abs()) => format!("{value:.2}"),
        false => format!("{value:.2e}"),
    }
}

/// Some images of each class.
pub fn preview(data: &DataPage) -> Result<Markup, String> {
    let mut classes = Vec::new();
    for row in &data.preview {
        let images: Vec<_> = row.groups.iter().flatten().map(image).collect::<Result<_, _>>()?;
        classes.push((&row.label, images));
    }
    Ok(html! { @if !classes.is_empty() { (section("Some images of each class", &html! {
        @for (name, images) in classes {
            h3 { (name) }
            div class="pictures batch" { @for image in images { (image) } }
        }
    })) } })
}

/// Something that was found.
pub fn finding(finding: &DataFinding) -> Result<Markup, String> {
    let cards: Vec<Markup> = finding.cards.iter().map(card).collect::<Result<_, _>>()?;
    let shown = match finding.count {
        Some(count) if count > cards.len() => format!(" The first {} are shown.", cards.len()),
        _ => String::new(),
    };
    let heading = format!("{} ({})", finding.heading, finding.count.unwrap_or(cards.len()));
    let content = html! {
        p { (finding.next) (shown) }
        div class="pictures cards" { @for card in &cards { (card) } }
    };
    Ok(html! { div id=(anchor(finding)) { (section(&heading, &content)) } })
}

fn card(card: &DataCard) -> Result<Markup, String> {
    let images: Vec<Markup> = card.images.iter().map(image).collect::<Result<_, _>>()?;
    Ok(html! { div class="card" {
        @if !images.is_empty() { div class="pair" { @for image in &images { (image) } } }
        @for words in &card.words { p { (words) } }
    } })
}

fn image(cell: &SheetCell) -> Result<Markup, String> {
    let captions: Vec<&String> = cell.captions.iter().filter(|line| !line.is_empty()).collect();
    let source = cell.uri()?;
    Ok(html! { figure {
        img alt=(captions.first().map_or("an image", |caption| caption)) src=(source);
        figcaption { @for caption in captions { div { (caption) } } }
    } })
}
