use models::Layer;
use serde::Serialize;

use crate::config::RunConfig;
use crate::error::RunError;

/// The layers that a config makes for its data, and what they take.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModelSummary {
    /// The name of the experiment.
    pub name: String,
    /// Height, width and channels of an image, or 1, 1 and the number of features.
    pub input: [usize; 3],
    /// The number of classes.
    pub classes: usize,
    /// The layers in the order of the forward pass, the normaliser first.
    pub layers: Vec<Layer>,
    /// The parameters of all layers.
    pub parameters: usize,
    /// Those of them that follow gradients. The others are the normaliser, which is fitted before
    /// training, and the running statistics of batch norm.
    pub trained: usize,
    /// The multiplications, each with an addition, that linear maps and convolutions take for one
    /// example.
    pub multiply_adds: usize,
    /// The memory of the parameters in bytes: f32.
    pub bytes: usize,
}

impl ModelSummary {
    /// The model of `config` for its data, of which no more is read or drawn than what they look like.
    pub fn of(config: &RunConfig) -> Result<Self, RunError> {
        let outline = config.dataset.resolve()?.outline()?;
        config.objective.init(outline.classes.len())?;
        if let Some(reason) = config.model.objection(outline.shape) {
            return Err(RunError::Unsuited { shape: outline.shape, reason });
        }
        Self::new(config, outline.shape, outline.classes.len())
    }

    /// The model of `config` for examples of `shape` in so many `classes`.
    pub fn new(config: &RunConfig, shape: [usize; 3], classes: usize) -> Result<Self, RunError> {
        let summary = Self::counted(config, shape, classes);
        summary.ok_or(RunError::TooLarge { needed: None, available: 0 })
    }

    fn counted(config: &RunConfig, shape: [usize; 3], classes: usize) -> Option<Self> {
        let outputs = config.objective.head(classes).outputs(classes);
        let mut layers = vec![normalizer(shape)?];
        layers.extend(config.model.layers(shape, outputs)?);
        let sum = |number: fn(&Layer) -> usize| {
            layers.iter().try_fold(0_usize, |sum, layer| sum.checked_add(number(layer)))
        };
        let parameters = sum(|layer| layer.parameters)?;
        let (running, multiply_adds) =
            (sum(|layer| layer.running)?, sum(|layer| layer.multiply_adds)?);
        Some(Self {
            name: config.name.clone(),
            input: shape,
            classes,
            parameters,
            trained: parameters - running,
            multiply_adds,
            bytes: parameters.checked_mul(size_of::<f32>())?,
            layers,
        })
    }
}

/// One shift and one scale a channel, fitted on the training set.
fn normalizer(shape: [usize; 3]) -> Option<Layer> {
    let output = match shape {
        [1, 1, features] => vec![features],
        image => image.to_vec(),
    };
    let fitted = output.last()?.checked_mul(2)?;
    let layer = Layer::plain("normalizer", "shift and scale", output);
    Some(Layer { parameters: fitted, running: fitted, ..layer })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn what_is_summed_up_before_the_data_are_drawn_is_what_a_run_counts() {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/course2/moons_gd.toml");
        let config = RunConfig::read(&path, &[]).unwrap();
        let summary = ModelSummary::of(&config).unwrap();
        assert_eq!((summary.input, summary.classes), ([1, 1, 2], 2));
        assert_eq!(Some(summary.parameters), config.parameters([1, 1, 2], 2));
        assert_eq!((summary.parameters, summary.trained), (34, 30));
        assert_eq!((summary.multiply_adds, summary.bytes), (22, 136));
        let first = &summary.layers[0];
        assert_eq!((first.name.as_str(), first.parameters, first.running), ("normalizer", 4, 4));
    }
}
