//! The command line.

mod about;
mod config;
mod data;
mod runs;

use std::num::NonZeroU16;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use training::{Plant, SplitName};

use crate::error::Failure;
use crate::style;
use crate::table::WIDTH;
pub use about::{CompletionsArgs, DevicesArgs, ManArgs, ModelCommand, ModelSummaryArgs};
pub use config::{CheckArgs, ConfigCommand, DiffArgs, ExplainArgs, InitArgs, SchemaArgs, ShowArgs};
pub use data::{DataCommand, ExportArgs, FractionArgs, ImportArgs, SplitArgs};
pub use runs::{
    RunsArgs, RunsBestArgs, RunsCommand, RunsCompareArgs, RunsListArgs, RunsRmArgs, RunsShowArgs,
};

/// Trains a classifier of images or points from one TOML file.
///
/// `trainer --config configs/signs.toml` is short for `trainer train --config ..`.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true, subcommand_negates_reqs = true)]
#[command(after_help = EXIT_CODES, styles = style::HELP, max_term_width = WIDTH)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub train: TrainArgs,
    #[command(flatten)]
    pub verbosity: Verbosity,
}

const EXIT_CODES: &str = "\
Exit codes:
    0  done
    1  the run failed: data, checkpoint, disk, device, or another process has
       it; or gradients differ, or a score is not reached
    2  the command line, the config or the device is wrong
  130  stopped by Ctrl-C, 143 by SIGTERM; what was trained is in a checkpoint";

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Train, or resume a run
    Train(TrainArgs),
    /// Score the best model of a run on one part of its data
    Evaluate(EvaluateArgs),
    /// Classify images or points with the best model of a run
    Predict(PredictArgs),
    /// Draw the report of a run again, or compare it with another run
    Report(ReportArgs),
    /// Run the experiments of the courses over several seeds and compare with the courses
    Reproduce(ReproduceArgs),
    /// Train one config with many settings, and compare them by their validation accuracy
    Sweep(SweepArgs),
    /// Compare the gradients of an experiment with centred differences of its cost
    Gradcheck(GradcheckArgs),
    /// Search a learning rate: train some steps while it rises, and watch the loss
    LrFind(LrFindArgs),
    /// List the devices of this build on this machine, the best one first
    Devices(DevicesArgs),
    /// Check, show and explain configs, and start one
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Make, inspect and divide data sets
    #[command(subcommand)]
    Data(DataCommand),
    /// List, show, compare and delete runs
    Runs(RunsArgs),
    /// Look at models
    #[command(subcommand)]
    Model(ModelCommand),
    /// Print the completions of a shell: trainer completions bash > trainer.bash
    Completions(CompletionsArgs),
    /// Print the manual: trainer man | man -l -
    Man(ManArgs),
}

#[derive(Debug, Args)]
pub struct TrainArgs {
    /// The TOML file of the experiment
    #[arg(long, value_name = "FILE", required_unless_present = "resume")]
    pub config: Option<PathBuf>,
    /// Override a key of the config, for example optimizer.adam.learning_rate=1e-3
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub overrides: Vec<String>,
    /// Where to run: flex, ndarray, wgpu, wgpu:1, ..; else the config's, else the best one
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<String>,
    /// The directory of the new run, instead of one in runs/
    #[arg(long, value_name = "DIR", conflicts_with = "resume")]
    pub run_dir: Option<PathBuf>,
    /// Continue the latest run of the config, or the run in DIR
    #[arg(long, value_name = "DIR", num_args = 0..=1)]
    pub resume: Option<Option<PathBuf>>,
    /// How to show the run
    #[arg(long, value_enum, default_value_t)]
    pub ui: UiChoice,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum UiChoice {
    /// The dashboard on a terminal, plain elsewhere
    #[default]
    Auto,
    /// Burn's dashboard
    Dashboard,
    /// One line an epoch
    Plain,
    /// Nothing but errors
    None,
}

#[derive(Debug, Args)]
pub struct EvaluateArgs {
    /// The run directory
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// The part of the data
    #[arg(long, value_enum, default_value = "test")]
    pub split: SplitChoice,
    /// Where to run; else the best device
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum SplitChoice {
    Train,
    Validation,
    Test,
}

#[derive(Debug, Args)]
pub struct PredictArgs {
    /// The run directory
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// PNG or JPEG files of any size
    #[arg(value_name = "IMAGE", required_unless_present = "features")]
    pub images: Vec<PathBuf>,
    /// A point, for a run on points; may be repeated
    #[arg(long, value_name = "A,B,..", allow_hyphen_values = true, conflicts_with = "images", value_parser = numbers)]
    pub features: Vec<Vec<f32>>,
    /// Where to run; else the best device
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct ReportArgs {
    /// The run directory
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// Compare with this run, in a page of its own
    #[arg(long, value_name = "RUN")]
    pub against: Option<PathBuf>,
    /// Where to ask the model; else the best device
    #[arg(long, value_name = "DEVICE", conflicts_with = "against")]
    pub device: Option<String>,
}

#[derive(Debug, Args)]
pub struct ReproduceArgs {
    /// Experiments by the names of their configs, or course1 or course2; all if none is named
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// The directory of the configs; those with a [reference] are experiments
    #[arg(long, value_name = "DIR", default_value = "configs")]
    pub configs: PathBuf,
    /// Run each with N seeds: its own, then 1, 2, 3, ..
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub seeds: u64,
    /// So many runs at once; as many as there are cores if not given
    #[arg(long, value_name = "N")]
    pub jobs: Option<NonZeroU16>,
    /// Override a key of every config, for example training.epochs=10
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub overrides: Vec<String>,
    /// Where to run, as for train
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<String>,
    /// The directory of the runs and of the table, instead of one in runs/
    #[arg(long, value_name = "DIR", conflicts_with = "resume")]
    pub out: Option<PathBuf>,
    /// Continue what was stopped in DIR, as it was asked for; finished runs are not repeated
    #[arg(long, value_name = "DIR", conflicts_with_all = ["names", "configs", "seeds", "overrides", "device"])]
    pub resume: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct SweepArgs {
    /// The TOML file of the sweep: a config, and a grid of values of its keys, or where to draw them
    #[arg(value_name = "SWEEP", required_unless_present = "resume")]
    pub sweep: Option<PathBuf>,
    /// So many runs at once; as many as there are cores if not given
    #[arg(long, value_name = "N")]
    pub jobs: Option<NonZeroU16>,
    /// Where to run, as for train
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<String>,
    /// The directory of the runs and of the report, instead of one in runs/
    #[arg(long, value_name = "DIR", conflicts_with = "resume")]
    pub out: Option<PathBuf>,
    /// Continue what was stopped in DIR, as it was asked for; finished runs are not repeated
    #[arg(long, value_name = "DIR", conflicts_with = "sweep")]
    pub resume: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct GradcheckArgs {
    /// The TOML file of the experiment
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Override a key of the config, for example objective.l2=0.1
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub overrides: Vec<String>,
    /// How many training examples make the batch
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub examples: u64,
    /// How many elements of each tensor to check
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub samples: u64,
    /// The relative difference below which gradients agree
    #[arg(long, value_name = "T", default_value = "2e-7", value_parser = positive)]
    pub threshold: f64,
    /// Make an error in the backward pass, to see that it is found
    #[arg(long, value_name = "ERROR", value_enum)]
    pub plant: Option<PlantChoice>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct LrFindArgs {
    /// The TOML file of the experiment
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Override a key of the config, for example training.batch_size=64
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub overrides: Vec<String>,
    /// The most steps, from a rate of 1e-7 to one of 10
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u64).range(10..=100_000))]
    pub steps: u64,
    /// Where to run; else the config's, or the best device
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<String>,
    /// The files of the plot, without .svg and .png; else the name of the config and -lr
    #[arg(long, value_name = "STEM")]
    pub plot: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum PlantChoice {
    /// Double the gradient of the last hidden weights
    DoubleWeight,
    /// Take the gradient of the first bias four times
    FourfoldBias,
    /// Forget the L1 and L2 penalty
    ForgottenPenalty,
    /// Forget the dropout mask
    ForgottenDropout,
    /// Take every activation for a linear one
    LinearActivation,
}

fn numbers(text: &str) -> Result<Vec<f32>, String> {
    let number = |part: &str| part.trim().parse().ok().filter(|value: &f32| value.is_finite());
    let numbers = text.split(',').map(number).collect::<Option<_>>();
    numbers.ok_or_else(|| "not numbers with commas between them".to_owned())
}

fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value > 0.0 && value.is_finite() => Ok(value),
        _ => Err("not a number greater than 0".to_owned()),
    }
}

#[derive(Debug, Args)]
pub struct SynthesizeArgs {
    /// What to draw
    #[arg(long, value_enum, default_value_t)]
    pub subject: SubjectChoice,
    /// The directory to write the file of each part into
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// The number of training images
    #[arg(long, value_name = "N", default_value_t = 1080, value_parser = clap::value_parser!(u64).range(1..=200_000))]
    pub train: u64,
    /// The number of test images
    #[arg(long, value_name = "N", default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..=200_000))]
    pub test: u64,
    /// What the drawing depends on
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
}

#[derive(Debug, Args)]
#[command(after_help = INSPECT_EXIT_CODES)]
pub struct InspectArgs {
    /// The TOML file of an experiment, or an HDF5 file in the layout of data/README.md
    #[arg(value_name = "CONFIG|FILE")]
    pub input: PathBuf,
    /// Draw a page, inspection.html, and pictures of classes and twins into this directory
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

const INSPECT_EXIT_CODES: &str = "\
Twins are images of one picture, told by their correlation: compression,
brightness and contrast make no difference. Their distance is a share of the
median distance between two images of their class; twins are at most at 0.17.
Points are twins if they are equal.

Exit codes:
  0  nothing is wrong that makes a score worthless
  1  an example of one part has a twin in another, or examples that are one have
     two labels; or a file is missing, damaged or not in the layout
  2  the command line or the config is wrong";

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum SubjectChoice {
    /// Hands with 0 to 5 raised fingers, for SIGNS
    #[default]
    Hands,
    /// Cats among other animals and things, for cat / non-cat
    Cats,
}

#[derive(Debug, Args)]
pub struct Verbosity {
    /// Log more to stderr: -v what happens, -vv every detail; RUST_LOG overrides
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub verbose: u8,
    /// Log errors only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
}

impl Cli {
    /// Refuses arguments of a run before another command.
    pub fn check(&self) -> Result<(), Failure> {
        let TrainArgs { config, overrides, device, run_dir, resume, ui } = &self.train;
        let stray = config.is_some()
            || resume.is_some()
            || !overrides.is_empty()
            || device.is_some()
            || run_dir.is_some()
            || *ui != UiChoice::default();
        match self.command.is_some() && stray {
            true => Err(Failure::usage(
                "options of `train` stand before another command\n  write the options of a command after it",
            )),
            false => Ok(()),
        }
    }

    /// Whether it may tell how far it is.
    pub fn may_tell(&self) -> bool {
        let train = match &self.command {
            Some(Command::Train(args)) => args,
            _ => &self.train,
        };
        train.ui != UiChoice::None
    }

    /// Whether this command takes over the terminal.
    pub fn shows_dashboard(&self) -> bool {
        match &self.command {
            None => self.train.ui.is_dashboard(),
            Some(Command::Train(args)) => args.ui.is_dashboard(),
            Some(_) => false,
        }
    }
}

impl From<PlantChoice> for Plant {
    fn from(choice: PlantChoice) -> Self {
        match choice {
            PlantChoice::DoubleWeight => Self::DoubleWeight,
            PlantChoice::FourfoldBias => Self::FourfoldBias,
            PlantChoice::ForgottenPenalty => Self::ForgottenPenalty,
            PlantChoice::ForgottenDropout => Self::ForgottenDropout,
            PlantChoice::LinearActivation => Self::LinearActivation,
        }
    }
}

impl From<SplitChoice> for SplitName {
    fn from(choice: SplitChoice) -> Self {
        match choice {
            SplitChoice::Train => Self::Train,
            SplitChoice::Validation => Self::Validation,
            SplitChoice::Test => Self::Test,
        }
    }
}
