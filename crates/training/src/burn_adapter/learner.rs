//! Runs the training loop as a custom strategy of burn-train.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use burn::data::dataloader::{DataLoader, DataLoaderIterator, Progress};
use burn::data::dataset::DatasetError;
use burn::optim::lr_scheduler::constant::ConstantLr;
use burn::tensor::Device;
use burn::train::metric::LearningRateMetric;
use burn::train::renderer::MetricsRenderer;
use burn::train::{
    InferenceStep, Interrupter, Learner, SupervisedLearningStrategy, SupervisedTraining,
    SupervisedTrainingEventProcessor, TrainLoader, TrainOutput, TrainStep, TrainingComponents,
    TrainingStrategy, ValidLoader,
};
use support::panics;

use super::metrics::{NoMetricFiles, ScoreMetric};
use super::observer::EventForwarder;
use crate::batch::Batch;
use crate::error::RunError;
use crate::model::{Classifier, Scores};
use crate::optim::OptimizerConfig;
use crate::trainer::{Stop, Trainer, TrainingState};

/// The display of a run by burn-train.
pub struct Display<'a> {
    pub name: &'a str,
    /// Name of the device, for errors.
    pub device: &'a str,
    pub renderer: Box<dyn MetricsRenderer>,
    /// Carries the renderer's request to stop.
    pub interrupter: Interrupter,
}

/// Runs `trainer` to its end or a stop, and shows it on `display`. Returns its final state.
pub fn fit(
    trainer: Trainer,
    optimizer: &OptimizerConfig,
    display: Display<'_>,
) -> Result<(TrainingState, Option<Stop>), RunError> {
    let (epochs, first_epoch) = (trainer.last_epoch(), trainer.state.epoch);
    let model = trainer.optimization.classifier.clone();
    let learner = Learner::new(model, optimizer.init(), ConstantLr::new(1.0));
    let device = display.device.to_owned();
    let strategy = Arc::new(Strategy { device, inner: Mutex::new((trainer, Ok(None))) });
    let result = SupervisedTraining::new("", no_loader(), no_loader())
        .with_training_strategy(TrainingStrategy::Custom(strategy.clone()))
        .with_application_logger(None)
        .with_metric_logger(NoMetricFiles)
        .with_interrupter(display.interrupter)
        .renderer(display.renderer)
        .metrics((ScoreMetric::accuracy(), ScoreMetric::loss()))
        .metric_train_numeric(LearningRateMetric::new())
        .num_epochs(epochs)
        .checkpoint(first_epoch - 1)
        .label(display.name)
        .launch(learner);
    // A renderer may hold the terminal until it is dropped.
    drop(result);
    let mut inner = strategy.lock();
    let (trainer, ending) = &mut *inner;
    let stop = mem::replace(ending, Ok(None))?;
    Ok((trainer.state.clone(), stop))
}

/// The trainer as burn-train calls it: once, through a shared reference.
struct Strategy {
    device: String,
    inner: Mutex<(Trainer, Result<Option<Stop>, RunError>)>,
}

impl Strategy {
    fn lock(&self) -> MutexGuard<'_, (Trainer, Result<Option<Stop>, RunError>)> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SupervisedLearningStrategy<Classifier> for Strategy {
    fn fit(
        &self,
        components: TrainingComponents<Classifier>,
        learner: Learner<Classifier>,
        _train: TrainLoader<Classifier>,
        _validation: ValidLoader<Classifier>,
        _first_epoch: usize,
    ) -> (Classifier, SupervisedTrainingEventProcessor<Classifier>) {
        // The learner holds a second reference to every weight, which prevents updates in place.
        drop(learner);
        let mut inner = self.lock();
        let (trainer, ending) = &mut *inner;
        let TrainingComponents { event_processor: processor, interrupter, .. } = components;
        let mut observer = EventForwarder { processor, interrupter };
        *ending = panics::catch(|| trainer.run(&mut observer)).unwrap_or_else(|reason| {
            let (epoch, batch) = (trainer.state.epoch, trainer.state.epoch_step + 1);
            let has_checkpoint = trainer.writer.checkpoints.has_checkpoint();
            let device = self.device.clone();
            Err(RunError::Panicked { device, epoch, batch, reason, has_checkpoint })
        });
        (trainer.optimization.classifier.clone(), observer.processor)
    }
}

impl TrainStep for Classifier {
    type Input = Batch;
    type Output = Scores;

    fn step(&self, batch: Batch) -> TrainOutput<Scores> {
        let (logits, grads) = self.forward_backward(&batch);
        TrainOutput { grads, item: self.scores(logits.into_data(), &batch.labels) }
    }
}

impl InferenceStep for Classifier {
    type Input = Batch;
    type Output = Scores;

    fn step(&self, batch: Batch) -> Scores {
        self.scores(self.infer(batch.inputs).into_data(), &batch.labels)
    }
}

/// Burn-train requires data loaders. The trainer takes batches from its own source, whose order
/// depends on the epoch and on the step from which the run was resumed.
#[derive(Clone)]
struct NoBatches;

fn no_loader() -> Arc<dyn DataLoader<Batch>> {
    Arc::new(NoBatches)
}

impl DataLoader<Batch> for NoBatches {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<Batch> + 'a> {
        Box::new(NoBatches)
    }

    fn num_items(&self) -> usize {
        0
    }

    fn to_device(&self, _device: &Device) -> Arc<dyn DataLoader<Batch>> {
        no_loader()
    }

    fn slice(&self, _start: usize, _end: usize) -> Arc<dyn DataLoader<Batch>> {
        no_loader()
    }
}

impl Iterator for NoBatches {
    type Item = Result<Batch, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        None
    }
}

impl DataLoaderIterator<Batch> for NoBatches {
    fn progress(&self) -> Progress {
        Progress::new(0, 0, None)
    }
}
