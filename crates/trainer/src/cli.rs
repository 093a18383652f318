//! The command line.

mod about;
mod config;
mod data;
mod diagnose;
mod experiment;
mod inference;
mod inspect;
mod runs;
mod synthesize;
mod train;

use std::env;
use std::ffi::OsString;
use std::path::Path;

use ::data::SplitKind;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args, CommandFactory, Parser, Subcommand};

use crate::error::Failure;
use crate::style;
use crate::table::WIDTH;
use crate::ui::UiChoice;
pub use about::{CompletionsArgs, DevicesArgs, ManArgs, ModelCommand, ModelSummaryArgs};
pub use config::{CheckArgs, ConfigCommand, DiffArgs, ExplainArgs, InitArgs, SchemaArgs, ShowArgs};
pub use data::{CleanArgs, DataCommand, ExportArgs, FractionArgs, ImportArgs, SplitArgs};
pub use diagnose::{GradcheckArgs, LrFindArgs};
pub use experiment::{ConfigPath, Overrides, RunsOption};
#[cfg(feature = "serve")]
pub use inference::ServeArgs;
pub use inference::{EvaluateArgs, ExportFormat, ExportModelArgs, PredictArgs, ReportArgs};
pub use inspect::InspectArgs;
pub use runs::{
    RunsArgs, RunsBestArgs, RunsCommand, RunsCompareArgs, RunsListArgs, RunsRmArgs, RunsShowArgs,
};
pub use synthesize::{SubjectChoice, SynthesizeArgs};
pub use train::{ReproduceArgs, SweepArgs, TrainArgs, TrainOptions};

/// Train image and point classifiers from TOML files.
///
/// `trainer --config configs/signs.toml` is short for `trainer train configs/signs.toml`.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true, subcommand_negates_reqs = true)]
#[command(after_help = EXIT_CODES, styles = style::HELP, max_term_width = WIDTH)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub train: TrainOptions,
    #[command(flatten)]
    pub verbosity: Verbosity,
}

const EXIT_CODES: &str = "\
Exit codes:
    0  success
    1  failure: data, checkpoint, disk or device error, run in use by another
       process, gradients that differ, or scores below their reference
    2  invalid command line, config or device
  130  stopped by Ctrl-C (143: by SIGTERM or SIGHUP); a checkpoint holds the
       progress";

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Train a model, or resume a run
    Train(TrainArgs),
    /// Evaluate the best model of a run, on its data or on others
    Evaluate(EvaluateArgs),
    /// Classify images or points with the best model of a run
    Predict(PredictArgs),
    /// Classify images or points over HTTP with the best models of runs
    #[cfg(feature = "serve")]
    Serve(ServeArgs),
    /// Write the model of a run for other programs: ONNX, safetensors for PyTorch, or a web page
    Export(ExportModelArgs),
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
    /// Parses the command line of this process; an invalid one ends it.
    pub fn of_process() -> Self {
        Self::try_parse_from(env::args_os().map(expand_home))
            .unwrap_or_else(|error| with_remedy(error).exit())
    }

    /// Fails if options of `train` precede another command.
    pub fn check(&self) -> Result<(), Failure> {
        if self.command.is_some() && !self.train.is_empty() {
            return Err(Failure::usage(
                "options of `train` stand before another command\n  write the options of a command after its name",
            ));
        }
        Ok(())
    }

    /// Whether the progress line may be shown.
    pub fn may_show_progress(&self) -> bool {
        let ui = match &self.command {
            Some(Command::Train(args)) => args.options.ui,
            _ => self.train.ui,
        };
        ui != UiChoice::None
    }

    /// Whether this command shows the dashboard.
    pub fn shows_dashboard(&self) -> bool {
        match &self.command {
            None => self.train.shows_dashboard(),
            Some(Command::Train(args)) => args.options.shows_dashboard(),
            Some(_) => false,
        }
    }
}

/// Expands the `~/` of an argument that the shell has not expanded, as in `--run-dir="~/x"`.
fn expand_home(argument: OsString) -> OsString {
    let Some((text, home)) = argument.to_str().zip(env::home_dir()) else { return argument };
    let (option, path) = match text.split_once("=~/") {
        Some((option, path)) if option.starts_with("--") => (format!("{option}="), path),
        _ => match text.strip_prefix("~/") {
            Some(path) => (String::new(), path),
            None => return argument,
        },
    };
    let mut expanded = OsString::from(option);
    expanded.push(home.join(path));
    expanded
}

/// Explains a value of `--set` without `=`, and names the command for a config that stands in place
/// of a command.
fn with_remedy(error: clap::Error) -> clap::Error {
    let arguments: Vec<_> = env::args().collect();
    let values = arguments.windows(2).filter_map(|pair| match pair {
        [option, value] if option == "--set" => experiment::assignment(value).err(),
        _ => None,
    });
    if let Some(message) = values.into_iter().next() {
        return Cli::command().error(ErrorKind::ValueValidation, message);
    }
    let name = match (error.kind(), error.get(ContextKind::InvalidSubcommand)) {
        (ErrorKind::InvalidSubcommand, Some(ContextValue::String(name))) => name,
        _ => return error,
    };
    if Path::new(name).exists() {
        let message = format!("`{name}` is not a command\n  train it: trainer train {name}");
        Cli::command().error(ErrorKind::InvalidSubcommand, message)
    } else {
        error
    }
}

/// Parses the name of a split.
fn split_kind() -> impl TypedValueParser<Value = SplitKind> {
    let names = PossibleValuesParser::new(SplitKind::ALL.map(SplitKind::as_str));
    names.try_map(|name| {
        SplitKind::ALL.into_iter().find(|split| split.as_str() == name).ok_or("not a split")
    })
}
