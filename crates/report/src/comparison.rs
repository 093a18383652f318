//! Comparisons of two runs: HTML files.

use artifacts::{RunDir, Summary};
use data::SplitKind;
use maud::{Markup, html};

use crate::curves::{ACCURACY, LOSS, curve, epochs};
use crate::error::ReportError;
use crate::inputs::RunData;
use crate::output::write_file;
use crate::page::{document, figures, interval, percent, section};
use crate::panel::{AxisOf, Panel, free_axis, percent_axis};
use crate::plots::{Plot, single};

/// Writes a comparison of two runs into the directory of the first. `differences` are the keys in
/// which their configs differ, with both values.
pub fn draw_comparison(
    [one, other]: [&RunDir; 2],
    differences: &[(String, [String; 2])],
) -> Result<(), ReportError> {
    let runs = [RunData::read(one)?, RunData::read(other)?];
    let titles = runs.each_ref().map(RunData::title);
    let title = format!("{} vs. {}", titles[0], titles[1]);
    let content = html! {
        header { h1 { (title) } }
        (section("Scores", &scores(&runs, &titles)))
        (section("Curves", &figures(&curves(&runs, &titles))))
        (section("Config differences", &config(differences, &titles)))
    };
    write_file(&one.comparison(other), document(&title, &content).into_string().as_bytes())
}

fn scores(runs: &[RunData; 2], titles: &[String; 2]) -> Markup {
    let of_summary = |value: fn(&Summary) -> String| {
        runs.each_ref().map(|run| run.summary.as_ref().map_or(String::new(), value))
    };
    let rows = [
        ("accuracy", runs.each_ref().map(accuracy)),
        ("95 % confidence interval", runs.each_ref().map(confidence_interval)),
        ("training accuracy", of_summary(|summary| percent(summary.train_accuracy))),
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

fn accuracy(run: &RunData) -> String {
    let Some((correct, count)) = run.correct() else { return "not finished".to_owned() };
    let share = percent(correct as f64 / count.max(1) as f64);
    format!("{share} on the {} set ({correct} of {count})", run.reported())
}

fn confidence_interval(run: &RunData) -> String {
    run.correct().map_or(String::new(), |(correct, count)| interval(correct, count))
}

/// Returns the start of the checksum of the scored examples, or that they are synthetic.
fn data(run: &RunData) -> String {
    if run.environment.data.synthetic {
        return "synthetic".to_owned();
    }
    format!("SHA-256 {}..", checksum(run).chars().take(12).collect::<String>())
}

/// The checksum of the source of the scored examples, which may be held out of the training set.
fn checksum(run: &RunData) -> &str {
    let sums = &run.environment.data.sha256;
    let own = sums.get(run.reported().as_str()).or_else(|| sums.get(SplitKind::Train.as_str()));
    own.map_or("", String::as_str)
}

/// Returns true if both runs are scored on the same examples.
fn have_same_examples([one, other]: &[RunData; 2]) -> bool {
    let is_held_out =
        |run: &RunData| !run.environment.data.sha256.contains_key(run.reported().as_str());
    one.reported() == other.reported()
        && checksum(one) == checksum(other)
        && one.correct().map(|(_, count)| count) == other.correct().map(|(_, count)| count)
        // What is held out depends on the seed.
        && (!is_held_out(one) || one.environment.seed == other.environment.seed)
}

fn side_by_side(
    titles: &[String; 2],
    rows: impl IntoIterator<Item = (String, [String; 2])>,
) -> Markup {
    html! { table class="key-values" {
        thead { tr { th {} @for title in titles { th { (title) } } } }
        tbody { @for (name, cells) in rows { tr {
            td class="quiet" { (name) }
            @for cell in cells { td { (cell) } }
        } } }
    } }
}

/// Describes the significance of the difference in accuracy.
fn verdict(runs: &[RunData; 2], titles: &[String; 2]) -> String {
    let [one, other] = runs;
    let are_comparable = have_same_examples(runs);
    let (Some(mine), Some(theirs), true) = (&one.predictions, &other.predictions, are_comparable)
    else {
        return "The predictions cannot be compared: a run is not finished, or the scored examples \
                differ."
            .to_owned();
    };
    let first = mine.wrong.iter().filter(|item| !theirs.wrong.contains(item)).count();
    let second = theirs.wrong.iter().filter(|item| !mine.wrong.contains(item)).count();
    format!(
        "Examples of the {} set that only one run misclassifies: {} {first}, {} {second}; p = {:.3} \
         (McNemar's exact test, 1947).",
        one.reported(),
        titles[0],
        titles[1],
        mcnemar(first, second)
    )
}

/// Returns the two-sided p-value of the exact binomial test of `one` against `other` with equal
/// probabilities.
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
    let ends = runs.each_ref().map(|run| epochs(&run.epochs));
    let span = ends.into_iter().flatten().reduce(|[a, b], [c, d]| [a.min(c), b.max(d)]);
    let panels: [(_, _, _, AxisOf); 4] = [
        ("train_loss", "Training loss", LOSS[0], free_axis),
        ("validation_loss", "Validation loss", LOSS[1], free_axis),
        ("train_accuracy", "Training accuracy (%)", ACCURACY[0], percent_axis),
        ("validation_accuracy", "Validation accuracy (%)", ACCURACY[1], percent_axis),
    ];
    let mut plots = Vec::new();
    for (name, heading, value, axis) in panels {
        let [one, other] = runs.each_ref().map(|run| curve(&run.epochs, value));
        let curves = [(titles[0].as_str(), one), (titles[1].as_str(), other)];
        if curves.iter().any(|(_, curve)| !curve.is_empty()) {
            let panel = Panel { heading, curves: &curves, epochs: span, axis };
            plots.push(Plot { name, svg: single(&panel) });
        }
    }
    plots
}

fn config(differences: &[(String, [String; 2])], titles: &[String; 2]) -> Markup {
    if differences.is_empty() {
        return html! { p { "The configs are equal." } };
    }
    html! { div class="scroll" { (side_by_side(titles, differences.iter().cloned())) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p_values_are_those_of_the_binomial_distribution() {
        assert_eq!(mcnemar(0, 0), 1.0);
        assert!((mcnemar(1, 5) - 2.0 * 7.0 / 64.0).abs() < 1e-12);
        assert!((mcnemar(0, 10) - 2.0 / 1024.0).abs() < 1e-12);
        assert_eq!(mcnemar(3, 3), 1.0);
    }
}
