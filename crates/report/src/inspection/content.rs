use maud::{Markup, PreEscaped, html};

use super::{DataCard, DataFinding, DataImage, DataPage, DataPart, plots};
use crate::decision_boundary;
use crate::page::{Bar, bar, figures, key_values, percent, section};

/// Largest number of classes with bars, and of channels with statistics.
const CLASSES: usize = 50;
const CHANNELS: usize = 50;

/// Returns the title and the results of all checks.
pub fn headline(data: &DataPage) -> Markup {
    html! {
        header {
            h1 { (data.title) }
            p class="quiet" { (data.about) }
            @if let Some(warning) = &data.warning { p class="warning" { (warning) } }
            @for problem in &data.problems { p class="warning" { (problem) } }
            @if data.problems.is_empty() { p { "No problems that invalidate the scores were found." } }
            div class="scroll" { table class="key-values" { tbody {
                @for finding in &data.findings { (check(finding)) }
            } } }
        }
    }
}

/// Returns the row of a check, with a link to its findings.
fn check(finding: &DataFinding) -> Markup {
    html! { tr {
        td { b { @match finding.count { Some(count) => (count), None => "–" } } }
        td {
            @if finding.cards.is_empty() {
                (finding.heading)
            } @else {
                a href=(format!("#{}", anchor(finding))) { (finding.heading) }
            }
            p class="quiet" { (finding.summary) }
        }
    } }
}

fn anchor(finding: &DataFinding) -> String {
    finding.heading.replace(' ', "-").to_lowercase()
}

/// Returns the origin of each split.
pub fn parts(data: &DataPage) -> Markup {
    let parts = data.parts.iter();
    let parts = parts.map(|part| (part.name.clone(), format!("{}: {}", part.count, part.origin)));
    let sums = data.sums.iter().map(|(source, sum)| (format!("SHA-256, {source}"), sum.clone()));
    section("Splits", &key_values(&parts.chain(sums).collect::<Vec<_>>()))
}

/// Returns the number of examples of each class in each split.
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
        p { b { (part.name) } ": a majority-class baseline has an accuracy of " (share) }
        @for (name, &count) in names.iter().zip(&part.classes).take(CLASSES) {
            (bar(&Bar { name, share: count as f64 / largest as f64, text: &count.to_string(), is_marked: count == 0 }))
        }
        @if names.len() > CLASSES { p class="quiet" { "and " (names.len() - CLASSES) " more classes" } }
    }
}

/// Returns the distribution of the values of each channel.
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
                figure { (PreEscaped(decision_boundary::compose(points, None, "Points"))) }
            }
            div class="scroll" { table {
                thead { tr {
                    th { "split" } th { (data.unit) }
                    th { "lowest" } th { "highest" } th { "mean" } th { "std. dev." }
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
    if value == value.trunc() && value.abs() < 1e6 {
        format!("{value:.0}")
    } else if (1e-2..1e6).contains(&value.abs()) {
        format!("{value:.2}")
    } else {
        format!("{value:.2e}")
    }
}

/// Returns example images of each class.
pub fn preview(data: &DataPage) -> Result<Markup, String> {
    let mut classes = Vec::new();
    for row in &data.preview {
        let images: Vec<_> = row.images.iter().map(image).collect::<Result<_, _>>()?;
        classes.push((&row.class, images));
    }
    Ok(html! { @if !classes.is_empty() { (section("Examples of each class", &html! {
        @for (name, images) in classes {
            h3 { (name) }
            div class="pictures batch" { @for image in images { (image) } }
        }
    })) } })
}

/// Returns the section of a check with findings.
pub fn finding(finding: &DataFinding) -> Result<Markup, String> {
    let cards: Vec<Markup> = finding.cards.iter().map(card).collect::<Result<_, _>>()?;
    let shown = match finding.count {
        Some(count) if count > cards.len() => format!(" The first {} are shown.", cards.len()),
        _ => String::new(),
    };
    let heading = format!("{} ({})", finding.heading, finding.count.unwrap_or(cards.len()));
    let content = html! {
        p { (finding.remedy) (shown) }
        div class="pictures cards" { @for card in &cards { (card) } }
    };
    Ok(html! { div id=(anchor(finding)) { (section(&heading, &content)) } })
}

fn card(card: &DataCard) -> Result<Markup, String> {
    let images: Vec<Markup> = card.images.iter().map(image).collect::<Result<_, _>>()?;
    Ok(html! { div class="card" {
        @if !images.is_empty() { div class="pair" { @for image in &images { (image) } } }
        @for line in &card.lines { p { (line) } }
    } })
}

fn image(data: &DataImage) -> Result<Markup, String> {
    let captions: Vec<&String> = data.captions.iter().filter(|line| !line.is_empty()).collect();
    let source = data.uri()?;
    Ok(html! { figure {
        img alt=(captions.first().map_or("an image", |caption| caption)) src=(source);
        figcaption { @for caption in captions { div { (caption) } } }
    } })
}
