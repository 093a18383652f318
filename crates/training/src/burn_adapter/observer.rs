use burn::data::dataloader::Progress;
use burn::optim::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::train::{
    EventProcessorTraining, Interrupter, LearnerEvent, SupervisedTrainingEventProcessor,
    TrainingItem,
};
use data::SplitKind;

use crate::model::{Classifier, Scores};
use crate::trainer::{PassProgress, TrainingObserver};

/// Forwards the progress of a training to burn-train's event processor.
pub struct EventForwarder {
    pub processor: SupervisedTrainingEventProcessor<Classifier>,
    /// Carries requests to stop, and errors of the processor.
    pub interrupter: Interrupter,
}

impl EventForwarder {
    fn send(&mut self, split: SplitKind, event: LearnerEvent<Scores>) {
        let result = if split == SplitKind::Train {
            self.processor.process_train(event)
        } else {
            self.processor.process_valid(event)
        };
        self.interrupter.fail_on_error(result);
    }
}

impl TrainingObserver for EventForwarder {
    fn start_pass(&mut self, split: SplitKind, epoch: usize, total: usize) {
        self.send(split, LearnerEvent::StartSplit { epoch_number: epoch, total_items: total });
    }

    fn batch(
        &mut self,
        split: SplitKind,
        scores: Scores,
        progress: PassProgress,
        learning_rate: Option<f64>,
    ) {
        let PassProgress { examples, total, batches } = progress;
        let progress = Progress::new(examples, total, Some("examples".to_owned()));
        let rate = learning_rate.map(ModuleLearningRate::from);
        let item = TrainingItem::new(scores, progress, Some(batches), rate);
        self.send(split, LearnerEvent::ProcessedItem(item));
    }

    fn end_pass(&mut self, split: SplitKind, epoch: usize) {
        self.send(split, LearnerEvent::EndSplit(epoch));
    }

    fn end_epoch(&mut self, epoch: usize) {
        self.send(SplitKind::Train, LearnerEvent::EndEpoch(epoch));
    }

    fn stop_requested(&self) -> bool {
        self.interrupter.should_stop() && self.interrupter.error().is_none()
    }

    fn failure(&self) -> Option<String> {
        self.interrupter.error().map(|error| error.to_string())
    }
}
