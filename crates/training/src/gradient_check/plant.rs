//! Errors made on purpose, as in the exercise, to see that the check finds them.

use serde::Serialize;

use super::Subject;
use super::analytic::{self, Gradient};
use crate::classifier::Batch;
use crate::config::RunConfig;
use crate::error::RunError;

/// An error of the backward pass. The cost stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Plant {
    /// The gradient of the last hidden weights (or of the only ones) is doubled: the exercise's
    /// `dW2 * 2`.
    DoubleWeight,
    /// The gradient of the first bias is four times what it is: the exercise's `db1` with `4 / m`.
    /// Where batch norm takes a bias away, it is that of batch norm.
    FourfoldBias,
    /// The gradients are those of the cost without its penalty.
    ForgottenPenalty,
    /// The gradients are those of the model without dropout.
    ForgottenDropout,
    /// The gradients are those of the model with linear activations.
    LinearActivation,
}

/// An error that was made on purpose.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Planted {
    /// The error.
    pub error: Plant,
    /// The tensor that it was made in, where it is a single one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tensor: Option<String>,
}

impl Plant {
    /// Every error.
    pub const ALL: [Self; 5] = [
        Self::DoubleWeight,
        Self::FourfoldBias,
        Self::ForgottenPenalty,
        Self::ForgottenDropout,
        Self::LinearActivation,
    ];

    /// The name, as `--plant` takes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DoubleWeight => "double-weight",
            Self::FourfoldBias => "fourfold-bias",
            Self::ForgottenPenalty => "forgotten-penalty",
            Self::ForgottenDropout => "forgotten-dropout",
            Self::LinearActivation => "linear-activation",
        }
    }

    /// Makes the error in `gradients`, which are those of `subject`; fails where it would change
    /// none of them.
    pub(super) fn apply(
        self,
        subject: &Subject,
        batch: &Batch,
        gradients: &mut Vec<Gradient>,
    ) -> Result<Planted, RunError> {
        let tensor = match self {
            Self::DoubleWeight => Some(self.scale(last_weight(gradients), 2.0)?),
            Self::FourfoldBias => Some(self.scale(first_bias(gradients), 4.0)?),
            _ => {
                self.replace(subject, batch, gradients)?;
                None
            }
        };
        Ok(Planted { error: self, tensor })
    }

    /// Multiplies a gradient, and tells whose it is.
    fn scale(self, gradient: Option<&mut Gradient>, factor: f64) -> Result<String, RunError> {
        let gradient = gradient.ok_or_else(|| self.refusal(NO_GRADIENT))?;
        gradient.values.iter_mut().for_each(|value| *value *= factor);
        Ok(gradient.name.clone())
    }

    /// Takes the gradients of an experiment that is wrong by this error.
    fn replace(
        self,
        subject: &Subject,
        batch: &Batch,
        gradients: &mut Vec<Gradient>,
    ) -> Result<(), RunError> {
        let wrong = self.wrong(&subject.config)?;
        let wrong = analytic::gradients(&subject.classifier(&wrong)?, batch);
        if is_close(gradients, &wrong) {
            return Err(self.refusal(NO_GRADIENT));
        }
        *gradients = wrong;
        Ok(())
    }

    /// The experiment that is wrong by this error; its weights are those of `config`, being
    /// functions of the seed and the shapes.
    fn wrong(self, config: &RunConfig) -> Result<RunConfig, RunError> {
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

    /// What an experiment lacks in which the error cannot be made, and what to do.
    fn missing(self) -> Missing {
        match self {
            Self::ForgottenDropout => {
                ["no unit is dropped", "set `model.mlp.dropout`, or plant another error"]
            }
            Self::LinearActivation => [
                "no layer has an activation other than `linear`",
                "set `model.mlp.hidden` and `model.mlp.activation`, or plant another error",
            ],
            _ => ["there is no penalty", "set `objective.l2`, or plant another error"],
        }
    }

    fn refusal(self, [reason, remedy]: Missing) -> RunError {
        RunError::NothingToPlant { plant: self.as_str(), reason, remedy }
    }
}

type Missing = [&'static str; 2];

const NO_GRADIENT: Missing = [
    "it would change no gradient",
    "plant another error, or change `model.mlp.initializer`: where weights are 0, gradients are",
];

/// What is left of a gradient of 0, as a part of all gradients.
const NOTHING: f64 = 1e-12;

/// The last weights before those of the output, unless only those have a gradient.
fn last_weight(gradients: &mut [Gradient]) -> Option<&mut Gradient> {
    let least = NOTHING * norm(gradients);
    let mut weights: Vec<_> = gradients.iter_mut().filter(|one| one.shape.len() > 1).collect();
    let output = weights.pop();
    let mut weights = weights.into_iter().rev().chain(output);
    weights.find(|gradient| gradient.norm() > least)
}

/// The first bias with a gradient: in front of batch norm it has none, but that of batch norm has.
fn first_bias(gradients: &mut [Gradient]) -> Option<&mut Gradient> {
    let least = NOTHING * norm(gradients);
    let is_bias = |name: &str| name.ends_with("bias") || name.ends_with("beta");
    gradients.iter_mut().find(|gradient| is_bias(&gradient.name) && gradient.norm() > least)
}

fn norm(gradients: &[Gradient]) -> f64 {
    gradients.iter().map(|gradient| gradient.norm().powi(2)).sum::<f64>().sqrt()
}

/// Whether gradients of the same tensors are equal but for rounding.
fn is_close(right: &[Gradient], wrong: &[Gradient]) -> bool {
    let pairs = right.iter().zip(wrong);
    let mut pairs = pairs.flat_map(|(right, wrong)| right.values.iter().zip(&wrong.values));
    let least = NOTHING * norm(right);
    pairs.all(|(right, wrong)| (right - wrong).abs() <= least)
}
