use std::fs;
use std::path::Path;
use std::process::ExitCode;

use clap::CommandFactory;
use clap_mangen::Man;

use crate::cli::{Cli, ManArgs};
use crate::error::Failure;
use crate::print;

/// Prints the manual page of the program, or writes one page per command.
pub fn man(args: &ManArgs) -> Result<ExitCode, Failure> {
    match &args.out {
        Some(directory) => write(directory)?,
        None => {
            let mut page = Vec::new();
            let rendered = Man::new(Cli::command()).render(&mut page);
            rendered.map_err(|error| Failure::run(&error))?;
            print::result(String::from_utf8_lossy(&page).trim_end())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn write(directory: &Path) -> Result<(), Failure> {
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
