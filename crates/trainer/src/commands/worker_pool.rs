use std::num::NonZeroU16;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Calls `work` on each of `jobs` in up to `workers` threads, until all are done or it returns
/// `None`.
pub fn run_parallel<J: Sync, R: Send>(
    jobs: &[J],
    workers: usize,
    work: impl Fn(&J) -> Option<R> + Sync,
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..workers.clamp(1, jobs.len().max(1)) {
            scope.spawn(|| {
                while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let Some(result) = work(job) else { return };
                    results.lock().map(|mut results| results.push(result)).ok();
                }
            });
        }
    });
    results.into_inner().unwrap_or_default()
}

/// Number of workers: `jobs`, or by default the number of CPU cores.
pub fn workers(jobs: Option<NonZeroU16>) -> usize {
    jobs.map_or_else(
        || thread::available_parallelism().map_or(1, usize::from),
        |jobs| usize::from(jobs.get()),
    )
}
