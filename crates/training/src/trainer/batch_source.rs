use std::sync::Arc;

use burn::tensor::Device;
use data::{Augmenter, BatchIndex, Examples, Split};
use models::DropoutRng;

use super::state::TrainingState;
use crate::batch::{Batch, BatchRequest, Collator, HostBatch, Loader, LoaderConfig};
use crate::config::TrainingConfig;
use crate::error::RunError;
use crate::fault_injection::Faults;
use crate::model::Classifier;

pub struct BatchSource {
    pub data: Arc<Split>,
    /// The device of the batches, with autodiff.
    pub device: Device,
    augmenter: Option<Arc<Augmenter>>,
    is_resident: bool,
    /// The whole training set on the device, after its first use, if it is kept there.
    resident: Option<Batch>,
    /// The features of the validation set, as long as those of the training set are kept.
    validation: Option<Batch>,
}

/// Largest training set that is kept on a device, in values: 256 MiB of f32.
const MAX_RESIDENT: usize = 1 << 26;

impl BatchSource {
    /// Batches of the training set of `data` on `device`, augmented by `augmenter`.
    pub fn new(
        data: Arc<Split>,
        device: Device,
        augmenter: Option<Augmenter>,
        config: &TrainingConfig,
        is_processor: bool,
    ) -> Self {
        let is_resident =
            augmenter.is_none() && is_kept_on_device(config, &data.train, is_processor);
        let (augmenter, resident, validation) = (augmenter.map(Arc::new), None, None);
        Self { data, device, augmenter, is_resident, resident, validation }
    }

    /// Keeps the features of all examples instead of their inputs, as long as the backbone of a
    /// `classifier` is frozen and the images are not augmented.
    pub fn keep_features(&mut self, classifier: Option<&Classifier>) -> Result<(), RunError> {
        match classifier.filter(|_| self.augmenter.is_none()) {
            Some(classifier) if !self.has_features() => {
                self.resident = Some(classifier.features(&self.data.train, &self.device)?);
                let examples = self.data.validation.as_ref();
                let device = self.device.clone().inner();
                self.validation = examples
                    .filter(|_| !classifier.is_mirrored())
                    .map(|examples| classifier.features(examples, &device))
                    .transpose()?;
            }
            None if self.has_features() => (self.resident, self.validation) = (None, None),
            _ => {}
        }
        Ok(())
    }

    fn has_features(&self) -> bool {
        self.resident.as_ref().is_some_and(|batch| batch.are_features)
    }

    pub fn validation_features(&self) -> Option<&Batch> {
        self.validation.as_ref()
    }

    /// The batches of `steps`, which follow `state`.
    pub fn requests(
        &self,
        config: &TrainingConfig,
        state: &TrainingState,
        steps: &[&[usize]],
        faults: &Faults,
    ) -> Vec<BatchRequest> {
        let batch_size = config.batch_size(self.data.train.len());
        let mut requests = Vec::new();
        for (offset, items) in steps.iter().enumerate() {
            let step = state.step + offset;
            let fault = faults.peek(step + 1);
            requests.extend(items.chunks(batch_size).zip(0..).map(|(items, micro_batch)| {
                let index = BatchIndex { step: step as u64, micro_batch };
                BatchRequest { items: items.into(), index, fault }
            }));
        }
        requests
    }

    /// Number of threads that collate batches ahead: files are decoded while the step before is
    /// computed.
    pub fn loader_workers(&self, config: &TrainingConfig) -> usize {
        config.loader.workers.max(usize::from(self.data.train.are_slow()))
    }

    /// Starts to collate the batches of `requests` in the epoch of `state`, unless the training set
    /// is kept on the device.
    pub fn start_loader(
        &self,
        config: &LoaderConfig,
        state: &TrainingState,
        requests: Vec<BatchRequest>,
        classifier: &Classifier,
    ) -> Result<Option<Loader>, RunError> {
        if self.is_resident || self.has_features() {
            return Ok(None);
        }
        let collator = Collator {
            data: Arc::clone(&self.data),
            scaler: classifier.scaler(),
            augmenter: self.augmenter.clone(),
            epoch: state.epoch as u64,
            parallel: config.workers == 0,
        };
        let loader = Loader::start(config, collator, requests);
        loader.map(Some).map_err(|reason| not_loaded(state, reason))
    }

    /// The part of the step `step_items` after `state` that consists of `items`, on the device: the
    /// next batch of `loader`, if there is one.
    pub fn part(
        &mut self,
        (micro_batch, items): (usize, &[usize]),
        step_items: &[usize],
        loader: Option<&mut Loader>,
        classifier: &Classifier,
        state: &TrainingState,
    ) -> Result<Batch, RunError> {
        let mut batch = self.batch(items, loader, classifier, state)?;
        let (seed, step) = (state.seed, state.step as u64);
        batch.dropout = Some(DropoutRng { seed, step, micro_batch: micro_batch as u64 });
        batch.step_examples = step_items.len();
        batch.step_weight = classifier.weight(&self.data.train, step_items);
        Ok(batch)
    }

    fn batch(
        &mut self,
        items: &[usize],
        loader: Option<&mut Loader>,
        classifier: &Classifier,
        state: &TrainingState,
    ) -> Result<Batch, RunError> {
        let Some(loader) = loader else { return self.resident_batch(items, classifier) };
        let batch: HostBatch = loader.next().map_err(|reason| not_loaded(state, reason))?;
        Ok(classifier.to_device(batch, self.data.train.shape, &self.device))
    }

    fn resident_batch(
        &mut self,
        items: &[usize],
        classifier: &Classifier,
    ) -> Result<Batch, RunError> {
        let examples = &self.data.train;
        let resident = match &self.resident {
            Some(resident) => resident,
            None => {
                let all: Vec<usize> = (0..examples.len()).collect();
                self.resident.insert(classifier.batch(examples, &all, &self.device)?)
            }
        };
        if items.len() == examples.len() {
            Ok(resident.clone())
        } else {
            Ok(classifier.select(resident, items))
        }
    }
}

/// Returns true if the training set is kept on the device as inputs. A graphics card selects
/// batches from it. On a processor this would be an additional copy, unless a batch is the whole
/// set.
fn is_kept_on_device(config: &TrainingConfig, train: &Examples, is_processor: bool) -> bool {
    let is_one_batch = config.batch_size(train.len()) == train.len();
    config.loader.workers == 0
        && train.len() * train.width() <= MAX_RESIDENT
        && (is_one_batch || !is_processor)
}

fn not_loaded(state: &TrainingState, reason: String) -> RunError {
    RunError::NotLoaded { epoch: state.epoch, batch: state.epoch_step + 1, reason }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::BatchSize;

    #[test]
    fn a_processor_keeps_only_a_training_set_of_one_batch() {
        let train = Examples::features(1, vec![0.5; 4], vec![0, 1, 0, 1]);
        let mut config: TrainingConfig = toml::from_str("epochs = 1").unwrap();
        let kept = |config: &TrainingConfig| {
            [true, false].map(|cpu| is_kept_on_device(config, &train, cpu))
        };
        assert_eq!(kept(&config), [true, true]);
        config.batch_size = Some(BatchSize::Fixed(3));
        assert_eq!(kept(&config), [false, true]);
        config.loader.workers = 1;
        assert_eq!(kept(&config), [false, false]);
    }
}
