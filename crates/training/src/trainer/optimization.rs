use burn::module::Module;
use burn::optim::{GradientsParams, ModuleOptimizer};

use super::checkpoint::{Checkpoint, SharedState, Snapshot};
use super::non_finite::{GradientCheck, GradientSums, NonFinite, non_finite_parameter};
use super::state::TrainingState;
use crate::error::RunError;
use crate::model::Classifier;
use crate::optim::{EmaConfig, FineTuning, GradientClipping, GradientSum, OptimizerConfig};

/// The weights and what updates them.
pub struct Optimization {
    /// The weights, with autodiff.
    pub classifier: Classifier,
    /// Their moving average, which is evaluated instead of them; without autodiff.
    pub average: Option<Classifier>,
    optimizer: ModuleOptimizer,
    gradient_sum: GradientSum,
    config: OptimizerConfig,
    clipping: Option<GradientClipping>,
    ema: Option<EmaConfig>,
    fine_tuning: Option<FineTuning>,
    /// Number of stages that are frozen now.
    frozen: usize,
    check: GradientCheck,
}

impl Optimization {
    /// Starts from the weights of `classifier`. With `deferred` checks, the sums of the gradients
    /// are returned instead of read.
    pub fn new(
        classifier: Classifier,
        config: OptimizerConfig,
        clipping: Option<GradientClipping>,
        ema: Option<EmaConfig>,
        fine_tuning: Option<FineTuning>,
        deferred: bool,
    ) -> Self {
        let gradient_sum = GradientSum::default();
        let check = if deferred {
            GradientCheck::Deferred
        } else if config.sums_gradients() && clipping.is_none() {
            // The optimizer would sum the clipped gradients.
            GradientCheck::ByOptimizer
        } else {
            GradientCheck::BeforeUpdate
        };
        Self {
            average: ema.map(|_| classifier.valid()),
            optimizer: config.init_summing(&gradient_sum),
            classifier,
            gradient_sum,
            config,
            clipping,
            ema,
            fine_tuning,
            frozen: 0,
            check,
        }
    }

    /// Freezes the stages that are frozen in `epoch`, and no others.
    pub fn start_epoch(&mut self, epoch: usize) {
        let frozen = self.fine_tuning.as_ref().map_or(0, |config| config.frozen_stages(epoch));
        if frozen != self.frozen {
            self.classifier = self.classifier.clone().with_frozen(frozen);
            self.frozen = frozen;
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
        let optimizer = self.config.init_summing(&self.gradient_sum);
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
        Ok(match self.check {
            GradientCheck::Deferred => Snapshot::Copied(Box::new(shared.into_checkpoint()?)),
            _ => Snapshot::Shared(Box::new(shared)),
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

    /// Updates the weights with `gradients` in step `step`, counted from 1. Returns the sums
    /// of the gradients if their check is deferred.
    pub fn apply_gradients(
        &mut self,
        mut gradients: GradientsParams,
        learning_rate: f64,
        step: usize,
    ) -> Result<Option<GradientSums>, NonFinite> {
        let sums = (self.check != GradientCheck::ByOptimizer)
            .then(|| GradientSums::of(&self.classifier, &gradients));
        let sums = match sums {
            Some(sums) if self.check == GradientCheck::BeforeUpdate => {
                if let Some((path, sum)) = sums.first_non_finite(sums.values.clone().into_data()) {
                    return Err(NonFinite::gradient(path, sum));
                }
                None
            }
            sums => sums,
        };
        if let Some(clipping) = self.clipping {
            gradients = clipping.apply(&self.classifier, gradients);
        }
        let step_size = self.config.step_size(learning_rate);
        let rates = match &self.fine_tuning {
            Some(fine_tuning) => fine_tuning.learning_rates(step_size),
            None => step_size.into(),
        };
        self.classifier = self.optimizer.step(rates, self.classifier.clone(), gradients);
        self.check_optimizer_sum()?;
        if let Some((ema, average)) = self.ema.zip(self.average.take()) {
            self.average = Some(ema.update(average, &self.classifier, step));
        }
        Ok(sums)
    }

    fn check_optimizer_sum(&self) -> Result<(), NonFinite> {
        let Some(sum) = self.gradient_sum.take() else { return Ok(()) };
        if self.check != GradientCheck::ByOptimizer {
            return Ok(());
        }
        NonFinite::check("sum of the gradients is", sum.into_scalar(), || {
            // A weight that was updated by a gradient that is not finite is not finite either.
            match non_finite_parameter(&self.classifier) {
                Some(path) => format!("the gradient of `{path}`"),
                None => "only their sum".to_owned(),
            }
        })
    }

    /// The first tensor that explains an output that is not finite.
    pub fn non_finite_tensor(&self) -> String {
        match non_finite_parameter(&self.classifier) {
            Some(path) => format!("`{path}`"),
            None => "the output of the model".to_owned(),
        }
    }
}
