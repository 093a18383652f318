//! The arguments of `trainer config`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Check configs, without reading their data: all that is wrong with their values at once
    Check(CheckArgs),
    /// Print a config with every value that it stands for
    Show(ShowArgs),
    /// Print the JSON Schema of all configs, for editors
    Schema(SchemaArgs),
    /// Tell what a key means: its type, its choices and its default
    Explain(ExplainArgs),
    /// List the keys in which two configs differ
    Diff(DiffArgs),
    /// Write a first config for given data, with comments
    Init(InitArgs),
}

#[derive(Debug, Args)]
pub struct CheckArgs {
    /// The TOML files of experiments
    #[arg(value_name = "CONFIG", required = true)]
    pub configs: Vec<PathBuf>,
    /// Override a key of every config, for example training.epochs=10
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub overrides: Vec<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The TOML file of the experiment
    #[arg(value_name = "CONFIG")]
    pub config: PathBuf,
    /// Override a key of the config, for example training.epochs=10
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub overrides: Vec<String>,
    /// Say behind each value where it comes from: a line of a file, --set, or the default
    #[arg(long, conflicts_with = "json")]
    pub origins: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct SchemaArgs {
    /// Print a page of all keys instead, as in docs/config.md
    #[arg(long)]
    pub markdown: bool,
    /// Print the JSON Schema of the files of sweeps instead
    #[arg(long, conflicts_with = "markdown")]
    pub sweep: bool,
}

#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// A key or a table, for example optimizer.adam.beta_1; the tables at the top if not given
    #[arg(value_name = "KEY")]
    pub key: Option<String>,
}

#[derive(Debug, Args)]
pub struct DiffArgs {
    /// The TOML file of one experiment
    #[arg(value_name = "ONE")]
    pub one: PathBuf,
    /// The TOML file of the other
    #[arg(value_name = "OTHER")]
    pub other: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct InitArgs {
    /// An HDF5 file in the layout of the courses, or a directory of them
    #[arg(value_name = "DATA")]
    pub data: PathBuf,
    /// The file to write; else it is called as the data
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}
