//! Log messages go to stderr, filtered by `-v`, `-q` or `RUST_LOG`, and to the log of the run.

use std::fs::File;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use artifacts::ArtifactError;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::{EnvFilter, LevelFilter, filter_fn};
use tracing_subscriber::fmt::format::{DefaultFields, FmtSpan, Writer};
use tracing_subscriber::fmt::writer::OptionalWriter;
use tracing_subscriber::fmt::{FormatFields, layer};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use crate::cli::Verbosity;
use crate::progress::{Tasks, is_task};
use crate::text::escaped_message;
use crate::{print, style};

/// Spans of running tasks are shown by the progress line, not logged. What burn-remote notices of a
/// worker is logged by its pool.
const ALWAYS: [&str; 3] = ["trainer::progress=off", "burn_remote=off", "noq_proto=error"];

/// Log file of the run; messages are discarded until it is attached.
#[derive(Clone, Default)]
pub struct RunLog(Arc<OnceLock<Arc<File>>>);

/// Starts logging, and collects the running `tasks`.
pub fn start(verbosity: &Verbosity, tasks: Tasks) -> RunLog {
    let run_log = RunLog::default();
    let of_layer = run_log.clone();
    let writer = move || {
        let file = of_layer.0.get().cloned();
        file.map_or_else(OptionalWriter::none, OptionalWriter::some)
    };
    // Records the duration of each span when it closes.
    let file = layer().with_ansi(false).with_writer(writer).with_span_events(FmtSpan::CLOSE);
    tracing_subscriber::registry()
        .with(file.with_filter(EnvFilter::new(format!(
            "info,training=debug,trainer=debug,trainer_training=debug,wgpu=warn,naga=warn,{}",
            ALWAYS.join(",")
        ))))
        .with(Diagnostics.with_filter(stderr_filter(verbosity)))
        .with(tasks.with_filter(filter_fn(is_task)))
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
    ALWAYS
        .iter()
        .filter_map(|directive| directive.parse().ok())
        .fold(filter, EnvFilter::add_directive)
}

impl RunLog {
    /// Appends all later messages to the file at `path`.
    pub fn attach(&self, path: &Path) -> Result<(), ArtifactError> {
        let file = File::options().create(true).append(true).open(path);
        let file = file.map_err(|error| ArtifactError::write(path, error))?;
        self.0.set(Arc::new(file)).ok();
        Ok(())
    }
}

/// Prints messages to stderr like the errors of the program: `warning: ..`.
struct Diagnostics;

impl<S: Subscriber> Layer<S> for Diagnostics {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let level = match *event.metadata().level() {
            Level::ERROR => style::error(),
            Level::WARN => style::warning(),
            level => style::faint(&format!("{}:", level.as_str().to_lowercase())),
        };
        let mut fields = String::new();
        // Writing to a string cannot fail.
        let _ = DefaultFields::new().format_fields(Writer::new(&mut fields), event);
        print::note(&format!("{level} {}", escaped_message(&fields)));
    }
}
