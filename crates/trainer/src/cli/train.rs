//! The arguments of `trainer train`, `reproduce` and `sweep`.

use std::num::NonZeroU16;
use std::path::PathBuf;

use clap::Args;

use crate::ui::UiChoice;

#[derive(Debug, Args)]
pub struct TrainArgs {
    /// The TOML file of the experiment
    #[arg(long, value_name = "FILE", required_unless_present = "resume")]
    pub config: Option<PathBuf>,
    /// Override a key of the config, for example optimizer.adam.learning_rate=1e-3
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub overrides: Vec<String>,
    /// Device: flex, ndarray, wgpu, wgpu:1, .. [default: from the config, else the best one]
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<String>,
    /// Directory of the new run [default: runs/NAME]
    #[arg(long, value_name = "DIR", conflicts_with = "resume")]
    pub run_dir: Option<PathBuf>,
    /// Resume the latest run of the config, or the run in DIR
    #[arg(long, value_name = "DIR", num_args = 0..=1)]
    pub resume: Option<Option<PathBuf>>,
    /// Display of the training progress
    #[arg(long, value_enum, default_value_t)]
    pub ui: UiChoice,
}

#[derive(Debug, Args)]
pub struct ReproduceArgs {
    /// Experiments by config name, or course1 or course2 [default: all]
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// Directory of the configs; those with a [reference] are run
    #[arg(long, value_name = "DIR", default_value = "configs")]
    pub configs: PathBuf,
    /// Number of seeds per experiment: its own, then 1, 2, 3, ..
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub seeds: u64,
    /// Number of parallel runs [default: number of CPU cores]
    #[arg(long, value_name = "N")]
    pub jobs: Option<NonZeroU16>,
    /// Override a key of every config, for example training.epochs=10
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub overrides: Vec<String>,
    /// Device, as for train
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<String>,
    /// Directory of the runs and the table [default: runs/reproduce]
    #[arg(long, value_name = "DIR", conflicts_with = "resume")]
    pub out: Option<PathBuf>,
    /// Continue in DIR with the options saved there; finished runs are not repeated
    #[arg(long, value_name = "DIR", conflicts_with_all = ["names", "configs", "seeds", "overrides", "device"])]
    pub resume: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct SweepArgs {
    /// The TOML file of the sweep: a config, and a grid or random ranges of its keys
    #[arg(value_name = "SWEEP", required_unless_present = "resume")]
    pub sweep: Option<PathBuf>,
    /// Number of parallel runs [default: number of CPU cores]
    #[arg(long, value_name = "N")]
    pub jobs: Option<NonZeroU16>,
    /// Device, as for train
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<String>,
    /// Directory of the runs and the report [default: runs/sweep-NAME]
    #[arg(long, value_name = "DIR", conflicts_with = "resume")]
    pub out: Option<PathBuf>,
    /// Continue the sweep saved in DIR; finished runs are not repeated
    #[arg(long, value_name = "DIR", conflicts_with = "sweep")]
    pub resume: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
