//! The arguments of `trainer model`, `completions`, `man` and `devices`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use clap_complete::Shell;

use super::{Overrides, RunsOption};

#[derive(Debug, Subcommand)]
pub enum ModelCommand {
    /// Show the layers of a config's model: shapes, parameters and multiply-adds
    Summary(ModelSummaryArgs),
}

#[derive(Debug, Args)]
pub struct ModelSummaryArgs {
    /// TOML file of the experiment, or a run
    #[arg(value_name = "CONFIG|RUN")]
    pub config: PathBuf,
    #[command(flatten)]
    pub set: Overrides,
    #[command(flatten)]
    pub runs: RunsOption,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL", value_enum)]
    pub shell: Shell,
}

#[derive(Debug, Args)]
pub struct ManArgs {
    /// Write one page per command to this directory instead of printing one page
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct DevicesArgs {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
