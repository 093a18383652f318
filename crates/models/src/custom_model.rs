use std::fmt::Debug;

use burn::module::Module;
use burn::tensor::Tensor;
use config::Check;
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::dropout::DropoutRng;
use crate::layer::Layer;
use crate::parameter_init::ParameterInit;

/// A model defined outside this crate: a Burn module that is created from its own config.
///
/// Register it with [`ModelRegistry::with`](crate::ModelRegistry::with); configs then select it with `[model.<NAME>]`.
pub trait CustomModel: Module + 'static {
    /// Key of the model in configs, in snake case.
    const NAME: &'static str;

    /// Hyperparameters: the keys of `[model.<NAME>]`. Doc comments describe the keys in
    /// `trainer config explain`; ranges of numbers are declared with `#[schemars(range(..))]`.
    type Config: Serialize + DeserializeOwned + JsonSchema + Debug + Send + Sync + 'static;

    /// Creates the model for examples of `shape`, `[height, width, channels]`, with `outputs`
    /// logits.
    ///
    /// Layers of Burn are created on `init.device()`. Their random weights depend on the seed of
    /// the run and on the backend; parameters created by the methods of `init` are equal on all
    /// backends. A batch norm must be created by [`ParameterInit::batch_norm`].
    fn init(
        config: &Self::Config,
        shape: [usize; 3],
        outputs: usize,
        init: &mut ParameterInit,
    ) -> Self;

    /// Maps normalised inputs `[batch, height, width, channels]` to logits `[batch, outputs]`.
    /// `rng` is given during training, for dropout that is reproducible after a resume.
    fn forward(&self, inputs: Tensor<4>, rng: Option<&DropoutRng>) -> Tensor<2>;

    /// Returns true if `objective.l1` and `objective.l2` penalise the parameter at `path`, for
    /// example `blocks.0.weight`, of this rank. By default all but vectors: weights, but no biases
    /// or parameters of norms.
    fn is_penalized(_path: &str, rank: usize) -> bool {
        rank > 1
    }

    /// Describes the layers for `trainer model summary`. Without it, the summary has one line with
    /// the number of parameters.
    fn layers(_config: &Self::Config, _shape: [usize; 3], _outputs: usize) -> Option<Vec<Layer>> {
        None
    }

    /// Records invalid values of the config beyond their types and ranges.
    fn check(_config: &Self::Config, _check: &mut Check) {}

    /// Returns the reason why the model does not accept examples of `shape`, if there is one.
    fn incompatibility(_config: &Self::Config, _shape: [usize; 3]) -> Option<String> {
        None
    }
}
