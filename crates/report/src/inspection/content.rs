use maud::{Markup, PreEscaped, html};

use super::{DataCard, DataFinding, DataHistogram, DataImage, DataPage, DataPart};
use crate::chart::{Chart, Curve, Line, Scale};
use crate::decision_boundary;
use crate::page::{anchor, bar, charts, key_values, percent, table};

/// Largest number of classes with bars, of channels with statistics, and of those with a histogram.
const CLASSES: usize = 50;
const CHANNELS: usize = 50;
const HISTOGRAMS: usize = 6;

/// Returns the results of all checks.
pub fn headline(data: &DataPage) -> Markup {
    html! {
        p class="quiet" { (data.about) }
        @if let Some(warning) = &data.warning { p class="warning" { (warning) } }
        @for problem in &data.problems { p class="warning" { (problem) } }
        @if data.problems.is_empty() { p { "No problems that invalidate the scores were found." } }
        div class="scroll" { table class="key-values" { tbody {
            @for finding in &data.findings { (check(finding)) }
        } } }
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
                a href=(format!("#{}", anchor(finding.heading))) { (finding.heading) }
            }
            p class="quiet" { (finding.summary) }
        }
    } }
}

/// Returns the origin of each split.
pub fn parts(data: &DataPage) -> Markup {
    let parts = data.parts.iter();
    let parts = parts.map(|part| (part.name.clone(), format!("{}: {}", part.count, part.origin)));
    let sums = data.sums.iter().map(|(source, sum)| (format!("SHA-256, {source}"), sum.clone()));
    key_values(&parts.chain(sums).collect::<Vec<_>>())
}

/// Returns the number of examples of each class in each split.
pub fn balance(data: &DataPage) -> Markup {
    html! { div class="cards" {
        @for part in &data.parts { div class="card" { (classes(part, &data.classes)) } }
    } }
}

fn classes(part: &DataPart, names: &[String]) -> Markup {
    let largest = part.classes.iter().copied().max().unwrap_or(0).max(1);
    let share = percent(largest as f64 / part.count.max(1) as f64);
    html! {
        p { b { (part.name) } ": a majority-class baseline has an accuracy of " (share) }
        @for (name, &count) in names.iter().zip(&part.classes).take(CLASSES) {
            (bar(name, count as f64 / largest as f64, &count.to_string(), count == 0))
        }
        @if names.len() > CLASSES { p class="quiet" { "and " (names.len() - CLASSES) " more classes" } }
    }
}

/// Returns the distribution of the values of each channel.
pub fn values(data: &DataPage) -> Markup {
    let rows = data.parts.iter().flat_map(|part| {
        part.channels.iter().enumerate().take(CHANNELS).map(|(channel, values)| {
            let values = values.iter().map(|value| number(*value));
            let cells = [part.name.clone(), channel.to_string()].into_iter().chain(values);
            cells.map(|text| html! { (text) }).collect()
        })
    });
    let width = data.parts.iter().map(|part| part.channels.len()).max().unwrap_or(0);
    html! {
        (charts(&histograms(data)))
        @if let Some(points) = &data.points {
            figure { (PreEscaped(decision_boundary::compose(points, None, "Points"))) }
        }
        (table(&["split", data.unit, "lowest", "highest", "mean", "std. dev."], rows))
        @if width > CHANNELS { p class="quiet" { "and " (width - CHANNELS) " more" } }
    }
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
    Ok(html! { @for (name, images) in classes {
        h3 { (name) }
        div class="pictures batch" { @for image in images { (image) } }
    } })
}

/// Returns the section of a check with findings.
pub fn finding(finding: &DataFinding) -> Result<Markup, String> {
    let cards: Vec<Markup> = finding.cards.iter().map(card).collect::<Result<_, _>>()?;
    let shown = match finding.count {
        Some(count) if count > cards.len() => format!(" The first {} are shown.", cards.len()),
        _ => String::new(),
    };
    Ok(html! {
        p { (finding.count.unwrap_or(cards.len())) " found. " (finding.remedy) (shown) }
        div class="pictures cards" { @for card in &cards { (card) } }
    })
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

/// Returns a histogram for each channel, with one line per split.
pub fn histograms(data: &DataPage) -> Vec<Chart> {
    let chart = |(channel, histogram): (usize, &DataHistogram)| {
        let lines =
            data.parts.iter().zip(&histogram.parts).enumerate().map(|(index, (part, counts))| {
                Line::new(&part.name, shares(counts, histogram.range), index)
            });
        Chart {
            name: "values",
            heading: format!("Values of {} {channel} (%)", data.unit),
            x: "value",
            lines: lines.collect(),
            scale: Scale::Percent,
            marks: Vec::new(),
        }
    };
    data.histograms.iter().take(HISTOGRAMS).enumerate().map(chart).collect()
}

/// Returns the percentage of all values in each bin, at the centre of the bin.
fn shares(counts: &[u64], range: [f32; 2]) -> Curve {
    let [low, high] = range.map(f64::from);
    let total = counts.iter().sum::<u64>().max(1) as f64;
    let width = (high - low) / counts.len().max(1) as f64;
    let share = |(bin, &count): (usize, &u64)| {
        [low + width * (bin as f64 + 0.5), 100.0 * count as f64 / total]
    };
    counts.iter().enumerate().map(share).collect()
}
