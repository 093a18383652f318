//! Where log messages go: to stderr by `-v`, `-q` or `RUST_LOG`, and to the log of the run.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use tracing_subscriber::filter::{EnvFilter, LevelFilter};
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::fmt::{MakeWriter, layer};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use training::RunError;

use crate::cli::Verbosity;

/// The log of the run, once there is one.
#[derive(Clone, Default)]
pub struct RunLog(Arc<OnceLock<File>>);

/// Starts logging. The dashboard owns the terminal, so that nothing goes to stderr beside it.
pub fn start(verbosity: &Verbosity, dashboard: bool) -> RunLog {
    let run_log = RunLog::default();
    // When a span closes, the log says how long it took.
    let file = layer().with_ansi(false).with_writer(run_log.clone());
    let file = file.with_span_events(FmtSpan::CLOSE);
    let stderr = layer().with_writer(io::stderr).with_target(false).without_time();
    let stderr = stderr.with_ansi(io::stderr().is_terminal());
    let stderr = (!dashboard).then(|| stderr.with_filter(stderr_filter(verbosity)));
    tracing_subscriber::registry()
        .with(
            file.with_filter(EnvFilter::new(
                "info,training=debug,trainer=debug,wgpu=warn,naga=warn",
            )),
        )
        .with(stderr)
        .init();
    run_log
}

fn stderr_filter(verbosity: &Verbosity) -> EnvFilter {
    let level = match (verbosity.quiet, verbosity.verbose) {
        (true, _) => LevelFilter::ERROR,
        (_, 0) => LevelFilter::WARN,
        (_, 1) => LevelFilter::INFO,
        _ => LevelFilter::DEBUG,
    };
    EnvFilter::builder().with_default_directive(level.into()).from_env_lossy()
}

impl RunLog {
    /// Appends to the file at `path` from now on.
    pub fn attach(&self, path: &Path) -> Result<(), RunError> {
        let file = File::options().create(true).append(true).open(path);
        let file = file.map_err(|error| RunError::write(path, error))?;
        self.0.set(file).ok();
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for RunLog {
    type Writer = Box<dyn Write + 'a>;

    fn make_writer(&'a self) -> Self::Writer {
        match self.0.get() {
            Some(file) => Box::new(file),
            None => Box::new(io::sink()),
        }
    }
}
