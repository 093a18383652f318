use artifacts::{ClassScore, Evaluation, ExampleView, LayerSummary};
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
                (classes(evaluation.classes.iter()))
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

fn confusions(evaluation: &Evaluation) -> Markup {
    let all = evaluation.confusions();
    let rows = all.iter().take(SHOWN).map(|pair| {
        let share = percent(pair.count as f64 / pair.class.count.max(1) as f64);
        vec![pair.class.name.clone(), pair.predicted.name.clone(), pair.count.to_string(), share]
    });
    html! {
        h3 { "Most frequent confusions" }
        p class="quiet" { (all.len().min(SHOWN)) " of " (all.len()) " pairs of classes." }
        (table(&["true class", "predicted", "count", "of the true class"], rows))
    }
}

/// Returns the classes with the lowest F1, and all of them folded up.
fn worst_classes(evaluation: &Evaluation) -> Markup {
    let worst = evaluation.worst_classes();
    html! {
        h3 { "Worst classes" }
        p class="quiet" { (worst.len().min(SHOWN)) " of " (worst.len()) " classes, by F1." }
        (classes(worst.into_iter().take(SHOWN)))
        details {
            summary { "All classes" }
            (classes(evaluation.classes.iter()))
        }
    }
}

fn classes<'a>(classes: impl Iterator<Item = &'a ClassScore>) -> Markup {
    let rows = classes.map(|class| {
        let correct = (class.recall * class.count as f64).round() as usize;
        vec![
            class.name.clone(),
            percent(class.precision),
            percent(class.recall),
            interval(correct, class.count),
            percent(class.f1),
            class.count.to_string(),
        ]
    });
    table(&["class", "precision", "recall", "interval", "F1", "count"], rows)
}

/// Returns a table in a frame that scrolls.
pub fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> Markup {
    html! { div class="scroll" { table {
        thead { tr { @for name in head { th { (name) } } } }
        tbody { @for row in rows { tr { @for cell in row { td { (cell) } } } } }
    } } }
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

/// Number of most probable classes that are shown of an example.
const TOP: usize = 3;

/// Returns mistakes, hard examples and a training batch, if they are available.
pub fn examples(run: &RunData) -> Markup {
    let Some(predictions) = &run.predictions else { return html! {} };
    let (classes, split) = (&run.environment.data.classes, predictions.split);
    let (hardest, mistakes): (Vec<_>, Vec<_>) = predictions.examples.iter().partition(|example| {
        example.top.first().is_some_and(|(predicted, _)| *predicted == example.label)
    });
    html! {
        @if !mistakes.is_empty() {
            (section("Most confident mistakes", &html! {
                p class="quiet" {
                    (mistakes.len()) " of " (predictions.wrong.len())
                    " misclassified " (split) " examples."
                }
                (cards(&mistakes, split, classes))
            }))
        }
        @if !hardest.is_empty() {
            (section("Hardest examples", &html! {
                p class="quiet" { "Correctly classified " (split) " examples with the lowest confidence." }
                (cards(&hardest, split, classes))
            }))
        }
        @if !predictions.batch.is_empty() {
            (section("A batch as the model sees it", &html! {
                p class="quiet" {
                    "The first training images of the first epoch"
                    @if run.is_augmented() { ", augmented" }
                    "."
                }
                div class="pictures batch" {
                    @for image in &predictions.batch { (picture(&image.picture, "a training image")) }
                }
            }))
        }
    }
}

fn cards(examples: &[&ExampleView], split: SplitKind, classes: &[String]) -> Markup {
    html! { div class="pictures" { @for example in examples { (card(example, split, classes)) } } }
}

fn card(example: &ExampleView, split: SplitKind, classes: &[String]) -> Markup {
    let name = |class: usize| classes.get(class).map_or("?", String::as_str);
    let order = &example.top;
    let predicted = order.first().map_or(example.label, |(class, _)| *class);
    let is_listed = |class: usize| order.iter().take(TOP).any(|(listed, _)| *listed == class);
    let label = order.iter().find(|(class, _)| *class == example.label && !is_listed(*class));
    html! {
        div class="card" {
            @if let Some(uri) = &example.picture {
                (picture(uri, &format!("{split} image {}", example.item)))
            }
            p {
                (split) " " (example.item) ": true class " b { (name(example.label)) }
                @if predicted != example.label { ", predicted " b { (name(predicted)) } }
                @if let Some(file) = &example.file { br; (file) }
            }
            @for &(class, probability) in order.iter().take(TOP).chain(label) {
                (bar(name(class), probability.into(), &percent(probability.into()), class == example.label))
            }
        }
    }
}

/// Returns a bar of length `share`, 0 to 1, with a label on the left and one on the right.
pub fn bar(name: &str, share: f64, text: &str, is_marked: bool) -> Markup {
    html! {
        div class=(if is_marked { "bar label" } else { "bar" }) {
            span title=(name) { (name) }
            i style=(format!("width:{:.1}%", 100.0 * share)) {}
            span { (text) }
        }
    }
}

fn picture(uri: &str, description: &str) -> Markup {
    html! { img alt=(description) src=(uri); }
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
