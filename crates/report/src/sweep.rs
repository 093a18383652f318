//! Reports of sweeps: HTML files with parallel coordinates (Inselberg 1985).

use std::path::Path;

use maud::{Markup, PreEscaped, html};

use crate::error::ReportError;
use crate::output::{write_file, write_picture};
use crate::page::{Section, bar, document, percent, table};
use crate::svg::{Anchor, INK, Svg, colour, fitted, hexadecimal};

/// Result of one setting.
#[derive(Debug, Clone)]
pub struct SweepTrial {
    /// Overridden keys and their values; the keys are equal for all settings.
    pub values: Vec<(String, String)>,
    /// Mean validation accuracy, 0 to 1; `None` if a run failed.
    pub score: Option<f64>,
    /// Interval of the scores of several seeds.
    pub interval: Option<[f64; 2]>,
    /// Number of trained epochs.
    pub epochs: usize,
    /// Number of rounds of the halving, 1 without it.
    pub rounds: usize,
    /// Directories of its runs, relative to the page.
    pub runs: Vec<String>,
    /// Position in the ranking, from 1; equal scores share it.
    pub rank: usize,
}

const HEIGHT: [f64; 2] = [300.0, 56.0];
const MARGIN: f64 = 90.0;
/// Distance between two axes, in pixels.
const GAP: f64 = 190.0;

/// Scale of the values of a key.
enum Scale {
    /// Range of numbers, and whether the scale is logarithmic.
    Numbers([f64; 2], bool),
    /// Categories at equal distances.
    Categories(Vec<String>),
}

/// Writes the report of a sweep to `page` and the plot beside it. `trials` are sorted, best first, as are
/// the keys in `importance`, from 0 to 1.
pub fn draw_sweep(
    name: &str,
    trials: &[SweepTrial],
    importance: &[(String, f64)],
    page: &Path,
) -> Result<(), ReportError> {
    let svg = compose(trials);
    write_picture(&svg, &page.with_file_name("parallel"))?;
    let sections = [
        Section::new(
            "Results",
            html! {
                div class="scroll" tabindex="0" role="group" aria-label="Plot of the settings" { figure class="wide" { (PreEscaped(&svg)) } }
                p class="quiet" { "One line per setting. The opacity increases with the accuracy; the best setting is orange." }
            },
        ),
        Section::new("Importance", html! { @if !importance.is_empty() { (bars(importance)) } }),
        Section::new("Settings", settings(trials)),
    ];
    let page_title = format!("Sweep of {name}");
    write_file(page, document(&page_title, &html! {}, &sections).into_string().as_bytes())
}

fn bars(importance: &[(String, f64)]) -> Markup {
    html! { div class="keys" {
        @for (key, share) in importance {
            (bar(key, *share, &percent(*share), false))
        }
        p class="quiet" {
            "The share of the variance of the validation accuracy that a key explains alone: the correlation ratio between "
            "groups of its values, corrected for their number. It describes these settings, after their first round if "
            "there are several, and includes no interaction of keys."
        }
    } }
}

/// The settings, which a reader can sort by any key; those that went farther in the halving first.
fn settings(trials: &[SweepTrial]) -> Markup {
    let keys = trials.first().map_or(&[] as &[_], |trial| &trial.values);
    let has_rounds = trials.iter().any(|trial| trial.rounds > 1);
    let heads = ["Rank", "Validation accuracy", "Epochs"].into_iter();
    let heads = heads.chain(has_rounds.then_some("Rounds"));
    let heads = heads.chain(keys.iter().map(|(key, _)| key.as_str())).chain(["Runs"]);
    let rows = trials.iter().map(|trial| {
        let score = match (trial.score, trial.interval) {
            (None, _) => "failed".to_owned(),
            (Some(score), None) => percent(score),
            (Some(score), Some([low, high])) => {
                format!("{} ({} to {})", percent(score), percent(low), percent(high))
            }
        };
        let cells = [trial.rank.to_string(), score, trial.epochs.to_string()].into_iter();
        let cells = cells.chain(has_rounds.then(|| trial.rounds.to_string()));
        let cells = cells.chain(trial.values.iter().map(|(_, value)| value.clone()));
        let links = html! { @for (index, run) in trial.runs.iter().enumerate() {
            @if index > 0 { " " }
            a href=(format!("{run}/")) { (run) }
        } };
        cells.map(|text| html! { (text) }).chain([links]).collect()
    });
    table(&heads.collect::<Vec<_>>(), rows)
}

fn compose(trials: &[SweepTrial]) -> String {
    let column = |index: usize| -> Vec<&str> {
        trials.iter().filter_map(|trial| Some(trial.values.get(index)?.1.as_str())).collect()
    };
    // A key with one value needs no axis.
    let varies =
        |index: &usize| column(*index).iter().any(|value| Some(value) != column(*index).first());
    let keys = trials.first().map_or(&[] as &[_], |trial| &trial.values);
    let shown: Vec<usize> = (0..keys.len()).filter(varies).collect();
    let scores: Vec<f64> = trials.iter().filter_map(|trial| trial.score).collect();
    let mut scales: Vec<Scale> = shown.iter().map(|index| Scale::of(&column(*index))).collect();
    scales.push(Scale::Numbers(span(&scores), false));
    let width = 2.0 * MARGIN + GAP * shown.len() as f64;
    let mut svg = Svg::new([width, HEIGHT[0] + 30.0], "Validation accuracy of the settings");
    let best = trials.iter().position(|trial| trial.score.is_some());
    // The best one is drawn last, on top.
    for (index, trial) in trials.iter().enumerate().rev() {
        let Some(score) = trial.score else { continue };
        let values = shown.iter().filter_map(|index| trial.values.get(*index));
        let texts = values.map(|(_, value)| value.clone()).chain([score.to_string()]);
        let points = texts
            .zip(&scales)
            .enumerate()
            .map(|(axis, (text, scale))| [across(axis), scale.position(&text)]);
        line(&points.collect::<Vec<_>>(), opacity(score, &scores), Some(index) == best, &mut svg);
    }
    let names = shown.iter().filter_map(|index| Some(keys.get(*index)?.0.as_str()));
    let names = names.chain(["validation accuracy"]);
    for (axis, (name, scale)) in names.zip(&scales).enumerate() {
        scale.draw(across(axis), name, &mut svg);
    }
    svg.finish()
}

fn across(axis: usize) -> f64 {
    MARGIN + GAP * axis as f64
}

/// Returns the opacity of a line: 0.35 for the worst setting, 1 for the best.
fn opacity(score: f64, scores: &[f64]) -> f64 {
    let [low, high] = span(scores);
    0.35 + 0.65 * ((score - low) / (high - low)).clamp(0.0, 1.0)
}

fn line(points: &[[f64; 2]], opacity: f64, is_best: bool, svg: &mut Svg) {
    let points: Vec<String> = points.iter().map(|[x, y]| format!("{x:.1},{y:.1}")).collect();
    let (stroke, width) =
        (hexadecimal(colour(usize::from(is_best))), if is_best { 3.0 } else { 1.5 });
    svg.element(format_args!(
        r#"<polyline points="{}" fill="none" stroke="{stroke}" stroke-width="{width}" stroke-opacity="{opacity:.2}"/>"#,
        points.join(" ")
    ));
}

/// Returns the range of some numbers, never empty.
fn span(numbers: &[f64]) -> [f64; 2] {
    let low = numbers.iter().copied().fold(f64::INFINITY, f64::min);
    let high = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if low < high {
        [low, high]
    } else if low.is_finite() {
        [low - 0.01, low + 0.01]
    } else {
        [0.0, 1.0]
    }
}

impl Scale {
    fn of(texts: &[&str]) -> Self {
        let numbers: Option<Vec<f64>> = texts.iter().map(|text| text.parse().ok()).collect();
        if let Some(numbers) = numbers {
            let [low, high] = span(&numbers);
            return Self::Numbers([low, high], low > 0.0 && high > 50.0 * low);
        }
        let mut names: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        names.sort();
        names.dedup();
        Self::Categories(names)
    }

    fn position(&self, text: &str) -> f64 {
        let share = match self {
            Self::Numbers([low, high], log) => {
                let value: f64 = text.parse().unwrap_or(*low);
                if *log {
                    (value / low).ln() / (high / low).ln()
                } else {
                    (value - low) / (high - low)
                }
            }
            Self::Categories(names) => {
                let index = names.iter().position(|name| name == text).unwrap_or(0);
                (index as f64 + 0.5) / names.len() as f64
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
            Self::Categories(names) => names.clone(),
        };
        for label in labels {
            let text = fitted(&label, 11.0, GAP / 2.0);
            svg.text([at + 6.0, self.position(&label) + 4.0], 11.0, Anchor::Start, &text);
        }
    }
}

fn short(number: f64) -> String {
    if number == 0.0 || (1e-3..1e5).contains(&number.abs()) {
        format!("{}", (number * 1e4).round() / 1e4)
    } else {
        format!("{number:.1e}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trial(rate: &str, kind: &str, score: Option<f64>) -> SweepTrial {
        let values = [("optimizer.rate", rate), ("model.kind", kind)];
        let values = values.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec();
        SweepTrial { values, score, interval: None, epochs: 3, rounds: 1, runs: vec![], rank: 1 }
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
        // A logarithmic axis, categories, the accuracy.
        assert!(svg.contains(r#"points="90.0,56.0 280.0,239.0 470.0,56.0""#), "{svg}");
        assert!(svg.contains(r#"points="90.0,300.0 280.0,117.0 470.0,300.0""#), "{svg}");
    }

    #[test]
    fn a_sweep_without_settings_can_be_drawn() {
        let folder = tempfile::TempDir::new().unwrap();
        let page = folder.path().join("report.html");
        draw_sweep("none", &[], &[], &page).unwrap();
        draw_sweep("one", &[trial("1", "x", Some(0.5))], &[], &page).unwrap();
        assert!(page.is_file() && folder.path().join("parallel.svg").is_file());
    }
}
