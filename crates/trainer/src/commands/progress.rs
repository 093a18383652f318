use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use dataset::Work;

use crate::{print, style};

/// Tells how far all runs are: a line for each that ends, and what the line of progress says.
pub struct Progress {
    total: usize,
    started: Instant,
    is_silent: bool,
    work: Work,
    done: Mutex<usize>,
}

impl Progress {
    /// None of `total` runs is done.
    pub fn new(total: usize) -> Self {
        let work = Work::begin("training", total);
        Self { total, started: Instant::now(), is_silent: false, work, done: Mutex::new(0) }
    }

    /// The same without lines: what is printed is for a program.
    pub fn silent(total: usize) -> Self {
        Self { is_silent: true, ..Self::new(total) }
    }

    /// A run is under way.
    pub fn update(&self, run: &str, line: &str) {
        // Of the line of an epoch its number is enough.
        let epoch = line.split("  train").next().unwrap_or(line);
        let done = *self.done.lock().unwrap_or_else(PoisonError::into_inner);
        self.work.rename(format!("[{done} of {}] {run}: {epoch}", self.total));
    }

    /// A run has ended.
    pub fn done(&self, run: &str, result: &str) {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        *done += 1;
        self.work.advance(1);
        if self.is_silent {
            return;
        }
        let left = self.started.elapsed().div_f64(*done as f64);
        let left = left.mul_f64((self.total - *done) as f64).as_secs().div_ceil(60);
        let far = style::faint(&format!("[{done} of {}, {left} min left]", self.total));
        print::event(&format!("{far} {run}: {result}"));
    }
}
