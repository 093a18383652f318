use maud::{Markup, html};

use super::{percent, section};
use crate::inputs::{RunData, Shown};

/// The most probabilities that are shown of an example.
const LIKELIEST: usize = 3;

/// A share of something, drawn.
pub struct Bar<'a> {
    /// What stands to the left.
    pub name: &'a str,
    /// From 0 to 1.
    pub share: f64,
    /// What stands to the right.
    pub text: &'a str,
    /// Whether it stands out.
    pub is_marked: bool,
}

/// Mistakes, hard examples and a batch, as far as they are known.
pub fn sections(run: &RunData) -> Markup {
    let Some(findings) = &run.findings else { return html! {} };
    let classes = &run.environment.data.classes;
    html! {
        @if !findings.mistakes.is_empty() {
            (section("Most confident mistakes", &html! {
                p class="quiet" {
                    (findings.mistakes.len()) " of " (findings.wrong.len())
                    " test examples that were taken for another class."
                }
                (cards(&findings.mistakes, classes))
            }))
        }
        @if !findings.hardest.is_empty() {
            (section("Hardest examples", &html! {
                p class="quiet" { "Of those that are right, the ones with the lowest probability." }
                (cards(&findings.hardest, classes))
            }))
        }
        @if !findings.batch.is_empty() {
            (section("A batch as the model sees it", &html! {
                p class="quiet" { "The first training images of the first epoch, augmented." }
                div class="pictures batch" {
                    @for picture in &findings.batch { (image(picture, "a training image")) }
                }
            }))
        }
    }
}

fn cards(shown: &[Shown], classes: &[String]) -> Markup {
    html! { div class="pictures" { @for shown in shown { (card(shown, classes)) } } }
}

fn card(shown: &Shown, classes: &[String]) -> Markup {
    let name = |class: usize| classes.get(class).map_or("?", String::as_str);
    let mut order: Vec<(usize, f32)> = shown.probabilities.iter().copied().enumerate().collect();
    order.sort_by(|one, other| other.1.total_cmp(&one.1));
    let taken = order.first().map_or(shown.label, |(class, _)| *class);
    let is_listed = |class: usize| order.iter().take(LIKELIEST).any(|(listed, _)| *listed == class);
    let label = order.iter().find(|(class, _)| *class == shown.label && !is_listed(*class));
    html! {
        div class="card" {
            @if let Some(picture) = &shown.picture {
                (image(picture, &format!("test image {}", shown.item)))
            }
            p {
                "Test " (shown.item) ": is " b { (name(shown.label)) }
                @if taken != shown.label { ", taken for " b { (name(taken)) } }
            }
            @for (class, probability) in order.iter().take(LIKELIEST).chain(label) {
                (probability_bar(name(*class), f64::from(*probability), *class == shown.label))
            }
        }
    }
}

fn probability_bar(name: &str, probability: f64, is_label: bool) -> Markup {
    let text = percent(probability);
    bar(&Bar { name, share: probability, text: &text, is_marked: is_label })
}

/// A bar that is as long as the share is large.
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

fn image(base64: &str, words: &str) -> Markup {
    html! { img alt=(words) src=(format!("data:image/png;base64,{base64}")); }
}
