//! `trainer model summary`: the layers of a model.

use std::path::PathBuf;

use artifacts::LayerSummary;
use clap::{Args, Subcommand};
use training::ModelSummary;

use super::runs::config_or_run;
use crate::cli::{Overrides, RunsOption};
use crate::context::Context;
use crate::error::Failure;
use crate::table::{Table, size};
use crate::{print, text};

#[derive(Debug, Subcommand)]
pub enum ModelCommand {
    /// Show the layers of a config's model: shapes, parameters and multiply-adds
    Summary(ModelSummaryArgs),
}

#[derive(Debug, Args)]
pub struct ModelSummaryArgs {
    /// TOML file of the experiment, or a run
    #[arg(value_name = "CONFIG|RUN")]
    config: PathBuf,
    #[command(flatten)]
    set: Overrides,
    #[command(flatten)]
    runs: RunsOption,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Prints the layers of a config's model.
pub fn summary(args: &ModelSummaryArgs, context: &Context) -> Result<(), Failure> {
    let input = config_or_run(&args.config, args.runs.path());
    let config = context.read_config(&input, &args.set.overrides)?;
    let summary = ModelSummary::of(&config)?;
    if let Some(warning) = &summary.warning {
        tracing::warn!("{warning}");
    }
    print::json_or_text(args.json, &summary, || text(&summary))
}

fn text(summary: &ModelSummary) -> String {
    let ModelSummary { name, classes, parameters, trained, .. } = summary;
    let [height, width, _] = summary.input;
    let input = text::examples([height, width] != [1, 1], summary.input);
    format!(
        "{name}: {input} in {classes} classes\n\n{}\n\n{parameters} parameters, {trained} trainable; {} in memory\n{} multiply-adds per example",
        table(&summary.layers),
        size(summary.bytes as u64),
        short(summary.multiply_adds),
    )
}

fn table(layers: &[LayerSummary]) -> String {
    let mut table = Table::new(["layer", "kind", "output", "parameters", "mult-adds"], &[1, 0]);
    for layer in layers {
        let kind = [std::slice::from_ref(&layer.kind), &layer.then].concat().join(", ");
        let (output, parameters) = (text::shape(&layer.output), layer.parameters.to_string());
        table.row([layer.name.clone(), kind, output, parameters, short(layer.multiply_adds)]);
    }
    table.text()
}

/// Formats a number with a decimal prefix, such as `1.5 M`.
fn short(number: usize) -> String {
    match number as f64 {
        number if number < 1e4 => number.to_string(),
        number if number < 1e6 => format!("{:.1} k", number / 1e3),
        number if number < 1e9 => format!("{:.1} M", number / 1e6),
        number => format!("{:.1} G", number / 1e9),
    }
}
