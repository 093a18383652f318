//! `trainer config`: configs as files, without running them.

mod check;
mod diff;
mod explain;
mod init;
mod starter;

use std::path::Path;
use std::process::ExitCode;

use ::config::{Document, Manual};
use training::RunConfig;

use crate::cli::{ConfigCommand, SchemaArgs, ShowArgs};
use crate::error::Failure;
use crate::print;

/// Checks, shows, explains, compares or starts configs.
pub fn config(command: &ConfigCommand) -> Result<ExitCode, Failure> {
    match command {
        ConfigCommand::Check(args) => check::check(args),
        ConfigCommand::Show(args) => show(args),
        ConfigCommand::Schema(args) => schema(args),
        ConfigCommand::Explain(args) => explain::explain(args),
        ConfigCommand::Diff(args) => diff::diff(args),
        ConfigCommand::Init(args) => init::init(args),
    }?;
    Ok(ExitCode::SUCCESS)
}

fn show(args: &ShowArgs) -> Result<(), Failure> {
    let (config, document) = read(&args.config, &args.overrides)?;
    if args.json {
        return print::result(&format!("{:#}", serde_json::json!(config)));
    }
    let text = toml::to_string(&config).map_err(|error| Failure::run(&error))?;
    let text = if args.origins { document.with_origins(&text) } else { text };
    print::result(text.trim_end())
}

fn schema(args: &SchemaArgs) -> Result<(), Failure> {
    print::result(&match (args.markdown, args.sweep) {
        (true, _) => page(&Manual::of(&RunConfig::schema())),
        (false, true) => format!("{:#}", super::sweep::schema()),
        (false, false) => format!("{:#}", RunConfig::file_schema()),
    })
}

fn page(manual: &Manual) -> String {
    let head = "# The keys of a config\n\n\
        One TOML file is one experiment. This page is made by `trainer config schema --markdown`;\n\
        `trainer config explain KEY` prints a part of it.\n\n";
    head.to_owned() + manual.markdown().trim_end()
}

fn read(path: &Path, overrides: &[String]) -> Result<(RunConfig, Document), Failure> {
    RunConfig::read_with_document(path, overrides)
        .map_err(|error| Failure::usage(error.to_string()))
}
