//! `trainer devices`, `completions` and `man`.

use std::fs;
use std::path::PathBuf;

use clap::{Args, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;
use serde_json::json;
use training::{RunError, device};

use crate::cli::Cli;
use crate::error::Failure;
use crate::print;
use crate::table::Table;

#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL", value_enum)]
    shell: Shell,
}

#[derive(Debug, Args)]
pub struct ManArgs {
    /// Write one page per command to this directory instead of printing one page
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct DevicesArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub fn devices(args: &DevicesArgs) -> Result<(), Failure> {
    let devices = device::list();
    if devices.is_empty() {
        device::select(None).map_err(RunError::from)?;
    }
    let mut table = Table::new(["device", "description"], &[1, 0]);
    let mut values = Vec::new();
    for device in &devices {
        table.row([device.name.clone(), device.description.clone()]);
        values.push(json!({ "name": device.name, "description": device.description }));
    }
    print::json_or_text(args.json, &values, || table.text())
}

pub fn completions(args: &CompletionsArgs) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "trainer", &mut script);
    print::result(String::from_utf8_lossy(&script).trim_end())
}

pub fn man(args: &ManArgs) -> Result<(), Failure> {
    let Some(directory) = &args.out else {
        let mut page = Vec::new();
        Man::new(Cli::command()).render(&mut page)?;
        return print::result(String::from_utf8_lossy(&page).trim_end());
    };
    let written = fs::create_dir_all(directory)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), directory));
    let directory = directory.display();
    written.map_err(|error| {
        Failure::usage(format!(
            "cannot write to {directory}: {error}\n  choose another directory with --out"
        ))
    })?;
    print::result(&format!("manual pages in {directory}: man -l {directory}/trainer.1"))
}
