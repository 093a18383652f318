//! The arguments of `trainer config`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Overrides;

#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Check configs without reading their data, and list all problems
    Check(CheckArgs),
    /// Print a config with all defaults, bases and overrides resolved
    Show(ShowArgs),
    /// Print the JSON Schema of config files, for editors
    Schema(SchemaArgs),
    /// Explain a key: its meaning, type, choices and default
    Explain(ExplainArgs),
    /// List the keys whose values differ between two configs
    Diff(DiffArgs),
    /// Write a commented starter config for a data set
    Init(InitArgs),
}

#[derive(Debug, Args)]
pub struct CheckArgs {
    /// TOML files of experiments
    #[arg(value_name = "CONFIG", required = true)]
    pub configs: Vec<PathBuf>,
    #[command(flatten)]
    pub set: Overrides,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct ShowArgs {
    /// TOML file of the experiment
    #[arg(value_name = "CONFIG")]
    pub config: PathBuf,
    #[command(flatten)]
    pub set: Overrides,
    /// Show the origin of each value in a comment: a line of a file, an override or the default
    #[arg(long, conflicts_with = "json")]
    pub origins: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct SchemaArgs {
    /// Print the reference of all keys in Markdown instead, as in docs/config.md
    #[arg(long)]
    pub markdown: bool,
    /// Print the JSON Schema of sweep files instead
    #[arg(long, conflicts_with = "markdown")]
    pub sweep: bool,
}

#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// Key or table, for example optimizer.adam.beta_1 [default: list the top-level keys]
    #[arg(value_name = "KEY")]
    pub key: Option<String>,
}

#[derive(Debug, Args)]
pub struct DiffArgs {
    /// TOML file of the first experiment
    #[arg(value_name = "ONE")]
    pub one: PathBuf,
    /// TOML file of the second experiment
    #[arg(value_name = "OTHER")]
    pub other: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct InitArgs {
    /// HDF5 file, directory of such files, or folder of images
    #[arg(value_name = "DATA")]
    pub data: PathBuf,
    /// Output file [default: the name of the data with .toml]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}
