use clap::Args;

use super::RunsDirectory;
use crate::commands::serve::listen;
use crate::error::Failure;
use crate::{print, signals, text};

#[derive(Debug, Args)]
pub struct RunsServeArgs {
    /// Address and port; port 0 selects a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:7448")]
    bind: String,
}

pub fn serve(directory: &RunsDirectory, args: &RunsServeArgs) -> Result<(), Failure> {
    let signals = signals::listen()?;
    let runs = directory.path();
    if runs.exists() && !runs.is_dir() {
        return Err(Failure::usage(format!(
            "{} is not a directory\n  name the directory of the runs with --runs",
            runs.display()
        )));
    }
    let remedy = "another server may use it; choose another address and port with --bind";
    let listener = listen(&args.bind, remedy)?;
    let address = listener.local_addr()?;
    if !address.ip().is_loopback() {
        tracing::warn!(
            "anyone who reaches {address} can read the runs: there is no authentication"
        );
    }
    print::result(&format!("serving {} on http://{address}", text::path(runs)))?;
    Ok(run_viewer::serve(listener, runs.to_owned(), || signals.received().is_some())?)
}
