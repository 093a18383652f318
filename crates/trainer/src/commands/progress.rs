use std::io::{IsTerminal, stdout};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::print;

/// Tells how far all runs are: a line for each that ends, and on a terminal a line that changes.
pub struct Progress {
    total: usize,
    started: Instant,
    is_terminal: bool,
    is_silent: bool,
    state: Mutex<State>,
}

struct State {
    done: usize,
    painted: Option<Instant>,
}

/// How often the line that changes may change.
const REPAINT: Duration = Duration::from_millis(200);

impl Progress {
    /// None of `total` runs is done.
    pub fn new(total: usize) -> Self {
        Self {
            total,
            started: Instant::now(),
            is_terminal: stdout().is_terminal(),
            is_silent: false,
            state: Mutex::new(State { done: 0, painted: None }),
        }
    }

    /// The same, which tells nothing: what is printed is for a program.
    pub fn silent(total: usize) -> Self {
        Self { is_terminal: false, is_silent: true, ..Self::new(total) }
    }

    /// A run is under way.
    pub fn update(&self, run: &str, line: &str) {
        let mut state = self.state();
        if !self.is_terminal || state.painted.is_some_and(|at| at.elapsed() < REPAINT) {
            return;
        }
        state.painted = Some(Instant::now());
        let text = format!("[{} of {}] {run}: {line}", state.done, self.total);
        print::repaint(text.get(..79).unwrap_or(&text));
    }

    /// A run has ended.
    pub fn done(&self, run: &str, result: &str) {
        let mut state = self.state();
        state.done += 1;
        self.wipe(&mut state);
        let left = self.started.elapsed().div_f64(state.done as f64);
        let left = left.mul_f64((self.total - state.done) as f64).as_secs().div_ceil(60);
        let (done, total) = (state.done, self.total);
        if self.is_silent {
            return;
        }
        print::progress(&format!("[{done} of {total}, {left} min left] {run}: {result}"));
    }

    /// Removes the line that changes.
    pub fn clear(&self) {
        self.wipe(&mut self.state());
    }

    fn wipe(&self, state: &mut State) {
        if state.painted.take().is_some() {
            print::repaint("");
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
