use std::path::{Path, PathBuf};

use ::config::ConfigError;
use clap::Args;
use serde_json::{Value, json};
use training::{ModelRegistry, RunConfig};

use crate::cli::Overrides;
use crate::error::Failure;
use crate::{print, style, text};

#[derive(Debug, Args)]
pub struct CheckArgs {
    /// TOML files of experiments
    #[arg(value_name = "CONFIG", required = true)]
    configs: Vec<PathBuf>,
    #[command(flatten)]
    set: Overrides,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Checks every config and fails with all their problems.
pub fn check(args: &CheckArgs, models: &ModelRegistry) -> Result<(), Failure> {
    let paths = args.configs.iter().map(PathBuf::as_path);
    let checked = paths
        .map(|path| (path, RunConfig::read_with_models(path, &args.set.overrides, models).err()));
    let checked: Vec<_> = checked.collect();
    let problems: Value = checked.iter().map(file_problems).collect();
    print::json_or_text(args.json, &problems, || {
        checked.iter().map(line).collect::<Vec<_>>().join("\n")
    })?;
    let errors = checked.iter().filter_map(|(_, error)| error.as_ref());
    let errors: Vec<_> = errors.map(|error| format!("{error:#}")).collect();
    if errors.is_empty() { Ok(()) } else { Err(Failure::usage(errors.join("\n\n"))) }
}

fn line((path, error): &(&Path, Option<ConfigError>)) -> String {
    let verdict = match error {
        None => style::good("valid"),
        Some(_) => style::bad("invalid"),
    };
    format!("{}: {verdict}", text::path(path))
}

fn file_problems((path, error): &(&Path, Option<ConfigError>)) -> Value {
    let problems = match error {
        None => Vec::new(),
        Some(ConfigError::Invalid(diagnostics)) => diagnostics
            .iter()
            .map(|problem| {
                json!({ "location": problem.location, "key": problem.key, "message": problem.message })
            })
            .collect(),
        Some(other) => vec![json!({ "location": null, "key": null, "message": other.to_string() })],
    };
    json!({ "config": path.display().to_string(), "problems": problems })
}
