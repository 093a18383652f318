use std::collections::BTreeMap;

use ::config::Check;
use burn::module::ParamGroup;
use burn::optim::lr_scheduler::module_lr_scheduler::{ModuleLearningRate, ModuleLrScheduler};
use models::{Layer, ModelConfig, Operation};
use serde::{Deserialize, Serialize};

use crate::model::{Classifier, parameter_ids};

/// How the weights of `init_from` are trained: `[fine_tuning]`. A stage is a hidden layer, or the
/// convolutions between two reductions of the image; the first is that of the input, the last the output
/// layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FineTuningConfig {
    /// What keeps its weights: `backbone`, all stages but the output layer, or a number of stages from the
    /// input. Their batch norms normalize with the running statistics, which do not change either.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub freeze: Option<Freeze>,
    /// Number of epochs after which all stages are trained; if absent, the frozen ones never are.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10_000_000))]
    pub unfreeze_after_epochs: Option<usize>,
    /// Factor of the learning rate of each stage, relative to the stage after it (Clark et al. 2020,
    /// arXiv:2003.10555); 1 for equal rates.
    #[schemars(range(max = 1), extend("exclusiveMinimum" = 0))]
    pub layer_decay: f64,
}

/// Stages that are frozen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(untagged, expecting = "use `backbone` or a number of stages")]
pub enum Freeze {
    /// A number of stages from the input.
    Stages(#[schemars(range(min = 1, max = 2000))] usize),
    /// A part with a name.
    Part(FrozenPart),
}

/// Part of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FrozenPart {
    /// All stages but the output layer.
    Backbone,
}

impl Default for FineTuningConfig {
    fn default() -> Self {
        Self { freeze: None, unfreeze_after_epochs: None, layer_decay: 1.0 }
    }
}

impl FineTuningConfig {
    pub(crate) fn check(&self, model: &ModelConfig, check: &mut Check) {
        let Some(stages) = model.stages() else {
            let message = "fine-tuning needs the stages of a built-in model";
            return check.require("layer_decay", false, message);
        };
        let frozen = match self.freeze {
            Some(Freeze::Stages(frozen)) => frozen,
            _ => 0,
        };
        let message =
            format_args!("the model has {stages} stages, of which the last one is always trained");
        check.require("freeze", frozen < stages, message);
        let is_frozen = self.freeze.is_some() || self.unfreeze_after_epochs.is_none();
        check.require("unfreeze_after_epochs", is_frozen, "nothing is frozen: set `freeze`");
    }
}

pub struct FineTuning {
    config: FineTuningConfig,
    stages: usize,
    groups: Vec<ParamGroup>,
    /// Whether the features before the output layer are random in training.
    is_random: bool,
}

impl FineTuning {
    /// Fine-tunes `classifier`, whose `model` has these `layers`.
    pub fn new(
        config: FineTuningConfig,
        model: &ModelConfig,
        layers: &[Layer],
        classifier: &Classifier,
    ) -> Self {
        let stages = layers.last().map_or(1, |layer| layer.stage + 1);
        let mut ids = vec![Vec::new(); stages];
        // Their paths begin with `model` and the kind of the model.
        let in_model =
            |path: &str| path.splitn(3, '.').nth(2).map(str::to_owned).unwrap_or_default();
        let parameters = parameter_ids(classifier).into_iter();
        let parameters: BTreeMap<_, _> =
            parameters.map(|(path, id)| (in_model(&path), id)).collect();
        for layer in layers {
            let tensors = layer.operations().flat_map(Operation::tensors);
            let of_layer = tensors.filter_map(|(path, _)| parameters.get(&path).copied());
            if let Some(stage) = ids.get_mut(layer.stage) {
                stage.extend(of_layer);
            }
        }
        let groups = ids.into_iter().map(ParamGroup::from_ids).collect();
        Self { config, stages, groups, is_random: model.has_random_features() }
    }

    /// Whether the features before the output layer are constant while `frozen` stages are.
    pub fn has_constant_features(&self, frozen: usize) -> bool {
        frozen + 1 == self.stages && !self.is_random
    }

    /// Number of frozen stages in `epoch`, counted from 1.
    pub fn frozen_stages(&self, epoch: usize) -> usize {
        let ends = self.config.unfreeze_after_epochs.is_some_and(|epochs| epoch > epochs);
        match self.config.freeze {
            _ if ends => 0,
            None => 0,
            Some(Freeze::Stages(stages)) => stages,
            Some(Freeze::Part(FrozenPart::Backbone)) => self.stages - 1,
        }
    }

    /// The learning rate of each parameter, given that of the output layer.
    pub fn learning_rates(&self, rate: f64) -> ModuleLearningRate {
        let rates = ModuleLrScheduler::new(rate);
        let stages = self.groups.iter().rev();
        let (mut rates, _) = stages.fold((rates, rate), |(rates, rate), group| {
            (rates.with_group(group.clone(), rate), rate * self.config.layer_decay)
        });
        rates.step()
    }
}
