//! Log messages go to stderr, filtered by `-v`, `-q` or `RUST_LOG`, and to the log of the run.

use std::fmt;
use std::fs::File;
use std::io::{self, StderrLock, Write};
use std::path::Path;
use std::sync::{Arc, MutexGuard, OnceLock};

use anstream::AutoStream;
use artifacts::ArtifactError;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::{EnvFilter, LevelFilter};
use tracing_subscriber::fmt::format::{FmtSpan, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, MakeWriter, layer};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

use crate::cli::Verbosity;
use crate::progress::{self, TaskSpans, Tasks};
use crate::style;
use crate::text::escaped_message;

/// Spans of running tasks are shown by the progress line, not logged.
const PROGRESS_OFF: &str = "trainer::progress=off";

/// Log file of the run; messages are discarded until it is attached.
#[derive(Clone, Default)]
pub struct RunLog(Arc<OnceLock<File>>);

/// Starts logging, and collects the running `tasks`. While the dashboard owns the terminal, nothing
/// goes to stderr.
pub fn start(verbosity: &Verbosity, dashboard: bool, tasks: Tasks) -> RunLog {
    let run_log = RunLog::default();
    // Records the duration of each span when it closes.
    let file = layer().with_ansi(false).with_writer(run_log.clone());
    let file = file.with_span_events(FmtSpan::CLOSE);
    let stderr = layer().with_ansi(false).with_writer(Stderr::new).event_format(Diagnostics);
    let stderr = (!dashboard).then(|| stderr.with_filter(stderr_filter(verbosity)));
    tracing_subscriber::registry()
        .with(
            file.with_filter(EnvFilter::new(
                "info,training=debug,trainer=debug,trainer_training=debug,trainer::progress=off,wgpu=warn,naga=warn",
            )),
        )
        .with(stderr)
        .with(tasks.with_filter(TaskSpans))
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
    let filter = EnvFilter::builder().with_default_directive(level.into()).from_env_lossy();
    match PROGRESS_OFF.parse() {
        Ok(directive) => filter.add_directive(directive),
        Err(_) => filter,
    }
}

impl RunLog {
    /// Appends all later messages to the file at `path`.
    pub fn attach(&self, path: &Path) -> Result<(), ArtifactError> {
        let file = File::options().create(true).append(true).open(path);
        let file = file.map_err(|error| ArtifactError::write(path, error))?;
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

/// Formats a message like the errors of the program: `warning: ..`.
struct Diagnostics;

impl<S, N> FormatEvent<S, N> for Diagnostics
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let level = match *event.metadata().level() {
            Level::ERROR => style::error(),
            Level::WARN => style::warning(),
            level => style::faint(&format!("{}:", level.as_str().to_lowercase())),
        };
        let mut fields = String::new();
        context.format_fields(Writer::new(&mut fields), event)?;
        writeln!(writer, "{level} {}", escaped_message(&fields))
    }
}

/// Stderr, with the progress line hidden.
struct Stderr {
    err: AutoStream<StderrLock<'static>>,
    _hidden: MutexGuard<'static, bool>,
}

impl Stderr {
    fn new() -> Self {
        Self { _hidden: progress::hide(), err: anstream::stderr().lock() }
    }
}

impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.err.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.err.flush()
    }
}
