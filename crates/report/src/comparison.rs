//! Comparisons of runs: HTML files.

use std::collections::BTreeMap;
use std::path::PathBuf;

use artifacts::{ClassScore, Evaluation, ExampleView, RunDir, Summary, TestPredictions};
use data::SplitKind;
use maud::{Markup, html};

use crate::chart::{Chart, Line, Scale};
use crate::curves::{ACCURACY, LOSS, curve};
use crate::error::ReportError;
use crate::inputs::RunData;
use crate::output::write_file;
use crate::page::{Section, charts, document, interval, percent, table, thousands};
use crate::report::card;
use crate::statistics::mcnemar;

/// A key in which configs differ, and its value in each of them; empty if it is not set.
pub type Difference = (String, Vec<String>);

/// Writes a comparison of a run with others into its directory, and returns the path. `differences` are
/// the keys in which their configs differ.
pub fn draw_comparison(
    first: &RunDir,
    others: &[RunDir],
    differences: &[Difference],
) -> Result<PathBuf, ReportError> {
    let path = first.comparison(others);
    let first = RunData::read(first)?;
    let mut runs = others.iter().map(RunData::read).collect::<Result<Vec<_>, _>>()?;
    let verdicts = html! { @for run in &runs { p { (verdict(&first, run)) } } };
    let comparable = runs.iter().all(|run| are_comparable(&first, run));
    runs.insert(0, first);
    let titles: Vec<String> = runs.iter().map(RunData::title).collect();
    let sections = [
        Section::new("Scores", scores(&runs)),
        Section::new("Curves", charts(&curves(&runs))),
        Section::new("Classes", classes(&runs)),
        Section::new("Disagreements", html! { @if comparable { (disagreements(&runs)) } }),
        Section::new("Config differences", config(differences, &titles)),
    ];
    let page = document(&titles.join(" vs. "), &verdicts, &sections);
    write_file(&path, page.into_string().as_bytes())?;
    Ok(path)
}

/// A column of the table of scores: its name, the value of a run as text, and the value by which runs
/// are ranked, larger being better.
type Column = (&'static str, fn(&RunData) -> Option<String>, fn(&RunData) -> Option<f64>);

const COLUMNS: [Column; 10] = [
    ("Accuracy", |run| Some(percent(accuracy(run)?)), accuracy),
    ("Interval", |run| run.correct().map(|(correct, count)| interval(correct, count)), |_| None),
    ("Balanced accuracy", |run| Some(percent(balanced(run)?)), balanced),
    ("Macro F1", |run| Some(percent(macro_f1(run)?)), macro_f1),
    (
        "Loss",
        |run| Some(format!("{:.4}", run.evaluation.as_ref()?.loss)),
        |run| Some(-run.evaluation.as_ref()?.loss),
    ),
    ("Training accuracy", |run| Some(percent(summary(run)?.train_accuracy)), |_| None),
    ("Epochs", |run| Some(summary(run)?.epochs.to_string()), |_| None),
    ("Parameters", |run| Some(thousands(summary(run)?.parameters)), |_| None),
    (
        "Seconds",
        |run| Some(format!("{:.1}", summary(run)?.seconds)),
        |run| Some(-summary(run)?.seconds),
    ),
    ("Device", |run| Some(run.environment.device.clone()), |_| None),
];

fn summary(run: &RunData) -> Option<&Summary> {
    run.summary.as_ref()
}

fn accuracy(run: &RunData) -> Option<f64> {
    run.correct().map(|(correct, count)| correct as f64 / count.max(1) as f64)
}

fn balanced(run: &RunData) -> Option<f64> {
    Some(ClassScore::balanced_accuracy(&run.evaluation.as_ref()?.classes))
}

fn macro_f1(run: &RunData) -> Option<f64> {
    Some(ClassScore::macro_f1(&run.evaluation.as_ref()?.classes))
}

/// The scores of each run, the best of each column in bold.
fn scores(runs: &[RunData]) -> Markup {
    let heads: Vec<&str> =
        ["Run"].into_iter().chain(COLUMNS.map(|(name, ..)| name)).chain(["Scored on"]).collect();
    let best = COLUMNS.map(|(_, _, rank)| runs.iter().filter_map(rank).max_by(f64::total_cmp));
    let rows = runs.iter().map(|run| {
        let cells = COLUMNS.iter().zip(best).map(|((_, text, rank), best)| {
            emphasized(
                &text(run).unwrap_or("–".to_owned()),
                rank(run).is_some() && rank(run) == best,
            )
        });
        let name = [html! { (run.title()) }];
        name.into_iter().chain(cells).chain([html! { (data(run)) }]).collect()
    });
    table(&heads, rows)
}

fn emphasized(text: &str, is_best: bool) -> Markup {
    html! { @if is_best { b { (text) } } @else { (text) } }
}

/// The scored part, and the start of its checksum or that it is synthetic.
fn data(run: &RunData) -> String {
    let sum = match run.environment.data.synthetic {
        true => "synthetic".to_owned(),
        false => format!("SHA-256 {}..", checksum(run).chars().take(12).collect::<String>()),
    };
    format!("{} set, {sum}", run.reported())
}

/// The checksum of the source of the scored examples, which may be held out of the training set.
fn checksum(run: &RunData) -> &str {
    let sums = &run.environment.data.sha256;
    let own = sums.get(run.reported().as_str()).or_else(|| sums.get(SplitKind::Train.as_str()));
    own.map_or("", String::as_str)
}

/// Whether two runs have predictions for the same examples.
fn are_comparable(one: &RunData, other: &RunData) -> bool {
    let is_held_out =
        |run: &RunData| !run.environment.data.sha256.contains_key(run.reported().as_str());
    one.reported() == other.reported()
        && checksum(one) == checksum(other)
        && one.correct().map(|(_, count)| count) == other.correct().map(|(_, count)| count)
        // What is held out depends on the seed.
        && (!is_held_out(one) || one.environment.seed == other.environment.seed)
        && one.predictions.is_some()
        && other.predictions.is_some()
}

/// Says whether the accuracies of two runs differ significantly.
fn verdict(one: &RunData, other: &RunData) -> String {
    let titles = format!("{} and {}", one.title(), other.title());
    let predictions = one.predictions.as_ref().zip(other.predictions.as_ref());
    let Some((mine, theirs)) = predictions.filter(|_| are_comparable(one, other)) else {
        return format!(
            "{titles} cannot be compared: a run is not finished, or the scored examples differ."
        );
    };
    let only = |these: &TestPredictions, others: &TestPredictions| {
        these.wrong.iter().filter(|item| !others.wrong.contains(item)).count()
    };
    let (first, second) = (only(mine, theirs), only(theirs, mine));
    let p = mcnemar(first, second);
    let meaning = match p {
        _ if first + second == 0 => "no difference",
        p if p >= 0.05 => "no significant difference",
        _ if first < second => "the first is better",
        _ => "the second is better",
    };
    let p = if p < 0.001 { "p < 0.001".to_owned() } else { format!("p = {p:.3}") };
    format!(
        "{titles}: {meaning}. {} examples of the {} set are misclassified only by the first, {} only by the \
         second; {p} (McNemar's exact test, 1947).",
        first,
        one.reported(),
        second
    )
}

fn curves(runs: &[RunData]) -> Vec<Chart> {
    let charts: [(_, _, fn(&_) -> _, _); 4] = [
        ("train_loss", "Training loss", LOSS[0], Scale::Free),
        ("validation_loss", "Validation loss", LOSS[1], Scale::Free),
        ("train_accuracy", "Training accuracy (%)", ACCURACY[0], Scale::Percent),
        ("validation_accuracy", "Validation accuracy (%)", ACCURACY[1], Scale::Percent),
    ];
    let charts = charts.map(|(name, heading, value, scale)| {
        let lines = runs.iter().enumerate();
        let lines =
            lines.map(|(index, run)| Line::new(run.title(), curve(&run.epochs, value), index));
        Chart::over_epochs(name, heading, scale, lines.collect())
    });
    charts.into_iter().filter(Chart::has_values).collect()
}

/// F1 of each class in each run, with its change from the first run.
fn classes(runs: &[RunData]) -> Markup {
    let evaluations: Option<Vec<&Evaluation>> =
        runs.iter().map(|run| run.evaluation.as_ref()).collect();
    let names =
        |it: &Evaluation| it.classes.iter().map(|class| class.name.clone()).collect::<Vec<_>>();
    let Some(evaluations) = evaluations else { return html! {} };
    let Some(first) = evaluations.first() else { return html! {} };
    if evaluations.iter().any(|it| names(it) != names(first)) {
        return html! {};
    }
    let heads: Vec<String> = runs.iter().map(|run| format!("F1, {}", run.title())).collect();
    let heads: Vec<&str> = ["Class"].into_iter().chain(heads.iter().map(String::as_str)).collect();
    let rows = first.classes.iter().enumerate().map(|(index, class)| {
        let scores = evaluations.iter().filter_map(|it| Some(it.classes.get(index)?.f1));
        let cells = scores.enumerate().map(|(run, score)| match score - class.f1 {
            _ if run == 0 => html! { (percent(score)) },
            change => html! { (percent(score)) " (" (format!("{:+.1}", 100.0 * change)) ")" },
        });
        [html! { (class.name) }].into_iter().chain(cells).collect()
    });
    table(&heads, rows)
}

/// Largest number of examples that are shown.
const SHOWN: usize = 48;

/// Examples that some runs misclassify and others do not, those of most runs first.
fn disagreements(runs: &[RunData]) -> Markup {
    let predictions: Vec<&TestPredictions> =
        runs.iter().filter_map(|run| run.predictions.as_ref()).collect();
    let mut wrong: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (run, predictions) in predictions.iter().enumerate() {
        for item in &predictions.wrong {
            wrong.entry(*item).or_default().push(run);
        }
    }
    let mut items: Vec<_> = wrong.into_iter().filter(|(_, of)| of.len() < runs.len()).collect();
    items.sort_by_key(|(_, of)| std::cmp::Reverse(of.len()));
    let view = |item: usize, of: &[usize]| -> Option<(&TestPredictions, &ExampleView)> {
        let views = of.iter().filter_map(|run| predictions.get(*run));
        views
            .into_iter()
            .find_map(|it| Some((*it, it.examples.iter().find(|one| one.item == item)?)))
    };
    let views: Vec<_> =
        items.iter().filter_map(|(item, of)| Some((of, view(*item, of)?))).take(SHOWN).collect();
    let classes = runs.first().map_or(&[] as &[_], |run| &run.environment.data.classes);
    let title = |run: &usize| runs.get(*run).map_or(String::new(), RunData::title);
    html! { @if !items.is_empty() {
        p class="quiet" { (views.len()) " of " (items.len()) " examples that some of the runs misclassify, with a prediction of such a run." }
        div class="pictures" { @for (of, (predictions, example)) in views {
            div {
                (card(predictions, example, classes))
                p class="quiet" { "wrong in " (of.iter().map(title).collect::<Vec<_>>().join(", ")) }
            }
        } }
    } }
}

fn config(differences: &[Difference], titles: &[String]) -> Markup {
    if differences.is_empty() {
        return html! { p { "The configs are equal." } };
    }
    let heads: Vec<&str> = ["Key"].into_iter().chain(titles.iter().map(String::as_str)).collect();
    let rows = differences.iter().map(|(key, values)| {
        let first = values.first();
        let cells = values.iter().map(|value| emphasized(value, Some(value) != first));
        [html! { (key) }].into_iter().chain(cells).collect()
    });
    table(&heads, rows)
}
