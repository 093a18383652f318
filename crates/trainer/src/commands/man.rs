use std::fs;
use std::path::Path;
use std::process::ExitCode;

use clap::CommandFactory;
use clap_mangen::Man;

use crate::cli::{Cli, ManArgs};
use crate::error::Failure;
use crate::print;

/// Prints the manual page of the program, or writes one for each command.
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
    written.map_err(|error| {
        let directory = directory.display();
        Failure::usage(format!(
            "cannot write into {directory}: {error}\n  name another directory with --out"
        ))
    })?;
    print::result(&format!("manual pages in {0}: man -l {0}/trainer.1", directory.display()))
}
