//! The arguments of `trainer train`, `reproduce` and `sweep`.

use std::num::NonZeroU16;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::{Overrides, RunsOption};
use crate::ui::UiChoice;

#[derive(Debug, Args)]
pub struct TrainArgs {
    /// TOML file of the experiment
    #[arg(value_name = "CONFIG", conflicts_with = "config")]
    pub input: Option<PathBuf>,
    #[command(flatten)]
    pub options: TrainOptions,
}

#[derive(Debug, Args)]
pub struct TrainOptions {
    /// TOML file of the experiment
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    #[command(flatten)]
    pub set: Overrides,
    /// Number of epochs, short for --set training.epochs=N
    #[arg(long, value_name = "N")]
    pub epochs: Option<u64>,
    /// Time for the whole command, as 90s, 10m or 1.5h: trains as many epochs as fit
    #[arg(long, value_name = "TIME", value_parser = duration, conflicts_with = "epochs")]
    pub time: Option<Duration>,
    /// Device: cpu, gpu, or one that `trainer devices` lists [default: from the config, else the
    /// best one]
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<String>,
    /// Directory of the new run [default: runs/NAME]
    #[arg(long, value_name = "DIR", conflicts_with = "resume")]
    pub run_dir: Option<PathBuf>,
    #[command(flatten)]
    pub runs: RunsOption,
    /// Resume the latest run of the config, or this run, by name or directory
    #[arg(long, value_name = "RUN", num_args = 0..=1)]
    pub resume: Option<Option<PathBuf>>,
    /// Train and evaluate on two batches of each part, to test config and data; keeps nothing
    #[arg(long, conflicts_with_all = ["resume", "run_dir"])]
    pub fast_dev_run: bool,
    /// Display of the training progress
    #[arg(long, value_enum, default_value_t)]
    pub ui: UiChoice,
}

impl TrainOptions {
    /// Whether no option is given.
    pub fn is_empty(&self) -> bool {
        let Self { config, set, epochs, time, device, run_dir, runs, resume, fast_dev_run, ui } =
            self;
        config.is_none()
            && set.overrides.is_empty()
            && epochs.is_none()
            && time.is_none()
            && device.is_none()
            && run_dir.is_none()
            && runs.runs.is_none()
            && resume.is_none()
            && !fast_dev_run
            && *ui == UiChoice::default()
    }

    /// Whether the dashboard will be shown.
    pub fn shows_dashboard(&self) -> bool {
        self.ui.is_dashboard() && !self.fast_dev_run
    }

    /// All overrides of the config; `--epochs` and `--time` have precedence.
    pub fn overrides(&self) -> Vec<String> {
        let epochs = self.epochs.map(|epochs| format!("training.epochs={epochs}"));
        let minutes = self.time.map(|time| time.as_secs_f64() / 60.0);
        let minutes = minutes.map(|minutes| format!("training.max_minutes={minutes:?}"));
        self.set.overrides.iter().cloned().chain(epochs).chain(minutes).collect()
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let units = [("s", 1.0), ("m", 60.0), ("min", 60.0), ("h", 3600.0)];
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = units.iter().find(|(name, _)| text.strip_prefix(number) == Some(name));
    let seconds = unit.and_then(|(_, unit)| Some(unit * number.trim().parse::<f64>().ok()?));
    let seconds = seconds.filter(|seconds| (0.1..=6e7).contains(seconds));
    seconds
        .map(Duration::from_secs_f64)
        .ok_or_else(|| "expected a time with its unit, for example 90s, 10m or 1.5h".to_owned())
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
    #[command(flatten)]
    pub set: Overrides,
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
    /// The TOML file of the sweep: a config, and a grid or ranges of its keys
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
