//! The pictures of a run: the curves of its metrics, the plane where its data have two features,
//! and the report that shows everything.

use std::path::PathBuf;

use dataset::{Examples, Split, Values};
use report::{Boundary, Point, ReportError, RunFiles};
use training::{Difference, Findings, Plane, RunConfig, RunDir, RunError, Trained};

use crate::error::Failure;

/// The most points of a part that are drawn.
const MOST: usize = 4000;

/// Draws them into the run directory, from what lies there. What cannot be drawn is told, and
/// takes nothing from the run.
pub fn draw(run: &RunDir, name: &str, device: Option<&str>) {
    if let Err(failure) = try_draw(run, name, device) {
        tracing::warn!("a picture of the run is missing: {}", failure.message());
    }
}

/// Draws the report of a run that just finished, on `data`. What is missing then is told, and takes
/// nothing from the run.
pub fn draw_report(run: &RunDir, device: Option<&str>, data: &Split) {
    let found = Trained::open(run.path(), device).and_then(|it| Findings::of(&it, data));
    if let Err(failure) = page(run, found) {
        tracing::warn!("the report of the run is missing: {}", failure.message());
    }
}

/// Draws the report of a run, with what its model says now, and tells where it is.
///
/// Where the data are gone, it shows what the model said when they were there.
pub fn report(run: &RunDir, device: Option<&str>) -> Result<PathBuf, Failure> {
    let trained = Trained::open(run.path(), device);
    page(run, trained.and_then(|trained| Findings::of(&trained, &trained.load()?)))
}

fn page(run: &RunDir, found: Result<Findings, RunError>) -> Result<PathBuf, Failure> {
    match found {
        Err(error) if run.findings().exists() => {
            tracing::warn!("the examples in the report are those of an earlier one: {error}");
        }
        Err(RunError::NothingTrained { .. }) => {}
        found => {
            found?;
        }
    }
    let page = run.report();
    report::draw_report(&files(run), &page).map_err(|error| Failure::run(&error))?;
    Ok(page)
}

/// Draws a page that compares two runs into the directory of the first, and tells where it is.
pub fn compare(run: &RunDir, other: &RunDir) -> Result<PathBuf, Failure> {
    let page = run.comparison(other);
    let configs = [run, other].map(|run| RunConfig::read(&run.config(), &[]));
    let [one, other_config] = configs.map(|config| config.map_err(|error| Failure::run(&error)));
    let differing = Difference::between(&[&one?, &other_config?])?;
    let differing: Vec<_> = differing.into_iter().map(shown).collect();
    report::draw_comparison([&files(run), &files(other)], &differing, &page)
        .map_err(|error| Failure::run(&error))?;
    Ok(page)
}

/// A key with the values of two configs, as TOML.
fn shown(difference: Difference) -> (String, [String; 2]) {
    let value = |index: usize| difference.values.get(index).cloned().flatten();
    let text = |index| value(index).map_or(String::new(), |value| value.to_string());
    (difference.key.clone(), [text(0), text(1)])
}

fn files(run: &RunDir) -> RunFiles {
    RunFiles {
        directory: run.path().to_owned(),
        config: run.config(),
        environment: run.environment(),
        metrics: run.metrics_jsonl(),
        timings: run.timings(),
        summary: run.summary(),
        evaluation: run.evaluation("test"),
        findings: run.findings(),
        boundary: run.picture("boundary.svg"),
    }
}

fn try_draw(run: &RunDir, name: &str, device: Option<&str>) -> Result<(), Failure> {
    let drawn = |error: ReportError| Failure::run(&error);
    report::draw_curves(&run.metrics_jsonl(), name, &run.picture("curves")).map_err(drawn)?;
    let plane = match Plane::of(run, device) {
        Err(RunError::NothingTrained { .. }) => None,
        plane => plane?,
    };
    if let Some(plane) = plane {
        run.write_boundary(&boundary(plane))?;
        report::draw_boundary(&run.boundary(), name, &run.picture("boundary")).map_err(drawn)?;
    }
    Ok(())
}

fn boundary(plane: Plane) -> Boundary {
    Boundary {
        x: plane.x,
        y: plane.y,
        columns: plane.columns,
        rows: plane.rows,
        probabilities: plane.probabilities,
        classes: plane.classes,
        train: points(&plane.train),
        test: points(&plane.test),
    }
}

/// The points to draw, every so many if there are more than can be told apart.
pub fn points(examples: &Examples) -> Vec<Point> {
    let Values::Features(features) = &examples.values else { return Vec::new() };
    let (pairs, _) = features.as_chunks::<2>();
    let points = pairs.iter().zip(&examples.labels).map(|(&at, &class)| Point { at, class });
    points.step_by(examples.len().div_ceil(MOST).max(1)).collect()
}
