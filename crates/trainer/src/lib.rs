//! The command line of `trainer`, which trains image and point classifiers from TOML files.

#![forbid(unsafe_code)]

mod cli;
mod commands;
mod context;
mod error;
mod logging;
mod pictures;
mod print;
mod progress;
mod signals;
mod style;
mod table;
mod terminal;
mod text;
mod ui;

use std::panic;
use std::process::ExitCode;

pub use ::config::Check;
pub use training::{
    CustomModel, CustomModelConfig, DropoutRng, Layer, ModelRegistry, Operation, ParameterInit,
};

use crate::cli::Cli;
use crate::commands::train;
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
    // The location of a panic goes to the log.
    panic::set_hook(Box::new(|panic| tracing::debug!("{panic}")));
    let result = support::panics::catch(|| execute(&cli, models))
        .unwrap_or_else(|message| Err(Failure::panic(&message)));
    let code = match &result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if !failure.message.is_empty() {
                print::error(&failure.message);
            }
            ExitCode::from(failure.code)
        }
    };
    drop(progress::hide());
    code
}

fn execute(cli: &Cli, models: &ModelRegistry) -> Result<(), Failure> {
    cli.check()?;
    let tasks = Tasks::default();
    let log = logging::start(&cli.verbosity, tasks.clone());
    if cli.may_show_progress() {
        progress::start(tasks);
    }
    let context = Context { models, log };
    match &cli.command {
        Some(command) => command.run(&context),
        None => train::run(None, &cli.train, &context),
    }
}
