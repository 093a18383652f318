//! The arguments of `trainer runs`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use data::SplitKind;

use super::split_kind;

#[derive(Debug, Args)]
pub struct RunsArgs {
    #[command(subcommand)]
    pub command: RunsCommand,
    /// Directory of the runs [default: runs]
    // Another id than that of `train`, whose option a global one would set.
    #[arg(id = "directory", long = "runs", value_name = "DIR", global = true)]
    pub runs: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum RunsCommand {
    /// List the runs, newest last
    List(RunsListArgs),
    /// Show the config, data and results of a run
    Show(RunsShowArgs),
    /// Compare runs: results, configs, program versions, data
    Compare(RunsCompareArgs),
    /// Print the path of the finished run with the highest accuracy
    Best(RunsBestArgs),
    /// Delete runs; refuses active runs and other directories
    Rm(RunsRmArgs),
}

#[derive(Debug, Args)]
pub struct RunsListArgs {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct RunsShowArgs {
    /// Name or directory of the run
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct RunsCompareArgs {
    /// Names or directories of two or more runs
    #[arg(value_name = "RUN", required = true, num_args = 2..)]
    pub runs_to_compare: Vec<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct RunsBestArgs {
    /// Consider only runs of the config with this name
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// Accuracy to compare [default: validation if available, else test]
    #[arg(long, value_parser = split_kind(), value_name = "SPLIT")]
    pub by: Option<SplitKind>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct RunsRmArgs {
    /// Names or directories of the runs
    #[arg(value_name = "RUN", required = true)]
    pub runs_to_delete: Vec<PathBuf>,
    /// Delete without confirmation
    #[arg(short, long)]
    pub yes: bool,
}
