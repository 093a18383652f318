//! Progress line on stderr, if that is a terminal. It is redrawn periodically and erased before
//! anything else is printed and when the program ends.

mod tasks;

use std::io::{IsTerminal, Write, stderr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anstream::{AutoStream, ColorChoice};
use crossterm::terminal;

use crate::style;
use crate::text::{cut, escaped};
use tasks::Task;
pub use tasks::{TaskSpans, Tasks};

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
fn readable(duration: Duration) -> String {
    match duration.as_secs() + 1 {
        seconds if seconds < 100 => format!("{seconds} s"),
        seconds if seconds < 100 * 60 => format!("{} min", seconds.div_ceil(60)),
        seconds => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
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
}
