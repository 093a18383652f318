//! Bugs injected into the backward pass, as in the exercise, to test that the check finds them.

use serde::Serialize;

use super::CheckedModel;
use super::analytic::{self, Gradient};
use crate::batch::Batch;
use crate::config::RunConfig;
use crate::error::RunError;

/// A bug of the backward pass; the cost stays correct.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum InjectedBug {
    /// The gradient of the last hidden weights (or of the only ones) is doubled: the exercise's
    /// `dW2 * 2`.
    DoubleWeight,
    /// The gradient of the first bias is multiplied by 4: the exercise's `db1` with `4 / m`. Where
    /// batch norm replaces the bias, that of batch norm.
    FourfoldBias,
    /// The gradients are those of the cost without its penalty.
    ForgottenPenalty,
    /// The gradients are those of the model without dropout.
    ForgottenDropout,
    /// The gradients are those of the model with linear activations.
    LinearActivation,
}

/// An injected bug and its location.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InjectedBugReport {
    /// The bug.
    pub bug: InjectedBug,
    /// The affected tensor, if it is a single one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tensor: Option<String>,
}

impl InjectedBug {
    /// All bugs.
    pub const ALL: [Self; 5] = [
        Self::DoubleWeight,
        Self::FourfoldBias,
        Self::ForgottenPenalty,
        Self::ForgottenDropout,
        Self::LinearActivation,
    ];

    /// Name in the command line and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DoubleWeight => "double-weight",
            Self::FourfoldBias => "fourfold-bias",
            Self::ForgottenPenalty => "forgotten-penalty",
            Self::ForgottenDropout => "forgotten-dropout",
            Self::LinearActivation => "linear-activation",
        }
    }

    /// Changes `gradients`, those of `model`; fails if the bug would not change any of them.
    pub(super) fn apply(
        self,
        model: &CheckedModel,
        batch: &Batch,
        gradients: &mut Vec<Gradient>,
    ) -> Result<InjectedBugReport, RunError> {
        let tensor = match self {
            Self::DoubleWeight => Some(self.scale(last_weight(gradients), 2.0)?),
            Self::FourfoldBias => Some(self.scale(first_bias(gradients), 4.0)?),
            _ => {
                self.replace(model, batch, gradients)?;
                None
            }
        };
        Ok(InjectedBugReport { bug: self, tensor })
    }

    /// Multiplies a gradient and returns the name of its tensor.
    fn scale(self, gradient: Option<&mut Gradient>, factor: f64) -> Result<String, RunError> {
        let gradient = gradient.ok_or_else(|| self.refusal(NO_GRADIENT))?;
        gradient.values.iter_mut().for_each(|value| *value *= factor);
        Ok(gradient.name.clone())
    }

    /// Replaces the gradients by those of a model with this bug.
    fn replace(
        self,
        model: &CheckedModel,
        batch: &Batch,
        gradients: &mut Vec<Gradient>,
    ) -> Result<(), RunError> {
        let wrong = model.classifier(&self.wrong_config(&model.config)?)?;
        let wrong = analytic::gradients(&wrong, batch);
        if is_close(gradients, &wrong) {
            return Err(self.refusal(NO_GRADIENT));
        }
        *gradients = wrong;
        Ok(())
    }

    /// The config with this bug. Its initial weights are those of `config`, since they depend only
    /// on the seed and the shapes.
    fn wrong_config(self, config: &RunConfig) -> Result<RunConfig, RunError> {
        let mut wrong = config.clone();
        let model = match self {
            Self::ForgottenDropout => config.model.without_dropout(),
            Self::LinearActivation => config.model.with_linear_activation(),
            _ => config.objective.has_penalty().then(|| config.model.clone()),
        };
        wrong.model = model.ok_or_else(|| self.refusal(self.missing()))?;
        if self == Self::ForgottenPenalty {
            (wrong.objective.l1, wrong.objective.l2) = (0.0, 0.0);
        }
        Ok(wrong)
    }

    /// The reason why the bug cannot be injected into an experiment, and a remedy.
    fn missing(self) -> Missing {
        match self {
            Self::ForgottenDropout => {
                ["the model has no dropout", "set `model.mlp.dropout`, or inject another bug"]
            }
            Self::LinearActivation => [
                "no layer has an activation other than `linear`",
                "set `model.mlp.hidden` and `model.mlp.activation`, or inject another bug",
            ],
            _ => ["there is no penalty", "set `objective.l2`, or inject another bug"],
        }
    }

    fn refusal(self, [reason, remedy]: Missing) -> RunError {
        let bug = self.as_str();
        RunError::Usage(format!("the bug `{bug}` cannot be injected: {reason}\n  {remedy}"))
    }
}

type Missing = [&'static str; 2];

const NO_GRADIENT: Missing = [
    "it would change no gradient",
    "inject another bug, or change `model.mlp.initializer`: where weights are 0, gradients are",
];

/// Largest rounding error of a zero gradient, relative to the norm of all gradients.
const ZERO: f64 = 1e-12;

/// The last weights before the output layer; those of the output layer if no others have a
/// gradient.
fn last_weight(gradients: &mut [Gradient]) -> Option<&mut Gradient> {
    let least = ZERO * norm(gradients);
    let mut weights: Vec<_> = gradients.iter_mut().filter(|one| one.shape.len() > 1).collect();
    let output = weights.pop();
    let mut weights = weights.into_iter().rev().chain(output);
    weights.find(|gradient| gradient.norm() > least)
}

/// The first bias with a gradient: before a batch norm a bias has none, but that of the norm has.
fn first_bias(gradients: &mut [Gradient]) -> Option<&mut Gradient> {
    let least = ZERO * norm(gradients);
    let is_bias = |name: &str| name.ends_with("bias") || name.ends_with("beta");
    gradients.iter_mut().find(|gradient| is_bias(&gradient.name) && gradient.norm() > least)
}

fn norm(gradients: &[Gradient]) -> f64 {
    gradients.iter().map(|gradient| gradient.norm().powi(2)).sum::<f64>().sqrt()
}

/// Returns true if the gradients are equal within rounding.
fn is_close(right: &[Gradient], wrong: &[Gradient]) -> bool {
    let pairs = right.iter().zip(wrong);
    let mut pairs = pairs.flat_map(|(right, wrong)| right.values.iter().zip(&wrong.values));
    let least = ZERO * norm(right);
    pairs.all(|(right, wrong)| (right - wrong).abs() <= least)
}
