//! The report of a sweep: one HTML file with parallel coordinates (Inselberg 1985).

use std::path::Path;

use maud::{Markup, PreEscaped, html};

use crate::error::ReportError;
use crate::output::{write_file, write_picture};
use crate::page::{document, percent, section};
use crate::palette::{INK, colour, hexadecimal};
use crate::svg::{Anchor, Svg, fitted};

/// A setting that was tried.
#[derive(Debug, Clone)]
pub struct SweepTrial {
    /// What it overrides: keys and values, the same keys for every setting.
    pub values: Vec<(String, String)>,
    /// Its mean validation accuracy; `None` if it failed.
    pub score: Option<f64>,
    /// Half the length of the confidence interval of that.
    pub interval: Option<f64>,
    /// The epochs it was trained.
    pub epochs: usize,
}

const HEIGHT: [f64; 2] = [300.0, 56.0];
const MARGIN: f64 = 90.0;
/// From one axis to the next, in pixels.
const GAP: f64 = 190.0;

/// Where the values of a key lie.
enum Scale {
    /// Numbers from one to another; their logarithms if the last is set.
    Numbers([f64; 2], bool),
    /// Words, each at a place of its own.
    Words(Vec<String>),
}

/// Draws the report of a sweep, its trials the best first, to `page`, and the plot beside it.
pub fn draw_sweep(name: &str, trials: &[SweepTrial], page: &Path) -> Result<(), ReportError> {
    let svg = compose(trials);
    write_picture(&svg, &page.with_file_name("parallel"))?;
    let content = html! {
        header { h1 { "Sweep of " (name) } }
        (section("Settings and what they reach", &html! {
            div class="scroll" { figure class="wide" { (PreEscaped(&svg)) } }
            p class="quiet" { "A line a setting; the stronger, the better. The best one is orange." }
        }))
        (section("Ranking", &html! { div class="scroll" { (table(trials)) } }))
    };
    write_file(page, document(&format!("Sweep of {name}"), &content).into_string().as_bytes())
}

fn table(trials: &[SweepTrial]) -> Markup {
    let keys = trials.first().map_or(&[] as &[_], |trial| &trial.values);
    html! { table {
        thead { tr { th { "rank" } th { "validation accuracy" } th { "epochs" } @for (key, _) in keys { th { (key) } } } }
        tbody { @for (index, trial) in trials.iter().enumerate() { tr {
            td { (index + 1) }
            td {
                @match trial.score {
                    Some(score) => {
                        (percent(score))
                        @if let Some(interval) = trial.interval { " ± " (percent(interval)) }
                    }
                    None => "failed",
                }
            }
            td { (trial.epochs) }
            @for (_, value) in &trial.values { td { (value) } }
        } } }
    } }
}

fn compose(trials: &[SweepTrial]) -> String {
    let keys: Vec<&str> = trials
        .first()
        .map_or(vec![], |trial| trial.values.iter().map(|(key, _)| key.as_str()).collect());
    let column = |index: usize| -> Vec<&str> {
        trials.iter().filter_map(|trial| Some(trial.values.get(index)?.1.as_str())).collect()
    };
    let scores: Vec<f64> = trials.iter().filter_map(|trial| trial.score).collect();
    let mut scales: Vec<Scale> = (0..keys.len()).map(|index| Scale::of(&column(index))).collect();
    scales.push(Scale::Numbers(span(&scores), false));
    let width = 2.0 * MARGIN + GAP * keys.len() as f64;
    let mut svg = Svg::new([width, HEIGHT[0] + 30.0], "Settings and their scores");
    let best = trials.iter().position(|trial| trial.score.is_some());
    // The best one last, over all others.
    for (index, trial) in trials.iter().enumerate().rev() {
        let Some(score) = trial.score else { continue };
        let texts = trial.values.iter().map(|(_, value)| value.clone()).chain([score.to_string()]);
        let places = texts
            .zip(&scales)
            .enumerate()
            .map(|(axis, (text, scale))| [across(axis), scale.place(&text)]);
        line(&places.collect::<Vec<_>>(), strength(score, &scores), Some(index) == best, &mut svg);
    }
    let names = keys.iter().copied().chain(["validation accuracy"]);
    for (axis, (name, scale)) in names.zip(&scales).enumerate() {
        scale.draw(across(axis), name, &mut svg);
    }
    svg.finish()
}

fn across(axis: usize) -> f64 {
    MARGIN + GAP * axis as f64
}

/// From a tenth for the worst to 1 for the best.
fn strength(score: f64, scores: &[f64]) -> f64 {
    let [low, high] = span(scores);
    0.1 + 0.9 * ((score - low) / (high - low)).clamp(0.0, 1.0)
}

fn line(places: &[[f64; 2]], strength: f64, is_best: bool, svg: &mut Svg) {
    let points: Vec<String> = places.iter().map(|[x, y]| format!("{x:.1},{y:.1}")).collect();
    let (stroke, width) =
        (hexadecimal(colour(usize::from(is_best))), if is_best { 3.0 } else { 1.5 });
    svg.element(format_args!(
        r#"<polyline points="{}" fill="none" stroke="{stroke}" stroke-width="{width}" stroke-opacity="{strength:.2}"/>"#,
        points.join(" ")
    ));
}

/// The lowest and the highest of some numbers, a little apart.
fn span(numbers: &[f64]) -> [f64; 2] {
    let low = numbers.iter().copied().fold(f64::INFINITY, f64::min);
    let high = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    match low < high {
        true => [low, high],
        false if low.is_finite() => [low - 0.01, low + 0.01],
        false => [0.0, 1.0],
    }
}

impl Scale {
    fn of(texts: &[&str]) -> Self {
        let numbers: Option<Vec<f64>> = texts.iter().map(|text| text.parse().ok()).collect();
        if let Some(numbers) = numbers {
            let [low, high] = span(&numbers);
            return Self::Numbers([low, high], low > 0.0 && high > 50.0 * low);
        }
        let mut words: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        words.sort();
        words.dedup();
        Self::Words(words)
    }

    fn place(&self, text: &str) -> f64 {
        let share = match self {
            Self::Numbers([low, high], log) => {
                let value: f64 = text.parse().unwrap_or(*low);
                match log {
                    true => (value / low).ln() / (high / low).ln(),
                    false => (value - low) / (high - low),
                }
            }
            Self::Words(words) => {
                let index = words.iter().position(|word| word == text).unwrap_or(0);
                (index as f64 + 0.5) / words.len() as f64
            }
        };
        HEIGHT[0] + share.clamp(0.0, 1.0) * (HEIGHT[1] - HEIGHT[0])
    }

    fn draw(&self, at: f64, name: &str, svg: &mut Svg) {
        svg.line([at, HEIGHT[0]], [at, HEIGHT[1]], INK, 1.0);
        let last = name.rsplit('.').next().unwrap_or(name);
        svg.text([at, HEIGHT[1] - 16.0], 12.0, Anchor::Middle, &fitted(last, 12.0, GAP - 12.0));
        let labels = match self {
            Self::Numbers([low, high], _) => vec![short(*low), short(*high)],
            Self::Words(words) => words.clone(),
        };
        for label in labels {
            let text = fitted(&label, 11.0, GAP / 2.0);
            svg.text([at + 6.0, self.place(&label) + 4.0], 11.0, Anchor::Start, &text);
        }
    }
}

/// A number in few digits.
fn short(number: f64) -> String {
    match number == 0.0 || (1e-3..1e5).contains(&number.abs()) {
        true => format!("{}", (number * 1e4).round() / 1e4),
        false => format!("{number:.1e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trial(rate: &str, kind: &str, score: Option<f64>) -> SweepTrial {
        let values = [("optimizer.rate", rate), ("model.kind", kind)];
        let values = values.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec();
        SweepTrial { values, score, interval: None, epochs: 3 }
    }

    #[test]
    fn each_setting_that_succeeded_is_a_line_between_its_values() {
        let trials = [
            trial("0.1", "\"a\"", Some(0.9)),
            trial("0.001", "\"b\"", Some(0.5)),
            trial("0.01", "\"a\"", None),
        ];
        let svg = compose(&trials);
        assert_eq!(svg.matches("<polyline").count(), 2);
        // A logarithmic axis, words, the score.
        assert!(svg.contains(r#"points="90.0,56.0 280.0,239.0 470.0,56.0""#), "{svg}");
        assert!(svg.contains(r#"points="90.0,300.0 280.0,117.0 470.0,300.0""#), "{svg}");
    }

    #[test]
    fn a_sweep_of_nothing_is_a_page() {
        let place = tempfile::TempDir::new().unwrap();
        let page = place.path().join("report.html");
        draw_sweep("none", &[], &page).unwrap();
        draw_sweep("one", &[trial("1", "x", Some(0.5))], &page).unwrap();
        assert!(page.is_file() && place.path().join("parallel.png").is_file());
    }
}
