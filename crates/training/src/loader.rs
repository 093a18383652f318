//! Batches gathered in host memory, ahead of the step that needs them, in the order of the steps.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use ::config::Check;
use dataset::{Examples, Scaler, Split};
use serde::{Deserialize, Serialize};

use crate::config::RunConfig;
use crate::faults::Fault;
use crate::panics::words;

/// How batches are gathered: `[training.loader]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LoaderConfig {
    /// How many threads gather batches ahead of the training. With 0 it gathers them itself, but
    /// for a training set that is kept on the device, see [`keeps_whole`].
    pub workers: usize,
    /// How many batches each of them keeps ready.
    pub prefetch: usize,
}

/// Examples gathered in host memory and normalised.
#[derive(Debug, PartialEq)]
pub struct Gathered {
    /// The inputs of the model, `[count, height, width, channels]`, row-major.
    pub inputs: Vec<f32>,
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
    source: Arc<Source>,
    work: Arc<[Work]>,
    next: usize,
    queues: Vec<Receiver<Result<Gathered, String>>>,
    workers: Vec<JoinHandle<()>>,
}

/// What batches are gathered from.
#[derive(Debug)]
pub struct Source {
    /// The training set is gathered.
    pub data: Arc<Split>,
    /// What makes inputs of it.
    pub scaler: Scaler,
}

impl Default for LoaderConfig {
    fn default() -> Self {
        Self { workers: 0, prefetch: 2 }
    }
}

impl LoaderConfig {
    /// Notes every value that cannot be meant.
    pub fn check(&self, check: &mut Check) {
        check.within("workers", self.workers as f64, 0.0..=256.0);
        check.count("prefetch", self.prefetch, 1024);
    }
}

/// Whether `train` is kept on the device whole, as inputs, so that a step gathers nothing. A graphics
/// card selects batches from it. On a processor, where that would be a copy more, it is only kept if
/// a batch is all of it.
pub fn keeps_whole(config: &RunConfig, train: &Examples, is_processor: bool) -> bool {
    let is_batch = config.training.batch_size(train.len()) == train.len();
    config.training.loader.workers == 0
        && train.len() * train.width() <= MOST_RESIDENT
        && (is_batch || !is_processor)
}

/// How many numbers of the training set are kept on the device at most: 256 MiB of them.
const MOST_RESIDENT: usize = 1 << 26;

impl Gathered {
    /// The examples at `items`. Fails if there is no such example.
    pub fn of(examples: &Examples, items: &[usize], scaler: &Scaler) -> Result<Self, String> {
        match items.iter().find(|&&item| item >= examples.len()) {
            Some(item) => Err(format!("there is no example {item}")),
            None => {
                let inputs = examples.inputs(items, scaler).map_err(|error| error.to_string())?;
                Ok(Self { inputs, labels: examples.labels_at(items).into() })
            }
        }
    }
}

impl Loader {
    /// Begins to gather `work` from the training set. Fails if the system has no more threads.
    pub fn start(config: &LoaderConfig, source: Source, work: Vec<Work>) -> Result<Self, String> {
        let (source, work) = (Arc::new(source), Arc::from(work));
        let mut loader = Self { source, work, next: 0, queues: Vec::new(), workers: Vec::new() };
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
                self.work.get(index).map_or(Err(NO_MORE.into()), |work| self.source.gather(work))
            }
        }
    }

    fn spawn(&mut self, worker: usize, config: &LoaderConfig) -> std::io::Result<()> {
        let (sender, receiver) = sync_channel(config.prefetch);
        let (source, work) = (Arc::clone(&self.source), Arc::clone(&self.work));
        let workers = config.workers.min(work.len());
        let name = format!("loader-{worker}");
        let run = move || serve(&source, work.iter().skip(worker).step_by(workers), &sender);
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
    source: &Source,
    work: impl Iterator<Item = &'a Work>,
    sender: &SyncSender<Result<Gathered, String>>,
) {
    for work in work {
        if sender.send(source.gather(work)).is_err() {
            return;
        }
    }
}

impl Source {
    fn gather(&self, work: &Work) -> Result<Gathered, String> {
        match work.fault {
            Some(Fault::Source) => Err("planted in the source".to_owned()),
            Some(Fault::Loader) => resume_unwind(Box::new("planted in the loader")),
            _ => Gathered::of(&self.data.train, &work.items, &self.scaler),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dataset::Normalization;

    fn source() -> Source {
        let examples = || Examples::features(1, vec![0.5; 4], vec![0, 1, 0, 1]);
        let classes = ["a", "b"].map(str::to_owned).to_vec();
        let split = Split { train: examples(), validation: None, test: examples(), classes };
        let scaler = Normalization::Standardize.fit(&split.train).unwrap().scaler();
        Source { data: Arc::new(split), scaler }
    }

    fn work(batches: usize) -> Vec<Work> {
        (0..batches).map(|batch| Work { items: vec![batch % 4], fault: None }).collect()
    }

    #[test]
    fn a_processor_keeps_a_training_set_only_where_a_batch_is_all_of_it() {
        let text =
            "name = 'tiny'\n[dataset.points]\n[model.mlp]\n[optimizer.sgd]\n[training]\nepochs = 1";
        let mut config: RunConfig = toml::from_str(text).unwrap();
        let train = &source().data.train;
        let kept = |config: &RunConfig| [true, false].map(|cpu| keeps_whole(config, train, cpu));
        assert_eq!(kept(&config), [true, true]);
        config.training.batch_size = Some(3);
        assert_eq!(kept(&config), [false, true]);
        config.training.loader.workers = 1;
        assert_eq!(kept(&config), [false, false]);
    }

    #[test]
    fn workers_that_nobody_waits_for_any_more_end_with_the_loader() {
        let config = LoaderConfig { workers: 2, prefetch: 1 };
        let mut loader = Loader::start(&config, source(), work(1000)).unwrap();
        assert_eq!(*loader.next().unwrap().labels, [0]);
        // Waits for both of them.
        drop(loader);
    }

    #[test]
    fn batches_come_in_order_and_none_after_the_last() {
        for workers in [0, 1, 3, 8] {
            let config = LoaderConfig { workers, prefetch: 2 };
            let mut loader = Loader::start(&config, source(), work(5)).unwrap();
            for batch in 0..5 {
                assert_eq!(*loader.next().unwrap().labels, [batch % 2], "{workers} workers");
            }
            assert_eq!(loader.next().unwrap_err(), NO_MORE, "{workers} workers");
        }
    }
}
