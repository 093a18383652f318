//! `trainer model summary`: the layers of a model.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use training::ModelSummary;

use super::runs::config_or_run;
use crate::cli::{Overrides, RunsOption};
use crate::context::Context;
use crate::error::Failure;
use crate::table::{Table, scaled, size};
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
    let mut table = Table::new(["layer", "kind", "output", "parameters", "mult-adds"], &[1, 0]);
    for layer in &summary.layers {
        let kind = [std::slice::from_ref(&layer.kind), &layer.then].concat().join(", ");
        let (output, parameters) = (text::shape(&layer.output), layer.parameters.to_string());
        table.row([layer.name.clone(), kind, output, parameters, short(layer.multiply_adds)]);
    }
    format!(
        "{name}: {input} in {classes} classes\n\n{}\n\n{parameters} parameters, {trained} trainable; {} in memory\n{} multiply-adds per example",
        table.text(),
        size(summary.bytes as u64),
        short(summary.multiply_adds),
    )
}

fn short(number: usize) -> String {
    if number < 10_000 { number.to_string() } else { scaled(number as f64) }
}
