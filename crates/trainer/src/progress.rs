//! One line on stderr that tells how far long work is, on a terminal. It is drawn again and again,
//! and is gone when something else is printed or the program ends.

use std::io::{IsTerminal, Write, stderr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anstream::{AutoStream, ColorChoice};
use crossterm::terminal;
use dataset::Standing;

use crate::style;

/// How often the line is drawn.
const EVERY: Duration = Duration::from_millis(200);
/// A program that takes no longer shows nothing.
const PATIENCE: Duration = Duration::from_secs(1);
/// Nor does a work that takes no longer, between others.
const FLASH: Duration = Duration::from_millis(400);
/// The cells of the bar.
const BAR: usize = 20;

/// Whether the line stands on the terminal now. Who holds it may print.
static SHOWN: Mutex<bool> = Mutex::new(false);

/// Draws the line from now on, if there is a terminal that can take it back.
pub fn start() {
    let is_dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
    if !stderr().is_terminal() || is_dumb {
        return;
    }
    let started = Instant::now();
    let draw = move || loop {
        thread::sleep(EVERY);
        if started.elapsed() >= PATIENCE {
            draw();
        }
    };
    thread::Builder::new().name("progress".into()).spawn(draw).ok();
}

/// Takes the line away, and keeps it away as long as what is given back lives.
pub fn hidden() -> MutexGuard<'static, bool> {
    let mut shown = SHOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if *shown {
        write!(stderr().lock(), "\r\x1b[K").ok();
        *shown = false;
    }
    shown
}

fn draw() {
    let standing = Standing::of_first().filter(|standing| standing.elapsed >= FLASH);
    let Some(standing) = standing else { return drop(hidden()) };
    let columns = terminal::size().map_or(80, |(columns, _)| usize::from(columns));
    let mut shown = SHOWN.lock().unwrap_or_else(PoisonError::into_inner);
    // The last column stays free: a terminal may go on to the next line there.
    let line = line(&standing, columns.saturating_sub(1));
    let line = match AutoStream::choice(&stderr()) {
        ColorChoice::Never => style::plain(&line),
        _ => line,
    };
    write!(stderr().lock(), "\r\x1b[K{line}").ok();
    *shown = true;
}

/// What is done, how far it is and how long the rest will take, in so many columns at most.
fn line(standing: &Standing, columns: usize) -> String {
    let share = standing.share();
    let filled = (share * BAR as f64) as usize;
    let (done, open) = ("━".repeat(filled), "─".repeat(BAR - filled));
    let left = standing.left().map_or(String::new(), |left| format!(", {} left", words(left)));
    let far = format!(" {:3.0} %{left}", (100.0 * share).floor());
    let bar = format!(" {}{}", style::busy(&done), style::faint(&open));
    let room = columns.saturating_sub(style::width(&far));
    let what: String = standing.what.chars().take(room).collect();
    match style::width(&what) + style::width(&bar) <= room {
        true => what + &bar + &far,
        false => what + &far,
    }
}

/// A duration as people say it.
fn words(duration: Duration) -> String {
    match duration.as_secs() + 1 {
        seconds if seconds < 100 => format!("{seconds} s"),
        seconds if seconds < 100 * 60 => format!("{} min", seconds.div_ceil(60)),
        seconds => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(what: &str, done: usize) -> Standing {
        let elapsed = Duration::from_secs(10);
        Standing { what: what.to_owned(), before: 0, done, total: 100, elapsed }
    }

    #[test]
    fn the_line_tells_what_how_far_and_how_long() {
        let line = style::plain(&line(&standing("reading a.h5", 25), 79));
        assert_eq!(line, "reading a.h5 ━━━━━───────────────  25 %, 31 s left");
    }

    #[test]
    fn before_anything_is_done_nobody_knows_how_long_it_will_take() {
        assert!(style::plain(&line(&standing("reading", 0), 79)).ends_with("─   0 %"));
    }

    #[test]
    fn the_line_fits_however_narrow_the_terminal_is() {
        for columns in 20..120 {
            let line = line(&standing(&"a long name ".repeat(5), 50), columns);
            assert!(style::width(&line) <= columns, "{columns}: {line}");
            assert!(style::plain(&line).ends_with(" 50 %, 11 s left"), "{line}");
        }
    }

    #[test]
    fn durations_are_told_in_the_unit_that_fits() {
        let words = |seconds| words(Duration::from_secs(seconds));
        assert_eq!([words(0), words(98), words(99)], ["1 s", "99 s", "2 min"]);
        assert_eq!([words(3599), words(7259)], ["60 min", "2 h 1 min"]);
    }
}
