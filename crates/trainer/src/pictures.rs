//! Pictures and HTML pages of a run: metric curves, the decision boundary of a model with two
//! features, the report, and the comparison of runs.

use std::iter;
use std::path::PathBuf;

use artifacts::{DataIdentity, Environment, RunDir};
use data::Split;
use training::runs::Difference;
use training::{RunConfig, RunError};

use crate::context::Context;
use crate::error::Failure;

/// Draws the pictures into the run directory. A failure is a warning: the run is unaffected.
pub fn draw(context: &Context, run: &RunDir, name: &str, device: Option<&str>) {
    if let Err(failure) = try_draw(context, run, name, device) {
        tracing::warn!("cannot draw the pictures of the run: {}", failure.plain_message());
    }
}

fn try_draw(
    context: &Context,
    run: &RunDir,
    name: &str,
    device: Option<&str>,
) -> Result<(), Failure> {
    report::draw_curves(run, name)?;
    let DataIdentity { are_images, shape: [.., features], .. } = Environment::read(run)?.data;
    // Checked here, so that no model of images is loaded for nothing.
    if are_images || features != 2 {
        return Ok(());
    }
    let model = match context.open(run.path(), device) {
        Err(RunError::NoCheckpoint { .. }) => return Ok(()),
        model => model?,
    };
    if let Some(boundary) = model.decision_boundary()? {
        report::draw_boundary(&boundary, name, &run.picture("boundary"))?;
    }
    Ok(())
}

/// Writes the report of a run with new predictions of its model on `data`, by default those of its config,
/// and returns its path. If the data are gone, the report shows the predictions that were saved earlier.
pub fn write_report(
    context: &Context,
    run: &RunDir,
    device: Option<&str>,
    data: Option<&Split>,
) -> Result<PathBuf, Failure> {
    let predictions = context.open(run.path(), device).and_then(|model| match data {
        Some(data) => model.test_predictions(data),
        None => model.test_predictions(&model.load_data()?),
    });
    match predictions {
        Err(error) if run.test_predictions().exists() => {
            tracing::warn!("the report shows the predictions of an earlier call: {error}");
        }
        Ok(_) | Err(RunError::NoCheckpoint { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    report::draw_report(run)?;
    Ok(run.report())
}

/// Writes a page that compares a run with others into its directory, and returns the path.
pub fn compare(context: &Context, first: &RunDir, others: &[RunDir]) -> Result<PathBuf, Failure> {
    let read = |run: &RunDir| RunConfig::read_with_models(&run.config(), &[], context.models);
    let configs = iter::once(first)
        .chain(others)
        .map(read)
        .collect::<Result<Vec<_>, _>>()
        .map_err(Failure::run)?;
    let differences = Difference::between(&configs.iter().collect::<Vec<_>>())?;
    let differences = differences.into_iter().map(|Difference { key, values }| {
        // As TOML; empty if it is not set.
        let value =
            |value: Option<_>| value.map_or(String::new(), |value: toml::Value| value.to_string());
        (key, values.into_iter().map(value).collect())
    });
    Ok(report::draw_comparison(first, others, &differences.collect::<Vec<_>>())?)
}
