//! Batches gathered in host memory, ahead of the step that needs them, in the order of the steps.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use dataset::{Augmenter, Examples, Mix, Moment, Scaler, Split};
use serde::{Deserialize, Serialize};

use crate::config::RunConfig;
use crate::faults::Fault;
use crate::panics::words;

/// How batches are gathered: `[training.loader]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LoaderConfig {
    /// How many threads gather batches ahead of the training. With 0 it gathers them itself, but
    /// for a training set of at most 2^26 numbers, which is kept on a graphics card.
    #[schemars(range(min = 0, max = 256))]
    pub workers: usize,
    /// How many batches each of them keeps ready.
    #[schemars(range(min = 1, max = 1024))]
    pub prefetch: usize,
}

/// Examples gathered in host memory and normalised.
#[derive(Debug, PartialEq)]
pub struct Gathered {
    /// The inputs of the model, `[count, height, width, channels]`, row-major.
    pub inputs: Vec<f32>,
    /// Their class indices, `[count]`.
    pub labels: Arc<[u32]>,
    /// With what they were mixed.
    pub mix: Option<Mix>,
}

/// What is to be gathered for one batch.
#[derive(Debug)]
pub struct Work {
    /// The indices of the examples.
    pub items: Vec<usize>,
    /// Where it is in the run.
    pub moment: Moment,
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
    /// What changes its images.
    pub augmenter: Option<Arc<Augmenter>>,
    /// The epoch.
    pub epoch: u64,
    /// Whether the images of a batch are changed by all threads at once.
    pub parallel: bool,
}

impl Default for LoaderConfig {
    fn default() -> Self {
        Self { workers: 0, prefetch: 2 }
    }
}

/// Whether `train` is kept on the device whole, as inputs, so that a step gathers nothing. A graphics
/// card selects batches from it. On a processor, where that would be a copy more, it is only kept if
/// a batch is all of it.
pub fn keeps_whole(config: &RunConfig, train: &Examples, is_processor: bool) -> bool {
    let is_batch = config.training.batch_size(train.len()) == train.len();
    config.training.loader.workers == 0
        && config.augmentation.is_empty()
        && train.len() * train.width() <= MOST_RESIDENT
        && (is_batch || !is_processor)
}

/// How many numbers of the training set are kept on the device at most: 256 MiB of them.
const MOST_RESIDENT: usize = 1 << 26;

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
            _ => self.examples(&work.items, work.moment),
        }
    }

    /// The examples at `items`. Fails if there is no such example.
    fn examples(&self, items: &[usize], moment: Moment) -> Result<Gathered, String> {
        let train = &self.data.train;
        if let Some(item) = items.iter().find(|&&item| item >= train.len()) {
            return Err(format!("there is no example {item}"));
        }
        let labels: Arc<[u32]> = train.labels_at(items).into();
        let Some(augmenter) = &self.augmenter else {
            let inputs = train.inputs(items, &self.scaler).map_err(|error| error.to_string())?;
            return Ok(Gathered { inputs, labels, mix: None });
        };
        let inputs = augmenter.inputs(train, items, &self.scaler, self.epoch, self.parallel);
        let mut inputs = inputs.map_err(|error| error.to_string())?;
        let mix = augmenter.mix(&mut inputs, train.shape, &labels, moment);
        Ok(Gathered { inputs, labels, mix })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dataset::{Augmentation, Normalization};

    fn source() -> Source {
        let examples = || Examples::features(1, vec![0.5; 4], vec![0, 1, 0, 1]);
        let classes = ["a", "b"].map(str::to_owned).to_vec();
        let split = Split { train: examples(), validation: None, test: examples(), classes };
        let scaler = Normalization::Standardize.fit(&split.train).unwrap().scaler();
        Source { data: Arc::new(split), scaler, augmenter: None, epoch: 1, parallel: false }
    }

    fn work(batches: usize) -> Vec<Work> {
        let moment = |batch| Moment { step: batch as u64, part: 0 };
        let work = |batch| Work { items: vec![batch % 4], moment: moment(batch), fault: None };
        (0..batches).map(work).collect()
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

    /// Twelve images, changed and mixed in the order of their list.
    fn images() -> Source {
        let pixels = (0..12 * 48).map(|at| (at * 37 % 251) as u8).collect();
        let train = Examples::images([4, 4, 3], pixels, (0..12).map(|item| item % 3).collect());
        let list = [
            Augmentation::Rotate(20.0),
            Augmentation::FlipHorizontal,
            Augmentation::Contrast(0.3),
            Augmentation::Cutmix(1.0),
        ];
        let augmenter = Augmenter::new(&list, &train, 1).unwrap().map(Arc::new);
        let (test, classes) = (train.clone(), ["a", "b", "c"].map(String::from).to_vec());
        let scaler = Normalization::Standardize.fit(&train).unwrap().scaler();
        let data = Arc::new(Split { train, validation: None, test, classes });
        Source { data, scaler, augmenter, epoch: 2, parallel: true }
    }

    fn work_from(step: u64) -> Vec<Work> {
        let work = |step| Work {
            items: (0..4).map(|item| (item * 5 + step as usize) % 12).collect(),
            moment: Moment { step, part: 0 },
            fault: None,
        };
        (step..6).map(work).collect()
    }

    #[test]
    fn changed_images_are_the_same_for_any_number_of_workers_and_after_a_resume() {
        let gather = |workers, from| {
            let config = LoaderConfig { workers, prefetch: 2 };
            let source = Source { parallel: workers == 0, ..images() };
            let mut loader = Loader::start(&config, source, work_from(from)).unwrap();
            (from..6).map(|_| loader.next().unwrap()).collect::<Vec<_>>()
        };
        let all = gather(0, 0);
        assert!(all.iter().all(|batch| batch.mix.is_some()));
        assert!(all.windows(2).all(|pair| pair[0].mix != pair[1].mix));
        for workers in [0, 1, 3] {
            assert_eq!(gather(workers, 0), all, "{workers} workers");
            assert_eq!(gather(workers, 4), all[4..], "{workers} workers");
        }
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
