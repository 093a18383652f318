//! Batches gathered in host memory, ahead of the step that needs them, in the order of the steps.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use ::config::Check;
use dataset::{Examples, Split};
use serde::{Deserialize, Serialize};

use crate::faults::Fault;
use crate::panics::words;

/// How batches are gathered: `[training.loader]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LoaderConfig {
    /// How many threads gather batches ahead of the training. With 0 it gathers them itself, and a
    /// training set of at most 2^26 numbers is kept on the device whole.
    pub workers: usize,
    /// How many batches each of them keeps ready.
    pub prefetch: usize,
}

/// Examples gathered in host memory.
#[derive(Debug, PartialEq)]
pub struct Gathered {
    /// Their values, `[count, height, width, channels]`, row-major.
    pub values: Vec<f32>,
    /// Their class indices, `[count]`.
    pub labels: Arc<[u32]>,
}

/// What is to be gathered for one batch.
#[derive(Debug)]
pub struct Work {
    /// The indices of the examples.
    pub items: Vec<usize>,
    /// What goes wrong with it on purpose.
    pub fault: Option<Fault>,
}

/// The batches of an epoch. Worker `w` of `n` gathers the batches `w`, `w + n`, `w + 2n`, .., so
/// that their order depends on nothing.
pub struct Loader {
    data: Arc<Split>,
    work: Arc<[Work]>,
    next: usize,
    queues: Vec<Receiver<Result<Gathered, String>>>,
    workers: Vec<JoinHandle<()>>,
}

impl Default for LoaderConfig {
    fn default() -> Self {
        Self { workers: 0, prefetch: 2 }
    }
}

impl LoaderConfig {
    /// Whether `train` is kept on the device whole, so that nothing is gathered.
    pub fn keeps_whole(&self, train: &Examples) -> bool {
        self.workers == 0 && train.len() * train.width() <= MOST_RESIDENT
    }

    /// Notes every value that cannot be meant.
    pub fn check(&self, check: &mut Check) {
        check.within("workers", self.workers as f64, 0.0..=256.0);
        check.count("prefetch", self.prefetch, 1024);
    }
}

/// How many numbers of the training set are kept on the device at most: 256 MiB of them.
const MOST_RESIDENT: usize = 1 << 26;

impl Gathered {
    /// The examples at `items`. Fails if there is no such example.
    pub fn of(examples: &Examples, items: &[usize]) -> Result<Self, String> {
        match items.iter().find(|&&item| item >= examples.len()) {
            Some(item) => Err(format!("there is no example {item}")),
            None => {
                let labels = examples.labels_at(items).into();
                Ok(Self { values: examples.gather(items), labels })
            }
        }
    }
}

impl Loader {
    /// Begins to gather `work` from the training set. Fails if the system has no more threads.
    pub fn start(config: &LoaderConfig, data: Arc<Split>, work: Vec<Work>) -> Result<Self, String> {
        let work: Arc<[Work]> = work.into();
        let mut loader = Self { data, work, next: 0, queues: Vec::new(), workers: Vec::new() };
        for worker in 0..config.workers.min(loader.work.len()) {
            loader.spawn(worker, config).map_err(|error| format!("no more threads: {error}"))?;
        }
        Ok(loader)
    }

    /// The next batch. Fails if it cannot be gathered, or if what should have done so is gone.
    pub fn next(&mut self) -> Result<Gathered, String> {
        let index = self.next;
        self.next += 1;
        match index.checked_rem(self.queues.len()) {
            Some(worker) => match self.queues.get(worker).map(Receiver::recv) {
                Some(Ok(gathered)) => gathered,
                _ => Err(self.last_words(worker)),
            },
            None => {
                self.work.get(index).map_or(Err(NO_MORE.into()), |work| gather(&self.data, work))
            }
        }
    }

    fn spawn(&mut self, worker: usize, config: &LoaderConfig) -> std::io::Result<()> {
        let (sender, receiver) = sync_channel(config.prefetch);
        let (data, work) = (Arc::clone(&self.data), Arc::clone(&self.work));
        let workers = config.workers.min(work.len());
        let name = format!("loader-{worker}");
        let run = move || serve(&data, work.iter().skip(worker).step_by(workers), &sender);
        self.workers.push(thread::Builder::new().name(name).spawn(run)?);
        self.queues.push(receiver);
        Ok(())
    }

    /// Why a worker sends nothing more.
    fn last_words(&mut self, worker: usize) -> String {
        // The others end when nobody receives what they send.
        self.queues.clear();
        let ended = self.workers.drain(..).map(JoinHandle::join);
        match ended.collect::<Vec<_>>().into_iter().nth(worker) {
            Some(Err(panic)) => format!("a worker panicked: {}", words(panic.as_ref())),
            _ => NO_MORE.to_owned(),
        }
    }
}

impl Drop for Loader {
    fn drop(&mut self) {
        self.queues.clear();
        self.workers.drain(..).for_each(|worker| drop(worker.join()));
    }
}

const NO_MORE: &str = "there are no more batches";

/// Gathers one batch after the other, until all are done or nobody wants them any more.
fn serve<'a>(
    data: &Split,
    work: impl Iterator<Item = &'a Work>,
    sender: &SyncSender<Result<Gathered, String>>,
) {
    for work in work {
        if sender.send(gather(data, work)).is_err() {
            return;
        }
    }
}

fn gather(data: &Split, work: &Work) -> Result<Gathered, String> {
    match work.fault {
        Some(Fault::Source) => Err("planted in the source".to_owned()),
        Some(Fault::Loader) => resume_unwind(Box::new("planted in the loader")),
        _ => Gathered::of(&data.train, &work.items),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split() -> Arc<Split> {
        let examples = || Examples::features(1, vec![0.5; 4], vec![0, 1, 0, 1]);
        let classes = ["a", "b"].map(str::to_owned).to_vec();
        Arc::new(Split { train: examples(), validation: None, test: examples(), classes })
    }

    fn work(batches: usize) -> Vec<Work> {
        (0..batches).map(|batch| Work { items: vec![batch % 4], fault: None }).collect()
    }

    #[test]
    fn workers_that_nobody_waits_for_any_more_end_with_the_loader() {
        let config = LoaderConfig { workers: 2, prefetch: 1 };
        let mut loader = Loader::start(&config, split(), work(1000)).unwrap();
        assert_eq!(*loader.next().unwrap().labels, [0]);
        // Waits for both of them.
        drop(loader);
    }

    #[test]
    fn batches_come_in_order_and_none_after_the_last() {
        for workers in [0, 1, 3, 8] {
            let config = LoaderConfig { workers, prefetch: 2 };
            let mut loader = Loader::start(&config, split(), work(5)).unwrap();
            for batch in 0..5 {
                assert_eq!(*loader.next().unwrap().labels, [batch % 2], "{workers} workers");
            }
            assert_eq!(loader.next().unwrap_err(), NO_MORE, "{workers} workers");
        }
    }
}
