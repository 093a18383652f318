//! The command line of `trainer`, which trains image and point classifiers from TOML files.

#![forbid(unsafe_code)]

mod cli;
mod commands;
mod context;
mod error;
mod logging;
mod panics;
mod pictures;
mod print;
mod progress;
mod signals;
mod style;
mod table;
mod terminal;
mod text;
mod ui;

use std::process::ExitCode;

pub use ::config::Check;
pub use training::{
    CustomModel, CustomModelConfig, DropoutRng, Layer, ModelRegistry, Operation, ParameterInit,
};

use crate::cli::{Cli, Command, DataCommand, ModelCommand};
use crate::context::Context;
use crate::error::Failure;
use crate::progress::Tasks;

/// Runs the command line of this process, whose configs can use `models` in addition to the built-in
/// ones, and returns its exit code.
///
/// The program starts itself as a sandboxed HDF5 reader, so call this before anything else.
pub fn run(models: &ModelRegistry) -> ExitCode {
    data_hdf5::neutralise_environment();
    if let Some(code) = data_hdf5::isolate() {
        return code;
    }
    let cli = Cli::of_process();
    let code = panics::catch(|| execute(&cli, models)).unwrap_or_else(|failure| {
        print::error(failure.styled_message());
        failure.exit_code()
    });
    drop(progress::hide());
    code
}

fn execute(cli: &Cli, models: &ModelRegistry) -> Result<ExitCode, Failure> {
    cli.check()?;
    let tasks = Tasks::default();
    let log = logging::start(&cli.verbosity, cli.shows_dashboard(), tasks.clone());
    if cli.may_show_progress() {
        progress::start(tasks);
    }
    let context = Context { models, log };
    match cli.command.as_ref() {
        None => commands::train(None, &cli.train, &context),
        Some(Command::Train(args)) => {
            commands::train(args.input.as_deref(), &args.options, &context)
        }
        Some(Command::Evaluate(args)) => commands::evaluate(args, &context),
        Some(Command::Predict(args)) => commands::predict(args, &context),
        #[cfg(feature = "serve")]
        Some(Command::Serve(args)) => commands::serve(args, &context),
        Some(Command::Export(args)) => commands::export_model(args, &context),
        Some(Command::Report(args)) => commands::report(args, &context),
        Some(Command::Reproduce(args)) => commands::reproduce(args, &context),
        Some(Command::Sweep(args)) => commands::sweep(args, &context),
        Some(Command::Gradcheck(args)) => commands::gradcheck(args, &context),
        Some(Command::LrFind(args)) => commands::lr_find(args, &context),
        Some(Command::Config(command)) => commands::config(command, &context),
        Some(Command::Devices(args)) => commands::devices(args),
        Some(Command::Data(DataCommand::Synthesize(args))) => commands::synthesize(args),
        Some(Command::Data(DataCommand::Inspect(args))) => commands::inspect(args, &context),
        Some(Command::Data(DataCommand::Import(args))) => commands::import(args),
        Some(Command::Data(DataCommand::Export(args))) => commands::export(args, &context),
        Some(Command::Data(DataCommand::Split(args))) => commands::split(args),
        Some(Command::Data(DataCommand::Clean(args))) => commands::clean(args, &context),
        Some(Command::Runs(args)) => commands::runs(args, &context),
        Some(Command::Model(ModelCommand::Summary(args))) => commands::summary(args, &context),
        Some(Command::Completions(args)) => commands::completions(args),
        Some(Command::Man(args)) => commands::man(args),
    }
}
