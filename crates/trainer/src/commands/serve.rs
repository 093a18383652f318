//! `trainer serve`: classifies images and points over HTTP with the best models of runs.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serve::{ModelSource, Server};

use super::runs::find_run;
use crate::cli::ServeArgs;
use crate::context::Context;
use crate::error::Failure;
use crate::{print, signals};

/// Serves the models of runs until a signal.
pub fn serve(args: &ServeArgs, context: &Context) -> Result<ExitCode, Failure> {
    let failed = |error| Failure::run(&error);
    let signals = signals::listen().map_err(failed)?;
    let runs = runs(args)?;
    let listener = TcpListener::bind(&args.bind).map_err(|error| {
        let bind = &args.bind;
        Failure::unstyled(&format!(
            "cannot listen on {bind}: {error}\n  choose another address and port with --bind"
        ))
    })?;
    let mut server = Server::default();
    for (name, path) in &runs {
        let source = ModelSource::new(path, args.device.as_deref(), context.models)?;
        server.add(name, source)?;
    }
    let address = listener.local_addr().map_err(failed)?;
    if !address.ip().is_loopback() {
        tracing::warn!(
            "anyone who reaches {address} can use the server: it has no authentication; put a proxy before it"
        );
    }
    let names: Vec<&str> = runs.keys().map(String::as_str).collect();
    print::result(&format!("serving {} on http://{address}", names.join(", ")))?;
    server.run(listener, || signals.received().is_some()).map_err(failed)?;
    Ok(ExitCode::SUCCESS)
}

/// The runs by their names, those of their directories.
fn runs(args: &ServeArgs) -> Result<BTreeMap<String, PathBuf>, Failure> {
    let mut runs = BTreeMap::new();
    for run in &args.run {
        let path = find_run(args.runs.path(), run)?;
        let name = name(&path);
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

/// Name of the directory of a run, whatever its path is relative to.
fn name(run: &Path) -> String {
    let path = fs::canonicalize(run).unwrap_or_else(|_| run.to_owned());
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
