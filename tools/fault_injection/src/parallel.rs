use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::tally::Tally;

/// Calls `run_case` with 0, 1, 2, .. on all cores until one call returns `None`, and merges the
/// results.
pub fn run_on_all_cores(run_case: impl Fn(usize) -> Option<Tally> + Sync) -> Tally {
    let next = AtomicUsize::new(0);
    let total = Mutex::new(Tally::default());
    let work = || {
        while let Some(tally) = run_case(next.fetch_add(1, Ordering::Relaxed)) {
            total.lock().map(|mut total| total.merge(tally)).ok();
        }
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| (0..cores).for_each(|_| drop(scope.spawn(work))));
    total.into_inner().unwrap_or_default()
}
