//! Burn-train runs the session: its learner, metrics, events and renderers around our loop,
//! through its hook for custom strategies.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use burn::data::dataloader::{DataLoader, DataLoaderIterator, Progress};
use burn::data::dataset::DatasetError;
use burn::optim::lr_scheduler::constant::ConstantLr;
use burn::tensor::Device;
use burn::train::metric::LearningRateMetric;
use burn::train::renderer::MetricsRenderer;
use burn::train::{
    Interrupter, Learner, SupervisedLearningStrategy, SupervisedTraining,
    SupervisedTrainingEventProcessor, TrainLoader, TrainingComponents, TrainingStrategy,
    ValidLoader,
};

use crate::classifier::{Batch, Classifier};
use crate::error::RunError;
use crate::events::{Events, NoMetricFiles, ScoreMetric};
use crate::panics::caught;
use crate::run_dir::RunDir;
use crate::session::{Session, Stop};
use crate::state::State;

/// Runs `session` to its end or a stop, and shows it on `renderer`.
pub fn fit(
    session: Session,
    run: &RunDir,
    renderer: Box<dyn MetricsRenderer>,
    interrupter: Interrupter,
) -> Result<(State, Option<Stop>), RunError> {
    let config = session.config.clone();
    let learner =
        Learner::new(session.classifier.clone(), config.optimizer.init(), ConstantLr::new(1.0));
    let first_epoch = session.state.epoch;
    let strategy = Arc::new(Strategy(Mutex::new(Running { session, ending: Ok(None) })));
    let result = SupervisedTraining::new(run.path(), no_loader(), no_loader())
        .with_training_strategy(TrainingStrategy::Custom(strategy.clone()))
        .with_application_logger(None)
        .with_metric_logger(NoMetricFiles)
        .with_interrupter(interrupter)
        .renderer(renderer)
        .metrics((ScoreMetric::accuracy(), ScoreMetric::loss()))
        .metric_train_numeric(LearningRateMetric::new())
        .num_epochs(config.training.epochs)
        .checkpoint(first_epoch - 1)
        .label(&config.name)
        .launch(learner);
    // The dashboard holds the terminal until its renderer is gone.
    drop(result);
    let mut running = strategy.running();
    let ending = mem::replace(&mut running.ending, Ok(None))?;
    Ok((running.session.state.clone(), ending))
}

/// The session as burn-train calls it: once, through a shared reference.
struct Strategy(Mutex<Running>);

struct Running {
    session: Session,
    ending: Result<Option<Stop>, RunError>,
}

impl Strategy {
    fn running(&self) -> MutexGuard<'_, Running> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
        // The learner holds a second reference to every weight, which keeps them from being
        // updated in place.
        drop(learner);
        let mut running = self.running();
        let mut events = Events::new(components.event_processor, components.interrupter);
        running.ending = guarded(&mut running.session, &mut events);
        (running.session.classifier.clone(), events.into_processor())
    }
}

/// Runs `session`. A panic of Burn is an error that says where.
fn guarded(session: &mut Session, events: &mut Events) -> Result<Option<Stop>, RunError> {
    caught(|| session.run(events)).unwrap_or_else(|reason| {
        Err(RunError::BrokeOff {
            device: session.config.device.clone().unwrap_or_default(),
            epoch: session.state.epoch,
            batch: session.state.epoch_step + 1,
            reason,
        })
    })
}

/// Burn-train asks for loaders. The session gathers its own batches, whose order depends on the
/// epoch and on where the run was resumed.
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
