use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Does `work` for each of `jobs`, so many at once, until there are no more or it gives `None`.
pub fn each<J: Sync, R: Send>(
    jobs: &[J],
    at_once: usize,
    work: impl Fn(&J) -> Option<R> + Sync,
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..at_once.clamp(1, jobs.len().max(1)) {
            scope.spawn(|| {
                while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let Some(result) = work(job) else { return };
                    done.lock().map(|mut done| done.push(result)).ok();
                }
            });
        }
    });
    done.into_inner().unwrap_or_default()
}

/// How many jobs to do at once if nobody says: one a core.
pub fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}
