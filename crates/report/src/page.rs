//! The report of a run: one HTML file that needs nothing beside it.

mod examples;
mod tables;

use std::path::Path;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::calibration::calibration_error;
use crate::error::ReportError;
use crate::inputs::{RunData, RunFiles};
use crate::interval::wilson;
use crate::output::write_file;
use crate::plots::{self, Plot};

pub use examples::{Bar, bar};
pub use tables::words;

const STYLE: &str = include_str!("page/style.css");

/// Draws the report of a run to `page`, and its plots beside it, as SVG and PNG.
pub fn draw_report(files: &RunFiles, page: &Path) -> Result<(), ReportError> {
    let run = files.read()?;
    let (curves, scores) = (plots::curves(&run), plots::scores(&run));
    let directory = page.parent().unwrap_or(Path::new("."));
    plots::write(&curves, directory)?;
    plots::write(&scores, directory)?;
    write_file(page, whole(&run, &curves, &scores).into_string().as_bytes())
}

fn whole(run: &RunData, curves: &[Plot], scores: &[Plot]) -> Markup {
    let content = html! {
        (headline(run))
        (section("Curves", &figures(curves)))
        (tables::scores(run, scores))
        @if let Some(boundary) = &run.boundary {
            (section("Boundary between the classes", &html! { figure { (PreEscaped(boundary)) } }))
        }
        (examples::sections(run))
        (tables::layers(run))
        (tables::data(run))
        (tables::environment(run))
        (section("Config", &html! { details open { summary { "config.toml" } pre { (run.config) } } }))
    };
    document(&run.title(), &content)
}

/// A document with its style.
pub fn document(title: &str, content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                // Or else a browser asks for one.
                link rel="icon" href="data:,";
                style { (PreEscaped(STYLE)) }
            }
            body { (content) }
        }
    }
}

/// A part of the page under a heading.
pub fn section(heading: &str, content: &Markup) -> Markup {
    html! { section { h2 { (heading) } (content) } }
}

/// Plots side by side.
pub fn figures(plots: &[Plot]) -> Markup {
    html! { div class="plots" { @for plot in plots { figure { (PreEscaped(&plot.svg)) } } } }
}

fn headline(run: &RunData) -> Markup {
    html! {
        header {
            h1 { (run.title()) }
            p class="quiet" { (about(run)) }
            @if run.environment.data.stand_in {
                p class="warning" { "Stand-in data: drawn by the trainer, not real." }
            }
            @if let Some((right, count)) = run.correct() {
                p class="score" { (percent(right as f64 / count.max(1) as f64)) }
                p {
                    "of the test set classified rightly: " (right) " of " (count) ", 95 % interval "
                    (interval(right, count)) "."
                }
                @if let Some(without) = without_twins(run) { p { (without) } }
                @if let Some(summary) = &run.summary {
                    p class="quiet" { (outcome(run, summary)) }
                }
            } @else {
                p class="warning" { "The run is not finished: there is no score on the test set yet." }
            }
        }
    }
}

/// The score that no image of the training set helps, where there are such.
fn without_twins(run: &RunData) -> Option<String> {
    let score = run.evaluation.as_ref()?.without_twins.as_ref()?;
    let images = match score.twins.len() {
        0 => return None,
        1 => "1 test image that has".to_owned(),
        count => format!("{count} test images that have"),
    };
    let rest = match score.accuracy {
        None => "none is left".to_owned(),
        Some(accuracy) => format!("{} ({} of {})", percent(accuracy), score.correct, score.count),
    };
    Some(format!("Without {images} a twin in the training set: {rest}."))
}

fn about(run: &RunData) -> String {
    let environment = &run.environment;
    format!("started {}, seed {}, on {}", environment.started, environment.seed, environment.device)
}

fn outcome(run: &RunData, summary: &crate::inputs::Summary) -> String {
    let chosen = summary.best.as_ref().map_or("the model of the last epoch".to_owned(), |best| {
        format!(
            "the model of epoch {}, the best by validation accuracy ({})",
            best.epoch,
            percent(best.accuracy)
        )
    });
    let calibrated = run.findings.as_ref().map_or(String::new(), |findings| {
        format!("; calibration error {}", percent(calibration_error(&findings.calibration)))
    });
    format!(
        "{chosen}; training accuracy {}; {} epochs, {} steps in {:.1} s; {} parameters{calibrated}",
        percent(summary.train_accuracy),
        summary.epochs,
        summary.steps,
        summary.seconds,
        summary.parameters
    )
}

/// The 95 % confidence interval of a share.
pub fn interval(right: usize, count: usize) -> String {
    let [low, high] = wilson(right, count);
    format!("{} to {}", percent(low), percent(high))
}

/// A share in percent.
pub fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}
