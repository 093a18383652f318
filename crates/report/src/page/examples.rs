use artifacts::ExampleView;
use data::SplitKind;
use maud::{Markup, html};

use super::{percent, section};
use crate::inputs::RunData;

/// Number of most probable classes that are shown of an example.
const TOP: usize = 3;

/// Bar of a bar chart.
pub struct Bar<'a> {
    /// Label on the left.
    pub name: &'a str,
    /// Length, 0 to 1.
    pub share: f64,
    /// Label on the right.
    pub text: &'a str,
    /// Whether it is highlighted.
    pub is_marked: bool,
}

/// Returns mistakes, hard examples and a training batch, if they are available.
pub fn sections(run: &RunData) -> Markup {
    let Some(predictions) = &run.predictions else { return html! {} };
    let (classes, split) = (&run.environment.data.classes, predictions.split);
    html! {
        @if !predictions.mistakes.is_empty() {
            (section("Most confident mistakes", &html! {
                p class="quiet" {
                    (predictions.mistakes.len()) " of " (predictions.wrong.len())
                    " misclassified " (split) " examples."
                }
                (cards(&predictions.mistakes, split, classes))
            }))
        }
        @if !predictions.hardest.is_empty() {
            (section("Hardest examples", &html! {
                p class="quiet" { "Correctly classified " (split) " examples with the lowest confidence." }
                (cards(&predictions.hardest, split, classes))
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
                    @for picture in &predictions.batch { (image(picture, "a training image")) }
                }
            }))
        }
    }
}

fn cards(examples: &[ExampleView], split: SplitKind, classes: &[String]) -> Markup {
    html! { div class="pictures" { @for example in examples { (card(example, split, classes)) } } }
}

fn card(example: &ExampleView, split: SplitKind, classes: &[String]) -> Markup {
    let name = |class: usize| classes.get(class).map_or("?", String::as_str);
    let mut order: Vec<(usize, f32)> = example.probabilities.iter().copied().enumerate().collect();
    order.sort_by(|one, other| other.1.total_cmp(&one.1));
    let predicted = order.first().map_or(example.label, |(class, _)| *class);
    let is_listed = |class: usize| order.iter().take(TOP).any(|(listed, _)| *listed == class);
    let label = order.iter().find(|(class, _)| *class == example.label && !is_listed(*class));
    html! {
        div class="card" {
            @if let Some(picture) = &example.picture {
                (image(picture, &format!("{split} image {}", example.item)))
            }
            p {
                (split) " " (example.item) ": true class " b { (name(example.label)) }
                @if predicted != example.label { ", predicted " b { (name(predicted)) } }
                @if let Some(file) = &example.file { br; (file) }
            }
            @for (class, probability) in order.iter().take(TOP).chain(label) {
                (probability_bar(name(*class), f64::from(*probability), *class == example.label))
            }
        }
    }
}

fn probability_bar(name: &str, probability: f64, is_label: bool) -> Markup {
    let text = percent(probability);
    bar(&Bar { name, share: probability, text: &text, is_marked: is_label })
}

/// Returns a bar with its labels.
pub fn bar(bar: &Bar) -> Markup {
    let width = format!("width:{:.1}%", 100.0 * bar.share);
    html! {
        div class=(if bar.is_marked { "bar label" } else { "bar" }) {
            span title=(bar.name) { (bar.name) }
            i style=(width) {}
            span { (bar.text) }
        }
    }
}

fn image(base64: &str, description: &str) -> Markup {
    html! { img alt=(description) src=(format!("data:image/png;base64,{base64}")); }
}
