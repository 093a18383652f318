//! Where log messages go: to stderr by `-v`, `-q` or `RUST_LOG`, and to the log of the run.

use std::fmt;
use std::fs::File;
use std::io::{self, StderrLock, Write};
use std::path::Path;
use std::sync::{Arc, MutexGuard, OnceLock};

use anstream::AutoStream;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::{EnvFilter, LevelFilter};
use tracing_subscriber::fmt::format::{FmtSpan, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, MakeWriter, layer};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use training::RunError;

use crate::cli::Verbosity;
use crate::{progress, style};

/// The log of the run, once there is one.
#[derive(Clone, Default)]
pub struct RunLog(Arc<OnceLock<File>>);

/// Starts logging. The dashboard owns the terminal, so that nothing goes to stderr beside it.
pub fn start(verbosity: &Verbosity, dashboard: bool) -> RunLog {
    let run_log = RunLog::default();
    // When a span closes, the log says how long it took.
    let file = layer().with_ansi(false).with_writer(run_log.clone());
    let file = file.with_span_events(FmtSpan::CLOSE);
    let stderr = layer().with_ansi(false).with_writer(Screen::new).event_format(Lines);
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

/// Lines like those of errors.
struct Lines;

impl<S, N> FormatEvent<S, N> for Lines
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
        write!(writer, "{level} ")?;
        context.format_fields(writer.by_ref(), event)?;
        writeln!(writer)
    }
}

/// Stderr, without the line of progress.
struct Screen {
    err: AutoStream<StderrLock<'static>>,
    _gone: MutexGuard<'static, bool>,
}

impl Screen {
    fn new() -> Self {
        Self { _gone: progress::hidden(), err: anstream::stderr().lock() }
    }
}

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.err.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.err.flush()
    }
}
