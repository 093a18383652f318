//! The command line: options of the program, and arguments that several commands share. Those of a
//! command stand in its module.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args, CommandFactory, Parser};
use data::SplitKind;

use crate::commands::train::TrainOptions;
use crate::commands::{Command, RUNS_DIR};
use crate::error::Failure;
use crate::style;
use crate::table::WIDTH;
use crate::ui::UiChoice;

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
    3  too few workers are left; a checkpoint holds the progress
  130  stopped by Ctrl-C (143: by SIGTERM or SIGHUP); a checkpoint holds the
       progress";

#[derive(Debug, Args)]
pub struct Verbosity {
    /// Log more to stderr: -v info, -vv debug; RUST_LOG overrides
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub verbose: u8,
    /// Log errors only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
}

/// The config of a command, as an argument or an option.
#[derive(Debug, Args)]
pub struct ConfigPath {
    /// TOML file of the experiment, or a run to use its config
    #[arg(value_name = "CONFIG", required_unless_present = "config")]
    argument: Option<PathBuf>,
    /// The same as CONFIG
    #[arg(long, value_name = "FILE", conflicts_with = "argument")]
    config: Option<PathBuf>,
}

impl ConfigPath {
    pub fn as_path(&self) -> &Path {
        let path = self.argument.as_deref().or(self.config.as_deref());
        path.unwrap_or(Path::new(""))
    }
}

#[derive(Debug, Default, PartialEq, Args)]
pub struct Overrides {
    /// Override a key of the config, for example training.epochs=10
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = assignment)]
    pub overrides: Vec<String>,
}

#[derive(Debug, Default, PartialEq, Args)]
pub struct RunsOption {
    /// Directory of the runs [default: runs]
    #[arg(long, value_name = "DIR")]
    pub runs: Option<PathBuf>,
}

impl RunsOption {
    pub fn path(&self) -> &Path {
        self.runs.as_deref().unwrap_or(Path::new(RUNS_DIR))
    }
}

impl Cli {
    /// Parses the command line of this process; an invalid one ends it.
    pub fn of_process() -> Self {
        Self::try_parse_from(env::args_os().map(expand_home))
            .unwrap_or_else(|error| with_remedy(error).exit())
    }

    /// Fails if options of `train` precede another command.
    pub fn check(&self) -> Result<(), Failure> {
        if self.command.is_some() && self.train != TrainOptions::default() {
            return Err(Failure::usage(
                "options of `train` stand before another command\n  write the options of a command after its name",
            ));
        }
        Ok(())
    }

    /// Whether the progress line may be shown.
    pub fn may_show_progress(&self) -> bool {
        self.training().is_none_or(|options| options.ui != UiChoice::None)
    }

    /// The options of a command that trains.
    fn training(&self) -> Option<&TrainOptions> {
        match &self.command {
            None => Some(&self.train),
            Some(Command::Train(args)) => Some(&args.options),
            Some(_) => None,
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
    let mut pairs = arguments.windows(2);
    let unset = pairs.find_map(|pair| match pair {
        [option, value] if option == "--set" => assignment(value).err(),
        _ => None,
    });
    if let Some(message) = unset {
        return Cli::command().error(ErrorKind::ValueValidation, message);
    }
    match (error.kind(), error.get(ContextKind::InvalidSubcommand)) {
        (ErrorKind::InvalidSubcommand, Some(ContextValue::String(name)))
            if Path::new(name).exists() =>
        {
            let message = format!("`{name}` is not a command\n  train it: trainer train {name}");
            Cli::command().error(ErrorKind::InvalidSubcommand, message)
        }
        _ => error,
    }
}

/// Fails for an argument without `=`, which is often followed by its value.
pub fn assignment(argument: &str) -> Result<String, String> {
    if argument.contains('=') {
        return Ok(argument.to_owned());
    }
    let key = if argument.is_empty() { "training.epochs" } else { argument };
    Err(format!(
        "--set {argument}: there is no `=`\n  write KEY=VALUE without spaces, for example --set {key}=10"
    ))
}

/// Parses the name of a split.
pub fn split_kind() -> impl TypedValueParser<Value = SplitKind> {
    let names = PossibleValuesParser::new(SplitKind::ALL.map(SplitKind::as_str));
    names.try_map(|name| name.parse::<SplitKind>())
}

/// Parses the name of one of `choices`: name, help and value.
pub fn one_of<T: Clone + Send + Sync + 'static>(
    choices: &'static [(&'static str, &'static str, T)],
) -> impl TypedValueParser<Value = T> {
    let names = choices.iter().map(|(name, help, _)| PossibleValue::new(*name).help(*help));
    PossibleValuesParser::new(names).try_map(|name| {
        let chosen = choices.iter().find(|(known, ..)| *known == name);
        chosen.map(|(.., value)| value.clone()).ok_or("not a choice")
    })
}
