//! Two runs side by side: one HTML file.

use std::path::Path;

use maud::{Markup, html};

use crate::curves::{curve, epochs};
use crate::error::ReportError;
use crate::inputs::{RunData, RunFiles};
use crate::output::write_file;
use crate::page::{document, figures, interval, percent, section};
use crate::panel::{AxisOf, Curve, Panel, free_axis, percent_axis};
use crate::plots::{Plot, single};

/// Draws a comparison of two runs to `page`, with the keys in which their configs differ and the
/// values of both.
pub fn draw_comparison(
    files: [&RunFiles; 2],
    differing: &[(String, [String; 2])],
    page: &Path,
) -> Result<(), ReportError> {
    let [one, other] = files;
    let runs = [one.read()?, other.read()?];
    let titles = runs.each_ref().map(RunData::title);
    let title = format!("{} against {}", titles[0], titles[1]);
    let content = html! {
        header { h1 { (title) } }
        (section("Scores", &scores(&runs, &titles)))
        (section("Curves", &figures(&curves(&runs, &titles))))
        (section("What differs in the config", &config(differing, &titles)))
    };
    write_file(page, document(&title, &content).into_string().as_bytes())
}

fn scores(runs: &[RunData; 2], titles: &[String; 2]) -> Markup {
    let test = |run: &RunData| match run.correct() {
        Some((right, count)) => {
            format!("{} ({right} of {count})", percent(right as f64 / count.max(1) as f64))
        }
        None => "not finished".to_owned(),
    };
    let within = |run: &RunData| {
        run.correct().map_or(String::new(), |(right, count)| interval(right, count))
    };
    let of_summary = |value: fn(&crate::inputs::Summary) -> String| {
        runs.each_ref().map(|run| run.summary.as_ref().map_or(String::new(), value))
    };
    let rows = [
        ("test accuracy", runs.each_ref().map(test)),
        ("its 95 % interval", runs.each_ref().map(within)),
        ("train accuracy", of_summary(|summary| percent(summary.train_accuracy))),
        ("epochs", of_summary(|summary| summary.epochs.to_string())),
        ("parameters", of_summary(|summary| summary.parameters.to_string())),
        ("seconds", of_summary(|summary| format!("{:.1}", summary.seconds))),
        ("data", runs.each_ref().map(data)),
        ("device", runs.each_ref().map(|run| run.environment.device.clone())),
    ];
    html! {
        div class="scroll" { (side_by_side(titles, rows.map(|(name, cells)| (name.to_owned(), cells)))) }
        p { (verdict(runs, titles)) }
    }
}

/// What the run was tested on: stand-in data, or the begin of their sum.
fn data(run: &RunData) -> String {
    let data = &run.environment.data;
    let sum = data.sha256.get("test").map_or("", String::as_str);
    match data.stand_in {
        true => "stand-in, drawn by the trainer".to_owned(),
        false => format!("SHA-256 {}..", sum.chars().take(12).collect::<String>()),
    }
}

fn side_by_side(
    titles: &[String; 2],
    rows: impl IntoIterator<Item = (String, [String; 2])>,
) -> Markup {
    html! { table class="words" {
        thead { tr { th {} @for title in titles { th { (title) } } } }
        tbody { @for (name, cells) in rows { tr {
            td class="quiet" { (name) }
            @for cell in cells { td { (cell) } }
        } } }
    } }
}

/// Whether the difference could be chance.
fn verdict(runs: &[RunData; 2], titles: &[String; 2]) -> String {
    let [one, other] = runs;
    let same_data =
        one.environment.data.sha256.get("test") == other.environment.data.sha256.get("test");
    let (Some(mine), Some(theirs), true) = (&one.findings, &other.findings, same_data) else {
        return "They cannot be compared example by example: one is not finished, or their test \
                sets are not the same."
            .to_owned();
    };
    let alone = |wrong: &[usize], others: &[usize]| {
        wrong.iter().filter(|item| !others.contains(item)).count()
    };
    let (first, second) = (alone(&mine.wrong, &theirs.wrong), alone(&theirs.wrong, &mine.wrong));
    format!(
        "Of the same test set {} alone has {first} wrong, {} alone {second}: a difference that \
         chance alone makes at least as large with a probability of {:.3} (McNemar's exact test, 1947).",
        titles[0],
        titles[1],
        mcnemar(first, second)
    )
}

/// The probability that of `one + other` fair coins at least as many as the larger of both fall on
/// the same side.
fn mcnemar(one: usize, other: usize) -> f64 {
    let count = one + other;
    let mut probability = 0.5_f64.powi(i32::try_from(count).unwrap_or(i32::MAX));
    let mut sum = 0.0;
    for heads in 0..=one.min(other) {
        sum += probability;
        probability *= (count - heads) as f64 / (heads + 1) as f64;
    }
    (2.0 * sum).min(1.0)
}

fn curves(runs: &[RunData; 2], titles: &[String; 2]) -> Vec<Plot> {
    let [one, other] = runs;
    let both = |value: fn(&crate::curves::Row) -> Option<f64>| {
        [
            (titles[0].as_str(), curve(&one.rows, value)),
            (titles[1].as_str(), curve(&other.rows, value)),
        ]
    };
    let ends = [epochs(&one.rows), epochs(&other.rows)];
    let span = ends.into_iter().flatten().reduce(|[a, b], [c, d]| [a.min(c), b.max(d)]);
    let (free, percents): (AxisOf, AxisOf) = (free_axis, percent_axis);
    let train_accuracy = both(|row| row.train_accuracy.map(|share| 100.0 * share));
    let validation_accuracy = both(|row| row.validation_accuracy.map(|share| 100.0 * share));
    let panels = [
        ("train_loss", "Training loss", both(|row| row.train_loss), free),
        ("validation_loss", "Validation loss", both(|row| row.validation_loss), free),
        ("train_accuracy", "Training accuracy (%)", train_accuracy, percents),
        ("validation_accuracy", "Validation accuracy (%)", validation_accuracy, percents),
    ];
    let is_there =
        |curves: &[(&str, Vec<[f64; 2]>); 2]| curves.iter().any(|(_, curve)| !curve.is_empty());
    let panels = panels.into_iter().filter(|(_, _, curves, _)| is_there(curves));
    let plot = |(name, heading, curves, axis): (_, _, [(&str, Curve); 2], _)| {
        let panel = Panel { heading, curves: &curves, epochs: span, axis };
        Plot { name, svg: single(&panel) }
    };
    panels.map(plot).collect()
}

fn config(differing: &[(String, [String; 2])], titles: &[String; 2]) -> Markup {
    match differing.is_empty() {
        true => html! { p { "Nothing." } },
        false => html! { div class="scroll" { (side_by_side(titles, differing.iter().cloned())) } },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exact_test_counts_coins() {
        assert_eq!(mcnemar(0, 0), 1.0);
        assert!((mcnemar(1, 5) - 2.0 * 7.0 / 64.0).abs() < 1e-12);
        assert!((mcnemar(0, 10) - 2.0 / 1024.0).abs() < 1e-12);
        assert_eq!(mcnemar(3, 3), 1.0);
    }
}
