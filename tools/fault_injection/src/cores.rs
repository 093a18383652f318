//! All cores at once.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::tally::Tally;

/// Does the tries 0, 1, 2, .. on all cores until one of them is `None`, and adds what they count.
pub fn on_all(one: impl Fn(usize) -> Option<Tally> + Sync) -> Tally {
    let next = AtomicUsize::new(0);
    let all = Mutex::new(Tally::default());
    let work = || {
        while let Some(tally) = one(next.fetch_add(1, Ordering::Relaxed)) {
            all.lock().map(|mut all| all.add(tally)).ok();
        }
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| (0..cores).for_each(|_| drop(scope.spawn(work))));
    all.into_inner().unwrap_or_default()
}
