use std::process::ExitCode;

use artifacts::LayerSummary;
use training::ModelSummary;

use super::runs::config_or_run;
use crate::cli::ModelSummaryArgs;
use crate::context::Context;
use crate::error::Failure;
use crate::print;
use crate::table::{Align, Table, size};

/// Prints the layers of a config's model.
pub fn summary(args: &ModelSummaryArgs, context: &Context) -> Result<ExitCode, Failure> {
    let input = config_or_run(&args.config, args.runs.path());
    let config = context.read_config(&input, &args.set.overrides)?;
    let summary = ModelSummary::of(&config)?;
    if let Some(warning) = &summary.warning {
        tracing::warn!("{warning}");
    }
    print::result(&if args.json {
        format!("{:#}", serde_json::json!(summary))
    } else {
        text(&summary)
    })?;
    Ok(ExitCode::SUCCESS)
}

fn text(summary: &ModelSummary) -> String {
    let ModelSummary { name, classes, parameters, trained, .. } = summary;
    let input = match summary.input {
        [1, 1, features] => format!("points of {features} features"),
        image => format!("images of {}", shape(&image)),
    };
    format!(
        "{name}: {input} in {classes} classes\n\n{}\n\n{parameters} parameters, {trained} trainable; {} in memory\n{} multiply-adds per example",
        table(&summary.layers),
        size(summary.bytes as u64),
        short(summary.multiply_adds),
    )
}

fn table(layers: &[LayerSummary]) -> String {
    let mut table = Table::new(
        [
            ("layer", Align::Left),
            ("kind", Align::Left),
            ("output", Align::Right),
            ("parameters", Align::Right),
            ("mult-adds", Align::Right),
        ],
        1,
    );
    for layer in layers {
        let kind = [std::slice::from_ref(&layer.kind), &layer.then].concat().join(", ");
        let (output, parameters) = (shape(&layer.output), layer.parameters.to_string());
        table.row([layer.name.clone(), kind, output, parameters, short(layer.multiply_adds)]);
    }
    table.text()
}

fn shape(shape: &[usize]) -> String {
    shape.iter().map(usize::to_string).collect::<Vec<_>>().join("x")
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
