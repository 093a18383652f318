use std::sync::Arc;

use burn::module::Module;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::Tensor;

use super::checkpoint::{Checkpoint, SharedState, Snapshot};
use super::non_finite::{MeasuredGradients, gradient_paths, non_finite_parameter, norms};
use super::state::TrainingState;
use crate::error::RunError;
use crate::model::Classifier;
use crate::optim::{EmaConfig, FineTuning, GradientClipping, GradientNorms, OptimizerConfig};

/// The weights and what updates them.
pub struct Optimization {
    /// The weights, with autodiff.
    pub classifier: Classifier,
    /// Their moving average, which is evaluated instead of them; without autodiff.
    pub average: Option<Classifier>,
    optimizer: ModuleOptimizer,
    /// Computed by the optimizer, if it does.
    gradient_norms: GradientNorms,
    /// Paths of the tensors that are trained now.
    paths: Option<Arc<[String]>>,
    config: OptimizerConfig,
    clipping: Option<GradientClipping>,
    ema: Option<EmaConfig>,
    fine_tuning: Option<FineTuning>,
    /// Number of stages that are frozen now.
    frozen: usize,
    is_deferred: bool,
}

impl Optimization {
    /// Starts from the weights of `classifier`. On a device from which results are read later, snapshots
    /// are copies.
    pub fn new(
        classifier: Classifier,
        config: OptimizerConfig,
        clipping: Option<GradientClipping>,
        ema: Option<EmaConfig>,
        fine_tuning: Option<FineTuning>,
        is_deferred: bool,
    ) -> Self {
        let gradient_norms = GradientNorms::default();
        Self {
            average: ema.map(|_| classifier.valid()),
            optimizer: config.init_measuring(&gradient_norms),
            classifier,
            gradient_norms,
            paths: None,
            config,
            clipping,
            ema,
            fine_tuning,
            frozen: 0,
            is_deferred,
        }
    }

    /// Freezes the stages that are frozen in `epoch`, and no others.
    pub fn start_epoch(&mut self, epoch: usize) {
        let frozen = self.fine_tuning.as_ref().map_or(0, |config| config.frozen_stages(epoch));
        if frozen != self.frozen {
            self.classifier = self.classifier.clone().with_frozen(frozen);
            (self.frozen, self.paths) = (frozen, None);
        }
    }

    /// The model, if only its output layer is trained now and nothing before it is random.
    pub fn with_constant_features(&self) -> Option<&Classifier> {
        let is_constant = |tuning: &FineTuning| tuning.has_constant_features(self.frozen);
        self.fine_tuning.as_ref().is_some_and(is_constant).then_some(&self.classifier)
    }

    /// Loads weights, average and optimizer state of `checkpoint`.
    pub fn load(&mut self, checkpoint: &Checkpoint) -> Result<(), RunError> {
        let average = self.average.take();
        self.average = average.map(|average| checkpoint.load_model(average)).transpose()?;
        self.classifier = checkpoint.load_weights(self.classifier.clone())?;
        let optimizer = self.config.init_measuring(&self.gradient_norms);
        self.optimizer = checkpoint.load_optimizer(optimizer)?;
        Ok(())
    }

    /// Everything as it is now, with `state`. The tensors of a graphics card are copied.
    pub fn snapshot(&self, state: &TrainingState) -> Result<Snapshot, RunError> {
        let shared = SharedState {
            state: state.clone(),
            // `valid` folds the batch statistics into the running statistics of batch norm, which a
            // clone would share with the run.
            classifier: self.classifier.valid(),
            average: self.average.as_ref().map(Module::valid),
            optimizer: self.optimizer.clone(),
        };
        Ok(match self.is_deferred {
            true => Snapshot::Copied(Box::new(shared.into_checkpoint()?)),
            false => Snapshot::Shared(Box::new(shared)),
        })
    }

    /// The learning rate before the schedule is applied.
    pub fn learning_rate(&self) -> f64 {
        self.config.learning_rate()
    }

    /// The model to evaluate, without autodiff.
    pub fn evaluated_model(&self) -> Classifier {
        self.average.clone().unwrap_or_else(|| self.classifier.valid())
    }

    /// Updates the weights with `gradients` in step `step`, counted from 1, and returns the norms that
    /// the gradients have before they are clipped. If one is not finite, the weights are not either.
    pub fn apply_gradients(
        &mut self,
        mut gradients: GradientsParams,
        learning_rate: f64,
        step: usize,
    ) -> MeasuredGradients {
        let find_paths = || gradient_paths(&self.classifier, &gradients).into();
        let paths = self.paths.get_or_insert_with(find_paths).clone();
        let mut measured = None;
        if self.clipping.is_some() || !self.config.measures_gradients() {
            measured = Some(norms(&self.classifier, &gradients));
        }
        if let Some(clipping) = self.clipping {
            gradients = clipping.apply(&self.classifier, gradients);
        }
        let step_size = self.config.step_size(learning_rate);
        let rates = match &self.fine_tuning {
            Some(fine_tuning) => fine_tuning.learning_rates(step_size),
            None => step_size.into(),
        };
        self.classifier = self.optimizer.step(rates, self.classifier.clone(), gradients);
        let by_optimizer = self.gradient_norms.take();
        if let Some((ema, average)) = self.ema.zip(self.average.take()) {
            self.average = Some(ema.update(average, &self.classifier, step));
        }
        MeasuredGradients { norms: Tensor::cat(measured.unwrap_or(by_optimizer), 0), paths }
    }

    /// The first tensor that explains an output that is not finite.
    pub fn non_finite_tensor(&self) -> String {
        match non_finite_parameter(&self.classifier) {
            Some(path) => format!("`{path}`"),
            None => "the output of the model".to_owned(),
        }
    }
}
