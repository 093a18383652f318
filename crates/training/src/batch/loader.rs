//! Collates batches in host memory ahead of the step that needs them, in the order of the steps.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::{self, JoinHandle};

use serde::{Deserialize, Serialize};
use support::panics;

use super::{BatchRequest, Collator, HostBatch};

/// Threads that prepare batches: `[training.loader]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LoaderConfig {
    /// Number of threads that prepare batches ahead of the training. With 0 the training thread
    /// prepares them itself, except for a training set of at most 2^26 values on a graphics card,
    /// which is kept there.
    #[schemars(range(min = 0, max = 256))]
    pub workers: usize,
    /// Number of batches each worker keeps ready.
    #[schemars(range(min = 1, max = 1024))]
    pub prefetch: usize,
}

/// The batches of an epoch. Worker `w` of `n` collates the batches `w`, `w + n`, `w + 2n`, .., so
/// their order does not depend on timing.
pub struct Loader {
    collator: Arc<Collator>,
    requests: Arc<[BatchRequest]>,
    next: usize,
    queues: Vec<Receiver<Result<HostBatch, String>>>,
    workers: Vec<JoinHandle<()>>,
}

impl Default for LoaderConfig {
    fn default() -> Self {
        Self { workers: 0, prefetch: 2 }
    }
}

impl Loader {
    /// Starts to collate `requests`. Fails if the system cannot start a thread.
    pub fn start(
        config: &LoaderConfig,
        collator: Collator,
        requests: Vec<BatchRequest>,
    ) -> Result<Self, String> {
        let mut loader = Self {
            collator: Arc::new(collator),
            requests: requests.into(),
            next: 0,
            queues: Vec::new(),
            workers: Vec::new(),
        };
        for worker in 0..config.workers.min(loader.requests.len()) {
            loader
                .spawn(worker, config)
                .map_err(|error| format!("cannot start a thread: {error}"))?;
        }
        Ok(loader)
    }

    /// The next batch. Fails if it cannot be collated or its worker has panicked.
    pub fn next(&mut self) -> Result<HostBatch, String> {
        let index = self.next;
        self.next += 1;
        match index.checked_rem(self.queues.len()) {
            Some(worker) => match self.queues.get(worker).map(Receiver::recv) {
                Some(Ok(batch)) => batch,
                _ => Err(self.worker_error(worker)),
            },
            None => {
                let request = self.requests.get(index).ok_or(NO_MORE)?;
                self.collator.collate(request)
            }
        }
    }

    fn spawn(&mut self, worker: usize, config: &LoaderConfig) -> std::io::Result<()> {
        let (sender, receiver) = sync_channel(config.prefetch);
        let (collator, requests) = (Arc::clone(&self.collator), Arc::clone(&self.requests));
        let workers = config.workers.min(requests.len());
        let thread = thread::Builder::new().name(format!("loader-{worker}"));
        let handle = thread.spawn(move || {
            for request in requests.iter().skip(worker).step_by(workers) {
                if sender.send(collator.collate(request)).is_err() {
                    return;
                }
            }
        })?;
        self.workers.push(handle);
        self.queues.push(receiver);
        Ok(())
    }

    fn worker_error(&mut self, worker: usize) -> String {
        // The other workers end once nothing receives their batches.
        self.queues.clear();
        let ended: Vec<_> = self.workers.drain(..).map(JoinHandle::join).collect();
        match ended.into_iter().nth(worker) {
            Some(Err(panic)) => format!("a worker panicked: {}", panics::message(panic.as_ref())),
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

#[cfg(test)]
mod tests {
    use data::{Augmentation, Augmenter, BatchIndex, Examples, Normalization, Split};

    use super::*;
    use crate::fault_injection::Fault;

    fn collator() -> Collator {
        let examples = || Examples::features(1, vec![0.5; 4], vec![0, 1, 0, 1]);
        let classes = ["a", "b"].map(str::to_owned).to_vec();
        let split = Split { train: examples(), validation: None, test: None, classes };
        let scaler = Normalization::Standardize.fit(&split.train).unwrap().scaler();
        Collator { data: Arc::new(split), scaler, augmenter: None, epoch: 1, parallel: false }
    }

    fn requests(batches: usize) -> Vec<BatchRequest> {
        let request = |batch| BatchRequest {
            items: vec![batch % 4],
            index: BatchIndex { step: batch as u64, micro_batch: 0 },
            fault: Fault::None,
        };
        (0..batches).map(request).collect()
    }

    /// Twelve images, augmented and mixed.
    fn images() -> Collator {
        let pixels = (0..12 * 48).map(|at| (at * 37 % 251) as u8).collect();
        let train = Examples::images([4, 4, 3], pixels, (0..12).map(|item| item % 3).collect());
        let list = [
            Augmentation::Rotate(20.0),
            Augmentation::FlipHorizontal,
            Augmentation::Contrast(0.3),
            Augmentation::Cutmix(1.0),
        ];
        let augmenter = Augmenter::new(&list, &train, 1).unwrap().map(Arc::new);
        let classes = ["a", "b", "c"].map(String::from).to_vec();
        let scaler = Normalization::Standardize.fit(&train).unwrap().scaler();
        let data = Arc::new(Split { train, validation: None, test: None, classes });
        Collator { data, scaler, augmenter, epoch: 2, parallel: true }
    }

    fn requests_from(step: u64) -> Vec<BatchRequest> {
        let request = |step| BatchRequest {
            items: (0..4).map(|item| (item * 5 + step as usize) % 12).collect(),
            index: BatchIndex { step, micro_batch: 0 },
            fault: Fault::None,
        };
        (step..6).map(request).collect()
    }

    #[test]
    fn augmented_images_are_equal_for_any_number_of_workers_and_after_a_resume() {
        let batches = |workers, from| {
            let config = LoaderConfig { workers, prefetch: 2 };
            let collator = Collator { parallel: workers == 0, ..images() };
            let mut loader = Loader::start(&config, collator, requests_from(from)).unwrap();
            (from..6).map(|_| loader.next().unwrap()).collect::<Vec<_>>()
        };
        let all = batches(0, 0);
        assert!(all.iter().all(|batch| batch.mix.is_some()));
        assert!(all.windows(2).all(|pair| pair[0].mix != pair[1].mix));
        for workers in [0, 1, 3] {
            assert_eq!(batches(workers, 0), all, "{workers} workers");
            assert_eq!(batches(workers, 4), all[4..], "{workers} workers");
        }
    }

    #[test]
    fn workers_end_with_the_loader() {
        let config = LoaderConfig { workers: 2, prefetch: 1 };
        let mut loader = Loader::start(&config, collator(), requests(1000)).unwrap();
        assert_eq!(*loader.next().unwrap().labels, [0]);
        // Waits for both of them.
        drop(loader);
    }

    #[test]
    fn batches_arrive_in_order_and_end_after_the_last() {
        for workers in [0, 1, 3, 8] {
            let config = LoaderConfig { workers, prefetch: 2 };
            let mut loader = Loader::start(&config, collator(), requests(5)).unwrap();
            for batch in 0..5 {
                assert_eq!(*loader.next().unwrap().labels, [batch % 2], "{workers} workers");
            }
            assert_eq!(loader.next().unwrap_err(), NO_MORE, "{workers} workers");
        }
    }
}
