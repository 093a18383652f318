use artifacts::{ClassCurves, ClassScore, Evaluation};
use maud::{Markup, html};
use serde::Serialize;

use crate::chart::Chart;
use crate::inputs::RunData;
use crate::page::{charts, data, figures, interval, percent, table};
use crate::plots::Plot;

/// The confusion matrix, the most confused classes, the scores and curves of each class, and the
/// calibration plot.
pub fn scores(run: &RunData, [_, calibration]: &[Option<Plot>; 2], curves: &[Chart]) -> Markup {
    let Some(evaluation) = &run.evaluation else { return html! {} };
    html! {
        h3 { "Confusion" }
        (confusion(run, evaluation))
        (pairs(evaluation))
        h3 { "Classes" }
        (classes(run, evaluation))
        (charts(curves))
        @if let Some(plot) = calibration { h3 { "Calibration" } (figures([plot])) }
    }
}

/// The confusion matrix as a table, or as cells that a script draws if there are many classes.
fn confusion(run: &RunData, evaluation: &Evaluation) -> Markup {
    let classes = &evaluation.classes;
    let cells = run.has_many_classes().then(|| {
        let rows = evaluation.confusion.iter().enumerate();
        let cells = rows.flat_map(|(label, row)| {
            let cells = row.iter().enumerate().filter(|(_, count)| **count > 0);
            cells.map(move |(predicted, count)| [label, predicted, *count])
        });
        cells.collect::<Vec<_>>()
    });
    html! { div class="confusion-matrix" {
        @if cells.is_none() { (matrix(evaluation)) }
        (data(&Confusion {
            names: classes.iter().map(|class| class.name.as_str()).collect(),
            scores: classes.iter().map(|class| class.f1).collect(),
            cells,
        }))
    } }
}

#[derive(Serialize)]
struct Confusion<'a> {
    names: Vec<&'a str>,
    /// F1.
    scores: Vec<f64>,
    /// True class, predicted class and number of examples.
    cells: Option<Vec<[usize; 3]>>,
}

/// Total length of the names above which they are written vertically.
const WIDE: usize = 60;

fn matrix(evaluation: &Evaluation) -> Markup {
    let names = || evaluation.classes.iter().map(|class| &class.name);
    let longest = names().map(|name| name.chars().count()).max().unwrap_or(0);
    let class =
        if longest * evaluation.classes.len() > WIDE { "confusion tall" } else { "confusion" };
    html! { div class="scroll" { table class=(class) {
        caption class="quiet" { "Number of examples by true class (row) and predicted class (column)." }
        thead { tr {
            th scope="col" { "True \\ Predicted" }
            @for name in names() { th scope="col" { span { (name) } } }
        } }
        tbody { @for (label, (name, row)) in names().zip(&evaluation.confusion).enumerate() { tr {
            th scope="row" { (name) }
            @for (predicted, count) in row.iter().enumerate() { (cell(label, predicted, *count, row)) }
        } } }
    } } }
}

/// A cell whose colour says whether its predictions are correct, and whose opacity is its share.
fn cell(label: usize, predicted: usize, count: usize, row: &[usize]) -> Markup {
    if count == 0 {
        return html! { td {} };
    }
    let share = 60.0 * count as f64 / row.iter().sum::<usize>() as f64;
    let class = if label == predicted { "correct" } else { "wrong" };
    html! { td class=(class) style=(format!("--share:{:.0}%", 8.0 + share)) data-pair=(format!("{label},{predicted}")) { (count) } }
}

/// Number of the most frequent confusions that are shown.
const PAIRS: usize = 20;

fn pairs(evaluation: &Evaluation) -> Markup {
    let all = evaluation.confusions();
    if all.is_empty() {
        return html! { p { "No classes are confused." } };
    }
    let class = |name: &str| evaluation.classes.iter().position(|class| class.name == name);
    let rows = all.iter().take(PAIRS).map(|pair| {
        let (label, predicted) = (class(&pair.class.name), class(&pair.predicted.name));
        let share = percent(pair.count as f64 / pair.class.count.max(1) as f64);
        vec![
            html! { (pair.class.name) },
            html! { (pair.predicted.name) },
            html! { @match label.zip(predicted) {
                Some((label, predicted)) => span data-pair=(format!("{label},{predicted}")) { (pair.count) },
                None => (pair.count),
            } },
            html! { (share) },
        ]
    });
    html! { details open {
        summary { "Most confused pairs" }
        @if all.len() > PAIRS { p class="quiet" { (PAIRS) " of " (all.len()) " pairs." } }
        (table(&["True", "Predicted", "Examples", "of the true class"], rows))
    } }
}

fn classes(run: &RunData, evaluation: &Evaluation) -> Markup {
    let curves: &[ClassCurves] = run.predictions.as_ref().map_or(&[], |it| &it.curves);
    let mut head = vec!["Class", "Precision", "Recall", "Interval of the recall", "F1", "Examples"];
    if !curves.is_empty() {
        head.extend(["ROC AUC", "Average precision"]);
    }
    let rows = evaluation.classes.iter().enumerate().map(|(index, class)| {
        let areas = curves.get(index).map(|it| [it.roc_auc, it.average_precision]);
        let areas = areas
            .into_iter()
            .flatten()
            .map(|area| area.map_or("–".to_owned(), |area| format!("{area:.4}")));
        row(class).into_iter().chain(areas).map(|text| html! { (text) }).collect()
    });
    html! {
        details open[!run.has_many_classes()] {
            summary { "Scores of the classes" }
            (table(&head, rows))
        }
        p class="quiet" {
            "Loss " (format!("{:.4}", evaluation.loss))
            @if let Some(area) = evaluation.roc_auc { ", ROC AUC " (format!("{area:.4}")) }
            ". Intervals: 95 % confidence (Wilson 1927)."
        }
    }
}

fn row(class: &ClassScore) -> Vec<String> {
    let correct = (class.recall * class.count as f64).round() as usize;
    vec![
        class.name.clone(),
        percent(class.precision),
        percent(class.recall),
        interval(correct, class.count),
        percent(class.f1),
        class.count.to_string(),
    ]
}
