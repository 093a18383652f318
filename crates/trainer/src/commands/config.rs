//! `trainer config`: checks, shows, explains, compares and creates config files.

mod diff;
mod explain;
mod init;
mod recipe;
mod starter;

use std::path::{Path, PathBuf};

use ::config::{ConfigError, Manual};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use training::{ModelRegistry, RunConfig};

use super::sweep::SweepSpec;
use crate::cli::Overrides;
use crate::context::Context;
use crate::error::Failure;
use crate::{print, style, text};
pub use init::{dataset_of, file_name, propose};

#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Check configs without reading their data, and list all problems
    Check(CheckArgs),
    /// Print a config with all defaults, bases and overrides resolved
    Show(ShowArgs),
    /// Print the JSON Schema of config files, for editors
    Schema(SchemaArgs),
    /// Explain a key: its meaning, type, choices and default
    Explain(explain::ExplainArgs),
    /// List the keys whose values differ between two configs
    Diff(diff::DiffArgs),
    /// Write a commented starter config for a data set
    Init(init::InitArgs),
}

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

#[derive(Debug, Args)]
pub struct ShowArgs {
    /// TOML file of the experiment
    #[arg(value_name = "CONFIG")]
    config: PathBuf,
    #[command(flatten)]
    set: Overrides,
    /// Show the origin of each value in a comment: a line of a file, an override or the default
    #[arg(long, conflicts_with = "json")]
    origins: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub struct SchemaArgs {
    /// Print the reference of all keys in Markdown instead, as in docs/config.md
    #[arg(long)]
    markdown: bool,
    /// Print the JSON Schema of sweep files instead
    #[arg(long, conflicts_with = "markdown")]
    sweep: bool,
}

pub fn run(command: &ConfigCommand, context: &Context) -> Result<(), Failure> {
    let models = context.models;
    match command {
        ConfigCommand::Check(args) => check(args, models),
        ConfigCommand::Show(args) => show(args, context),
        ConfigCommand::Schema(args) => schema(args, models),
        ConfigCommand::Explain(args) => explain::explain(args, models),
        ConfigCommand::Diff(args) => diff::diff(args, context),
        ConfigCommand::Init(args) => init::init(args),
    }
}

/// Checks every config and fails with all their problems.
fn check(args: &CheckArgs, models: &ModelRegistry) -> Result<(), Failure> {
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

fn show(args: &ShowArgs, context: &Context) -> Result<(), Failure> {
    let (config, document) = context.read_document(&args.config, &args.set.overrides)?;
    if args.json {
        return print::json(&config);
    }
    let text = toml::to_string(&config)?;
    let text = if args.origins { document.with_origins(&text) } else { text };
    print::result(text.trim_end())
}

fn schema(args: &SchemaArgs, models: &ModelRegistry) -> Result<(), Failure> {
    if args.sweep {
        print::json(&SweepSpec::schema())
    } else if args.markdown {
        let keys = Manual::of(&RunConfig::schema(models)).markdown();
        print::result(&format!("{REFERENCE_HEAD}{}", keys.trim_end()))
    } else {
        print::json(&RunConfig::file_schema(models))
    }
}

/// Above the reference of all keys.
const REFERENCE_HEAD: &str = "# Config reference\n\n\
    One TOML file describes one experiment. This page is generated by\n\
    `trainer config schema --markdown`; `trainer config explain KEY` prints a part of it.\n\n";
