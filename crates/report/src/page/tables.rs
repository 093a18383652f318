use artifacts::{ClassScore, Evaluation, LayerSummary};
use data::SplitKind;
use maud::{Markup, html};

use super::{figures, interval, percent, section};
use crate::inputs::RunData;
use crate::plots::Plot;

/// Returns the confusion matrix, the calibration plot and the scores of each class.
pub fn scores(run: &RunData, plots: &[Plot]) -> Markup {
    let Some(evaluation) = &run.evaluation else { return html! {} };
    let heading = match evaluation.split {
        SplitKind::Test => "Test scores",
        SplitKind::Validation => "Validation scores",
        SplitKind::Train => "Training scores",
    };
    section(
        heading,
        &html! {
            (figures(plots))
            @if run.has_many_classes() {
                (confusions(evaluation))
                (worst_classes(evaluation))
            } @else {
                div class="scroll" { (classes(evaluation.classes.iter())) }
            }
            p class="quiet" {
                "Loss " (format!("{:.4}", evaluation.loss))
                @if let Some(area) = evaluation.roc_auc { ", ROC AUC " (format!("{area:.4}")) }
                ". Intervals of the recall: 95 % confidence (Wilson 1927)."
            }
        },
    )
}

/// Number of the most frequent confusions and of the worst classes that are shown of many.
const SHOWN: usize = 30;

/// Returns the most frequent confusions.
fn confusions(evaluation: &Evaluation) -> Markup {
    let all = evaluation.confusions();
    html! {
        h3 { "Most frequent confusions" }
        p class="quiet" { (all.len().min(SHOWN)) " of " (all.len()) " pairs of classes." }
        div class="scroll" { table {
            thead { tr { th { "true class" } th { "predicted" } th { "count" } th { "of the true class" } } }
            tbody { @for pair in all.iter().take(SHOWN) { tr {
                td { (pair.class.name) }
                td { (pair.predicted.name) }
                td { (pair.count) }
                td { (percent(pair.count as f64 / pair.class.count.max(1) as f64)) }
            } } }
        } }
    }
}

/// Returns the classes with the lowest F1, and all of them folded up.
fn worst_classes(evaluation: &Evaluation) -> Markup {
    let worst = evaluation.worst_classes();
    html! {
        h3 { "Worst classes" }
        p class="quiet" { (worst.len().min(SHOWN)) " of " (worst.len()) " classes, by F1." }
        div class="scroll" { (classes(worst.into_iter().take(SHOWN))) }
        details {
            summary { "All classes" }
            div class="scroll" { (classes(evaluation.classes.iter())) }
        }
    }
}

fn classes<'a>(classes: impl Iterator<Item = &'a ClassScore>) -> Markup {
    html! {
        table {
            thead { tr {
                th { "class" } th { "precision" } th { "recall" } th { "interval" } th { "F1" } th { "count" }
            } }
            tbody { @for class in classes { (class_row(class)) } }
        }
    }
}

fn class_row(class: &ClassScore) -> Markup {
    let correct = (class.recall * class.count as f64).round() as usize;
    html! { tr {
        td { (class.name) }
        td { (percent(class.precision)) }
        td { (percent(class.recall)) }
        td { (interval(correct, class.count)) }
        td { (percent(class.f1)) }
        td { (class.count) }
    } }
}

/// Returns the layers of the model, if they are known.
pub fn layers(run: &RunData) -> Markup {
    let layers: &[LayerSummary] = run.predictions.as_ref().map_or(&[], |it| &it.layers);
    html! { @if !layers.is_empty() { (section("Model", &html! { div class="scroll" { table class="layers" {
        thead { tr { th { "layer" } th { "operations" } th { "output" } th { "parameters" } th { "multiply-adds" } } }
        tbody {
            @for layer in layers { tr {
                td { (layer.name) }
                td { (operations(layer)) }
                td { (layer.output.iter().map(usize::to_string).collect::<Vec<_>>().join(" × ")) }
                td { (thousands(layer.parameters)) }
                td { (thousands(layer.multiply_adds)) }
            } }
            tr {
                th { "total" } th {} th {}
                th { (thousands(layers.iter().map(|layer| layer.parameters).sum())) }
                th { (thousands(layers.iter().map(|layer| layer.multiply_adds).sum())) }
            }
        }
    } } })) } }
}

/// Returns an operation and those that follow it.
fn operations(layer: &LayerSummary) -> String {
    let all: Vec<&str> = [&layer.kind].into_iter().chain(&layer.then).map(String::as_str).collect();
    all.join(", ")
}

/// Returns a description of the data.
pub fn data(run: &RunData) -> Markup {
    let data = &run.environment.data;
    let [height, width, channels] = data.shape;
    let examples = if data.are_images {
        format!("images of {height} × {width} × {channels}")
    } else {
        format!("points of {channels} features")
    };
    let counts: Vec<_> =
        data.counts.iter().map(|(split, count)| format!("{count} {split}")).collect();
    let mut rows = vec![
        ("examples".to_owned(), examples),
        ("counts".to_owned(), counts.join(", ")),
        ("classes".to_owned(), class_names(run)),
    ];
    rows.extend(
        data.sha256.iter().map(|(source, sum)| (format!("SHA-256, {source}"), sum.clone())),
    );
    section("Data", &key_values(&rows))
}

/// Returns the names of the classes, or the first and the last of many.
fn class_names(run: &RunData) -> String {
    match &run.environment.data.classes[..] {
        all @ [first, second, .., last] if run.has_many_classes() => {
            format!("{}: {first}, {second}, .., {last}", all.len())
        }
        all => all.join(", "),
    }
}

/// Returns versions, platform and device.
pub fn environment(run: &RunData) -> Markup {
    let environment = &run.environment;
    let commit =
        environment.commit.as_deref().map_or(String::new(), |commit| format!(", commit {commit}"));
    let weights = environment.init_from.as_ref();
    let weights = weights.map(|from| {
        (
            "started from",
            format!("{} (SHA-256 {}): {}", from.path.display(), from.sha256, from.tensors()),
        )
    });
    let rows = [
        ("trainer", format!("{}{commit}", environment.trainer)),
        ("Burn", environment.burn.clone()),
        ("platform", environment.platform.clone()),
        ("device", environment.device.clone()),
        ("seed", environment.seed.to_string()),
        ("started", environment.started.clone()),
    ];
    let rows = rows.into_iter().chain(weights).map(|(name, value)| (name.to_owned(), value));
    section("Environment", &key_values(&rows.collect::<Vec<_>>()))
}

/// Returns a table of names and values.
pub fn key_values(rows: &[(String, String)]) -> Markup {
    html! { table class="key-values" { tbody {
        @for (name, value) in rows { tr { td class="quiet" { (name) } td { (value) } } }
    } } }
}

/// Formats a number with spaces as thousands separators.
fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let first = digits.len() % 3;
    let (head, tail) = digits.split_at(first);
    let groups = tail.as_bytes().chunks(3).map(String::from_utf8_lossy);
    let head = (!head.is_empty()).then(|| head.into());
    head.into_iter().chain(groups).collect::<Vec<_>>().join("\u{202f}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_grouped_by_thousands() {
        let shown =
            [0, 12, 999, 1000, 400_252].map(|number| thousands(number).replace('\u{202f}', " "));
        assert_eq!(shown, ["0", "12", "999", "1 000", "400 252"]);
    }
}
