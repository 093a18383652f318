//! `trainer serve`: classifies images and points over HTTP with the best models of runs.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;

use clap::Args;
use serve::{ModelSource, Server};

use super::runs::find_run;
use crate::cli::RunsOption;
use crate::context::Context;
use crate::error::Failure;
use crate::{print, signals};

#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Names or directories of the runs
    #[arg(value_name = "RUN", required = true)]
    run: Vec<PathBuf>,
    #[command(flatten)]
    runs: RunsOption,
    /// Address and port; port 0 selects a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    bind: String,
    /// Device, as for train [default: the best one]
    #[arg(long, value_name = "DEVICE")]
    device: Option<String>,
}

pub fn run(args: &ServeArgs, context: &Context) -> Result<(), Failure> {
    let signals = signals::listen()?;
    let runs = runs(args)?;
    let listener = listen(&args.bind, "choose another address and port with --bind")?;
    let mut server = Server::default();
    for (name, path) in &runs {
        let source = ModelSource::new(path, args.device.as_deref(), context.models)?;
        server.add(name, source)?;
    }
    let address = listener.local_addr()?;
    if !address.ip().is_loopback() {
        tracing::warn!(
            "anyone who reaches {address} can use the server: it has no authentication; put a proxy before it"
        );
    }
    let names: Vec<&str> = runs.keys().map(String::as_str).collect();
    print::result(&format!("serving {} on http://{address}", names.join(", ")))?;
    Ok(server.run(listener, || signals.received().is_some())?)
}

/// Listens on an address and a port; `remedy` says what to do if that is impossible.
pub fn listen(bind: &str, remedy: &str) -> Result<TcpListener, Failure> {
    TcpListener::bind(bind)
        .map_err(|error| Failure::run(format!("cannot listen on {bind}: {error}\n  {remedy}")))
}

/// The runs by the names of their directories, whatever their paths are relative to.
fn runs(args: &ServeArgs) -> Result<BTreeMap<String, PathBuf>, Failure> {
    let mut runs = BTreeMap::new();
    for run in &args.run {
        let path = find_run(args.runs.path(), run)?;
        let absolute = fs::canonicalize(&path).unwrap_or_else(|_| path.clone());
        let name = absolute.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if let Some(other) = runs.insert(name.clone(), path.clone()) {
            return Err(Failure::usage(format!(
                "{} and {} are both called {name}\n  serve one of them, or rename its directory",
                other.display(),
                path.display()
            )));
        }
    }
    Ok(runs)
}
