//! The command line.

mod about;
mod config;
mod data;
mod diagnose;
mod inference;
mod inspect;
mod runs;
mod synthesize;
mod train;

use ::data::SplitKind;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};

use crate::error::Failure;
use crate::style;
use crate::table::WIDTH;
use crate::ui::UiChoice;
pub use about::{CompletionsArgs, DevicesArgs, ManArgs, ModelCommand, ModelSummaryArgs};
pub use config::{CheckArgs, ConfigCommand, DiffArgs, ExplainArgs, InitArgs, SchemaArgs, ShowArgs};
pub use data::{DataCommand, ExportArgs, FractionArgs, ImportArgs, SplitArgs};
pub use diagnose::{GradcheckArgs, LrFindArgs};
pub use inference::{EvaluateArgs, PredictArgs, ReportArgs};
pub use inspect::InspectArgs;
pub use runs::{
    RunsArgs, RunsBestArgs, RunsCommand, RunsCompareArgs, RunsListArgs, RunsRmArgs, RunsShowArgs,
};
pub use synthesize::{SubjectChoice, SynthesizeArgs};
pub use train::{ReproduceArgs, SweepArgs, TrainArgs};

/// Train image and point classifiers from TOML files.
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
    0  success
    1  failure: data, checkpoint, disk or device error, run in use by another
       process, gradients that differ, or scores below their reference
    2  invalid command line, config or device
  130  stopped by Ctrl-C (143: by SIGTERM); a checkpoint holds the progress";

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Train a model, or resume a run
    Train(TrainArgs),
    /// Evaluate the best model of a run, on its data or on others
    Evaluate(EvaluateArgs),
    /// Classify images or points with the best model of a run
    Predict(PredictArgs),
    /// Write the HTML report of a run again, or compare two runs
    Report(ReportArgs),
    /// Run the course experiments over several seeds and compare with the reference scores
    Reproduce(ReproduceArgs),
    /// Train a config with many settings and rank them by validation accuracy
    Sweep(SweepArgs),
    /// Check the gradients of an experiment against centred finite differences
    Gradcheck(GradcheckArgs),
    /// Suggest a learning rate with a learning rate range test
    LrFind(LrFindArgs),
    /// List the available devices, the default first
    Devices(DevicesArgs),
    /// Check, show, explain and create configs
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Synthesize, inspect, convert and split data sets
    #[command(subcommand)]
    Data(DataCommand),
    /// List, show, compare and delete runs
    Runs(RunsArgs),
    /// Inspect models
    #[command(subcommand)]
    Model(ModelCommand),
    /// Print shell completions: trainer completions bash > trainer.bash
    Completions(CompletionsArgs),
    /// Print the manual page: trainer man | man -l -
    Man(ManArgs),
}

#[derive(Debug, Args)]
pub struct Verbosity {
    /// Log more to stderr: -v info, -vv debug; RUST_LOG overrides
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub verbose: u8,
    /// Log errors only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
}

impl Cli {
    /// Fails if options of `train` precede another command.
    pub fn check(&self) -> Result<(), Failure> {
        let TrainArgs { config, overrides, device, run_dir, resume, ui } = &self.train;
        let has_train_options = config.is_some()
            || resume.is_some()
            || !overrides.is_empty()
            || device.is_some()
            || run_dir.is_some()
            || *ui != UiChoice::default();
        if self.command.is_some() && has_train_options {
            return Err(Failure::usage(
                "options of `train` stand before another command\n  write the options of a command after its name",
            ));
        }
        Ok(())
    }

    /// Whether the progress line may be shown.
    pub fn may_show_progress(&self) -> bool {
        let train = match &self.command {
            Some(Command::Train(args)) => args,
            _ => &self.train,
        };
        train.ui != UiChoice::None
    }

    /// Whether this command shows the dashboard.
    pub fn shows_dashboard(&self) -> bool {
        match &self.command {
            None => self.train.ui.is_dashboard(),
            Some(Command::Train(args)) => args.ui.is_dashboard(),
            Some(_) => false,
        }
    }
}

/// Parses the name of a split.
fn split_kind() -> impl TypedValueParser<Value = SplitKind> {
    let names = PossibleValuesParser::new(SplitKind::ALL.map(SplitKind::as_str));
    names.try_map(|name| {
        SplitKind::ALL.into_iter().find(|split| split.as_str() == name).ok_or("not a split")
    })
}
