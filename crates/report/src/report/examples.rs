use artifacts::{ExampleView, Saliency, TestPredictions};
use maud::{Markup, html};

use crate::inputs::RunData;
use crate::output::png_data_uri;
use crate::page::{bar, image, percent};

/// Number of mistakes and of correct predictions that are shown at first.
const SHOWN: usize = 12;
/// Number of most probable classes of an example.
const TOP: usize = 3;

/// Mistakes and hard examples, if they are available. A script filters them by classes and confidence.
pub fn examples(run: &RunData) -> Markup {
    let Some(predictions) = &run.predictions else { return html! {} };
    let classes = &run.environment.data.classes;
    let (mistakes, correct): (Vec<_>, Vec<_>) =
        predictions.examples.iter().partition(|example| example.predicted() != example.label);
    let (split, wrong) = (predictions.split, predictions.wrong.len());
    html! { @if !predictions.examples.is_empty() { div class="examples" {
        h3 { "Most confident mistakes" }
        p class="quiet" { (mistakes.len()) " of " (wrong) " misclassified " (split) " examples." }
        (cards(predictions, &mistakes, classes))
        h3 { "Hardest examples" }
        p class="quiet" { (correct.len()) " of the correctly classified " (split) " examples, those of lowest confidence first." }
        (cards(predictions, &correct, classes))
    } } }
}

/// The first examples, and the others folded up.
fn cards(predictions: &TestPredictions, examples: &[&ExampleView], classes: &[String]) -> Markup {
    let (first, rest) = examples.split_at(examples.len().min(SHOWN));
    let all = |examples: &[&ExampleView]| {
        html! {
            div class="pictures" { @for example in examples { (card(predictions, example, classes)) } }
        }
    };
    html! {
        (all(first))
        @if !rest.is_empty() { details { summary { (rest.len()) " more" } (all(rest)) } }
    }
}

/// An example with its most probable classes.
pub fn card(predictions: &TestPredictions, example: &ExampleView, classes: &[String]) -> Markup {
    let split = predictions.split;
    let name = |class: usize| classes.get(class).map_or("?", String::as_str);
    let (predicted, label) = (example.predicted(), example.label);
    let listed = || example.top.iter().take(TOP);
    let own = example.top.iter().find(|(class, _)| *class == label);
    let own = own.filter(|_| listed().all(|(class, _)| *class != label));
    let confidence = example.top.first().map_or(0.0, |(_, probability)| *probability);
    html! {
        div class="card" data-pair=(format!("{label},{predicted}")) data-confidence=(format!("{confidence:.4}")) {
            @if let Some(picture) = &example.picture {
                div class="stack" {
                    (image(picture, &format!("{split} image {}", example.item)))
                    @if let Some(uri) = example.saliency.as_ref().and_then(overlay) {
                        (image(&uri, "where the prediction depends on the image"))
                    }
                }
            }
            p {
                (split) " " (example.item) ": true class " b { (name(label)) }
                @if predicted != label { ", predicted " b { (name(predicted)) } }
                @if let Some(file) = &example.file { br; (file) }
            }
            @for &(class, probability) in listed().chain(own) {
                (bar(name(class), probability.into(), &percent(probability.into()), class == label))
            }
        }
    }
}

/// A red picture of the grid, transparent where covering the image does not lower the probability.
fn overlay(saliency: &Saliency) -> Option<String> {
    let most = saliency.values.iter().copied().fold(0.0, f32::max);
    let opacity = |value: &f32| (200.0 * value.max(0.0) / most.max(f32::MIN_POSITIVE)) as u8;
    let pixels: Vec<u8> =
        saliency.values.iter().flat_map(|value| [0xd5, 0x2b, 0x00, opacity(value)]).collect();
    let rows = saliency.values.len() / saliency.columns.max(1);
    png_data_uri([saliency.columns, rows], png::ColorType::Rgba, &pixels).ok()
}

/// The first training batch.
pub fn batch(run: &RunData) -> Markup {
    let batch = run.predictions.as_ref().map_or(&[] as &[_], |it| &it.batch);
    let name = |class: usize| run.environment.data.classes.get(class).map_or("?", String::as_str);
    html! { @if !batch.is_empty() {
        p class="quiet" {
            "The first training images of the first epoch" @if run.is_augmented() { ", augmented" } "."
        }
        div class="pictures batch" { @for one in batch {
            figure { (image(&one.picture, "a training image")) figcaption { (name(one.label)) } }
        } }
    } }
}
