//! Progress line on stderr, if that is a terminal. It is redrawn periodically and erased before
//! anything else is printed and when the program ends.

use std::fmt::Debug;
use std::io::{IsTerminal, Write, stderr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anstream::{AutoStream, ColorChoice};
use crossterm::terminal;
use support::progress::TARGET;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

use crate::text::{cut, escaped};
use crate::{print, style};

/// Interval between two redraws.
const INTERVAL: Duration = Duration::from_millis(200);
/// Programs that finish sooner show no progress.
const MIN_RUNTIME: Duration = Duration::from_secs(1);
/// Tasks that finish sooner are not shown.
const MIN_ELAPSED: Duration = Duration::from_millis(400);
/// Width of the bar in columns.
const BAR: usize = 20;

/// Whether the line is on the terminal. The holder of the lock may print.
static SHOWN: Mutex<bool> = Mutex::new(false);

/// Starts drawing the line for `tasks`, if stderr is a terminal that can erase it.
pub fn start(tasks: Tasks) {
    let is_dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
    if !stderr().is_terminal() || is_dumb {
        return;
    }
    let started = Instant::now();
    let draw = move || loop {
        thread::sleep(INTERVAL);
        if started.elapsed() >= MIN_RUNTIME {
            draw(&tasks);
        }
    };
    thread::Builder::new().name("progress".into()).spawn(draw).ok();
}

/// Erases the line, and keeps it hidden until the guard is dropped.
pub fn hide() -> MutexGuard<'static, bool> {
    let mut shown = SHOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if *shown {
        write!(stderr().lock(), "\r\x1b[K").ok();
        *shown = false;
    }
    shown
}

fn draw(tasks: &Tasks) {
    let task = tasks.oldest().filter(|task| task.started.elapsed() >= MIN_ELAPSED);
    let task = task.filter(|_| !print::is_holding());
    let Some(task) = task else { return drop(hide()) };
    let columns = terminal::size().map_or(80, |(columns, _)| usize::from(columns));
    let mut shown = SHOWN.lock().unwrap_or_else(PoisonError::into_inner);
    // The last column stays free: some terminals wrap the line there.
    let line = line(&task, task.started.elapsed(), columns.saturating_sub(1));
    let line = match AutoStream::choice(&stderr()) {
        ColorChoice::Never => style::plain(&line),
        _ => line,
    };
    write!(stderr().lock(), "\r\x1b[K{line}").ok();
    *shown = true;
}

/// Name, bar, percentage and remaining time of a task that runs for the time `elapsed`, in at most
/// `columns` columns.
fn line(task: &Task, elapsed: Duration, columns: usize) -> String {
    let fraction = task.fraction();
    let filled = (fraction * BAR as f64) as usize;
    let (done, open) = ("━".repeat(filled), "─".repeat(BAR - filled));
    let left = task.remaining(elapsed);
    let left = left.map_or(String::new(), |left| format!(", {} left", readable(left)));
    let far = format!(" {:3.0} %{left}", (100.0 * fraction).floor());
    let bar = format!(" {}{}", style::busy(&done), style::faint(&open));
    let room = columns.saturating_sub(style::width(&far));
    let what = cut(&escaped(&task.message), room);
    if style::width(&what) + style::width(&bar) <= room { what + &bar + &far } else { what + &far }
}

/// A duration in seconds, minutes or hours and minutes, rounded up.
pub fn readable(duration: Duration) -> String {
    match duration.as_secs() + 1 {
        seconds if seconds < 100 => format!("{seconds} s"),
        seconds if seconds < 100 * 60 => format!("{} min", seconds.div_ceil(60)),
        seconds => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// Running tasks, oldest first.
#[derive(Clone, Default)]
pub struct Tasks(Arc<Mutex<Vec<(Id, Task)>>>);

/// A running task.
#[derive(Debug, Clone, PartialEq)]
struct Task {
    /// Description, for example `reading train_signs.h5`.
    message: String,
    /// Units that were done before the task started.
    initial: u64,
    /// Units done, including the initial ones.
    done: u64,
    /// Units in total.
    total: u64,
    /// Start of the task.
    started: Instant,
}

impl Tasks {
    /// The oldest running task; later tasks are usually parts of it.
    fn oldest(&self) -> Option<Task> {
        self.lock().first().map(|(_, task)| task.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(Id, Task)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Task {
    fn new() -> Self {
        Self { message: String::new(), initial: 0, done: 0, total: 0, started: Instant::now() }
    }

    /// Fraction of the units that are done, 0 to 1.
    fn fraction(&self) -> f64 {
        (self.done as f64 / self.total.max(1) as f64).min(1.0)
    }

    /// Estimated time to the end at the pace of the time `elapsed`; `None` until a unit is done.
    fn remaining(&self, elapsed: Duration) -> Option<Duration> {
        let rest = self.total.saturating_sub(self.done) as f64;
        let done = self.done.checked_sub(self.initial).filter(|&done| done > 0)?;
        Duration::try_from_secs_f64(elapsed.as_secs_f64() * rest / done as f64).ok()
    }
}

impl<S: Subscriber> Layer<S> for Tasks {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, _: Context<'_, S>) {
        let mut task = Task::new();
        attributes.record(&mut task);
        self.lock().push((id.clone(), task));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _: Context<'_, S>) {
        if let Some((_, task)) = self.lock().iter_mut().find(|(other, _)| other == id) {
            values.record(task);
        }
    }

    fn on_close(&self, id: Id, _: Context<'_, S>) {
        self.lock().retain(|(other, _)| *other != id);
    }
}

/// Whether a span is that of a task.
pub fn is_task(metadata: &Metadata<'_>) -> bool {
    metadata.target() == TARGET
}

impl Visit for Task {
    fn record_u64(&mut self, field: &Field, value: u64) {
        match field.name() {
            "initial" => self.initial = value,
            "done" => self.done = value,
            "total" => self.total = value,
            _ => {}
        }
    }

    fn record_str(&mut self, _: &Field, value: &str) {
        value.clone_into(&mut self.message);
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}

#[cfg(test)]
mod tests {
    use support::ProgressTask;
    use tracing_subscriber::filter::filter_fn;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    /// The line of a task that runs for ten seconds.
    fn line(message: &str, done: u64, columns: usize) -> String {
        let message = message.to_owned();
        let task = Task { message, initial: 0, done, total: 100, started: Instant::now() };
        super::line(&task, Duration::from_secs(10), columns)
    }

    #[test]
    fn the_line_has_name_percentage_and_remaining_time() {
        let line = style::plain(&line("reading a.h5", 25, 79));
        assert_eq!(line, "reading a.h5 ━━━━━───────────────  25 %, 31 s left");
    }

    #[test]
    fn the_remaining_time_is_unknown_before_any_progress() {
        assert!(style::plain(&line("reading", 0, 79)).ends_with("─   0 %"));
    }

    #[test]
    fn the_line_fits_however_narrow_the_terminal_is() {
        for columns in 20..120 {
            let line = line(&"a long name ".repeat(5), 50, columns);
            assert!(style::width(&line) <= columns, "{columns}: {line}");
            assert!(style::plain(&line).ends_with(" 50 %, 11 s left"), "{line}");
        }
    }

    #[test]
    fn durations_are_shown_in_the_unit_that_fits() {
        let readable = |seconds| readable(Duration::from_secs(seconds));
        assert_eq!([readable(0), readable(98), readable(99)], ["1 s", "99 s", "2 min"]);
        assert_eq!([readable(3599), readable(7259)], ["60 min", "2 h 1 min"]);
    }

    #[test]
    fn the_oldest_running_task_is_collected_with_its_progress() {
        let tasks = Tasks::default();
        let subscriber =
            tracing_subscriber::registry().with(tasks.clone().with_filter(filter_fn(is_task)));
        tracing::subscriber::with_default(subscriber, || {
            let reading = ProgressTask::resume("reading", 10, 100);
            let part = ProgressTask::start("hashing", 5);
            reading.advance(15);
            part.advance(1);
            let _other = tracing::info_span!("other").entered();
            let oldest = tasks.oldest().unwrap();
            assert_eq!((oldest.message.as_str(), oldest.initial), ("reading", 10));
            assert_eq!((oldest.done, oldest.total), (25, 100));
            reading.set_message("still reading");
            reading.set_done(90);
            let oldest = tasks.oldest().unwrap();
            assert_eq!((oldest.message.as_str(), oldest.done), ("still reading", 90));
            drop(reading);
            assert_eq!(tasks.oldest().unwrap().message, "hashing");
            drop(part);
            assert_eq!(tasks.oldest(), None);
        });
    }

    #[test]
    fn the_remaining_time_follows_the_pace_of_this_process() {
        let task = |initial, done| Task { initial, done, total: 100, ..Task::new() };
        let remaining =
            |task: Task| task.remaining(Duration::from_secs(10)).map(|left| left.as_secs());
        assert_eq!(remaining(task(0, 0)), None);
        assert_eq!(remaining(task(0, 50)), Some(10));
        assert_eq!(remaining(task(50, 75)), Some(10));
        assert_eq!(task(0, 25).fraction(), 0.25);
    }
}
