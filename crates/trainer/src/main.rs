//! `trainer`: trains a classifier of images or points from one TOML file.

#![forbid(unsafe_code)]

mod cli;
mod commands;
mod error;
mod logging;
mod panics;
mod pictures;
mod print;
mod progress;
mod signals;
mod style;
mod table;
mod ui;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command, DataCommand, ModelCommand};
use crate::error::Failure;

// Large temporary tensors go back to the system with the default allocator, and every step pays
// for their page faults again.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    dataset::hdf5::neutralise_environment();
    if let Some(code) = dataset::hdf5::isolate() {
        return code;
    }
    let cli = Cli::parse();
    let code = panics::caught(|| run(cli)).unwrap_or_else(Failure::report);
    drop(progress::hidden());
    code
}

fn run(cli: Cli) -> Result<ExitCode, Failure> {
    cli.check()?;
    let log = logging::start(&cli.verbosity, cli.shows_dashboard());
    if cli.may_tell() {
        progress::start();
    }
    match cli.command {
        None => commands::train(&cli.train, &log),
        Some(Command::Train(args)) => commands::train(&args, &log),
        Some(Command::Evaluate(args)) => commands::evaluate(&args),
        Some(Command::Predict(args)) => commands::predict(&args),
        Some(Command::Report(args)) => commands::report(&args),
        Some(Command::Reproduce(args)) => commands::reproduce(&args),
        Some(Command::Sweep(args)) => commands::sweep(&args),
        Some(Command::Gradcheck(args)) => commands::gradcheck(&args),
        Some(Command::LrFind(args)) => commands::lr_find(&args),
        Some(Command::Config(command)) => commands::config(&command),
        Some(Command::Devices(args)) => commands::devices(&args),
        Some(Command::Data(DataCommand::Synthesize(args))) => commands::synthesize(&args),
        Some(Command::Data(DataCommand::Inspect(args))) => commands::inspect(&args),
        Some(Command::Data(DataCommand::Import(args))) => commands::import(&args),
        Some(Command::Data(DataCommand::Export(args))) => commands::export(&args),
        Some(Command::Data(DataCommand::Split(args))) => commands::split(&args),
        Some(Command::Runs(args)) => commands::runs(&args),
        Some(Command::Model(ModelCommand::Summary(args))) => commands::summary(&args),
        Some(Command::Completions(args)) => commands::completions(&args),
        Some(Command::Man(args)) => commands::man(&args),
    }
}
