//! Long work that can be watched. The program has one screen: so what is under way is a list of the
//! whole program, and whoever draws the screen looks at it when it likes. Nothing is printed here.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Something that may take long, from its begin until it is dropped.
#[derive(Debug)]
pub struct Work(Arc<State>);

/// How far a work is.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// What is done, for example `reading train_signs.h5`.
    pub what: String,
    /// How much of it was done before it began.
    pub before: usize,
    /// How much of it is done.
    pub done: usize,
    /// How much it is in all.
    pub total: usize,
    /// How long it has been under way.
    pub elapsed: Duration,
}

#[derive(Debug)]
struct State {
    what: Mutex<String>,
    before: usize,
    done: AtomicUsize,
    total: usize,
    began: Instant,
}

/// What is under way, the first begun first.
static UNDER_WAY: Mutex<Vec<Arc<State>>> = Mutex::new(Vec::new());

impl Work {
    /// Begins `what`, of which there is `total` to do.
    pub fn begin(what: impl Into<String>, total: usize) -> Self {
        Self::go_on(what, 0, total)
    }

    /// Goes on with `what`, of which `before` of `total` was done earlier.
    pub fn go_on(what: impl Into<String>, before: usize, total: usize) -> Self {
        let state = Arc::new(State {
            what: Mutex::new(what.into()),
            before,
            done: AtomicUsize::new(before),
            total,
            began: Instant::now(),
        });
        locked(&UNDER_WAY).push(Arc::clone(&state));
        Self(state)
    }

    /// So much more of it is done.
    pub fn advance(&self, by: usize) {
        self.0.done.fetch_add(by, Ordering::Relaxed);
    }

    /// So much of it is done in all.
    pub fn reach(&self, done: usize) {
        self.0.done.store(done, Ordering::Relaxed);
    }

    /// It is called something else from now on.
    pub fn rename(&self, what: impl Into<String>) {
        *locked(&self.0.what) = what.into();
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        locked(&UNDER_WAY).retain(|other| !Arc::ptr_eq(other, &self.0));
    }
}

impl Standing {
    /// How far the first begun of all that is under way is: what began later is a part of it, or
    /// beside it.
    pub fn of_first() -> Option<Self> {
        locked(&UNDER_WAY).first().map(|state| state.standing())
    }

    /// The share that is done.
    pub fn share(&self) -> f64 {
        (self.done as f64 / self.total.max(1) as f64).min(1.0)
    }

    /// How long the rest will take at this pace; none before anything is done.
    pub fn left(&self) -> Option<Duration> {
        let rest = self.total.saturating_sub(self.done) as f64;
        let done = self.done.checked_sub(self.before).filter(|&done| done > 0)?;
        Duration::try_from_secs_f64(self.elapsed.as_secs_f64() * rest / done as f64).ok()
    }
}

impl State {
    fn standing(&self) -> Standing {
        Standing {
            what: locked(&self.what).clone(),
            before: self.before,
            done: self.done.load(Ordering::Relaxed),
            total: self.total,
            elapsed: self.began.elapsed(),
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(before: usize, done: usize, seconds: u64) -> Standing {
        let elapsed = Duration::from_secs(seconds);
        Standing { what: "reading".to_owned(), before, done, total: 100, elapsed }
    }

    #[test]
    fn the_time_left_is_told_by_what_was_done_since_the_work_began() {
        assert_eq!(standing(0, 25, 10).left(), Some(Duration::from_secs(30)));
        assert_eq!(standing(50, 75, 10).left(), Some(Duration::from_secs(10)));
        assert_eq!(standing(50, 50, 10).left(), None);
        assert_eq!(standing(0, 130, 10).left(), Some(Duration::ZERO));
    }

    #[test]
    fn a_work_is_under_way_until_it_is_dropped() {
        let work = Work::go_on("counting", 2, 10);
        work.advance(3);
        let is_there = || locked(&UNDER_WAY).iter().any(|state| Arc::ptr_eq(state, &work.0));
        assert!(is_there());
        assert_eq!((work.0.standing().done, work.0.standing().share()), (5, 0.5));
        work.rename("counting on");
        assert_eq!(work.0.standing().what, "counting on");
        let state = Arc::clone(&work.0);
        drop(work);
        assert!(!locked(&UNDER_WAY).iter().any(|other| Arc::ptr_eq(other, &state)));
    }
}
