use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::SplitChoice;

#[derive(Debug, Args)]
pub struct RunsArgs {
    #[command(subcommand)]
    pub command: RunsCommand,
    /// The directory of the runs [default: runs]
    #[arg(long, value_name = "DIR", global = true)]
    pub runs: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum RunsCommand {
    /// List the runs, the newest last
    List(RunsListArgs),
    /// Show what a run is and what it reached
    Show(RunsShowArgs),
    /// Show in what runs differ: scores, configs, programs, data
    Compare(RunsCompareArgs),
    /// Print the path of the finished run with the highest accuracy
    Best(RunsBestArgs),
    /// Delete runs; never one that is running, nor anything that is no run
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
    /// The run: its name, or the path of its directory
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct RunsCompareArgs {
    /// Two or more runs: their names, or the paths of their directories
    #[arg(value_name = "RUN", required = true, num_args = 2..)]
    pub runs_to_compare: Vec<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct RunsBestArgs {
    /// Only runs of the config of this name
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// The accuracy to choose by; if not given, validation where runs have it, else test
    #[arg(long, value_enum, value_name = "PART")]
    pub by: Option<SplitChoice>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct RunsRmArgs {
    /// The runs: their names, or the paths of their directories
    #[arg(value_name = "RUN", required = true)]
    pub runs_to_delete: Vec<PathBuf>,
    /// Delete without asking
    #[arg(short, long)]
    pub yes: bool,
}
