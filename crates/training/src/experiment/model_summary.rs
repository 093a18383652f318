use artifacts::LayerSummary;
use data::SplitKind;
use models::Layer;
use serde::Serialize;

use super::time_estimate::time_warning;
use crate::config::RunConfig;
use crate::device;
use crate::error::RunError;

/// The layers of a model with their shapes and costs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModelSummary {
    /// Name of the experiment.
    pub name: String,
    /// Height, width and channels of an image, or 1, 1 and the number of features.
    pub input: [usize; 3],
    /// Number of classes.
    pub classes: usize,
    /// Layers in the order of the forward pass, the normaliser first.
    pub layers: Vec<LayerSummary>,
    /// Number of parameters of all layers.
    pub parameters: usize,
    /// Number of trained parameters. The others are the normaliser, which is fitted before
    /// training, and the running statistics of batch norm.
    pub trained: usize,
    /// Multiply-accumulate operations of linear maps and convolutions for one example.
    pub multiply_adds: usize,
    /// Memory of the parameters as f32, in bytes.
    pub bytes: usize,
    /// A warning, in one sentence, if a run on the data of the config takes very long.
    pub warning: Option<String>,
}

impl ModelSummary {
    /// The model of `config` for its data, of which only shape and classes are read.
    pub fn of(config: &RunConfig) -> Result<Self, RunError> {
        let info = config.dataset.resolve()?.info()?;
        config.objective.init(info.classes.len())?;
        config.check_shape(info.shape)?;
        let summary = Self::new(config, info.shape, info.classes.len())?;
        let examples = (info.count as f64 * config.split.fraction(SplitKind::Train)) as usize;
        let device = device::select(config.device.as_deref()).ok();
        let warning = device.and_then(|device| {
            time_warning(config, info.shape, info.classes.len(), examples, &device.name)
        });
        Ok(Self { warning, ..summary })
    }

    /// The model of `config` for examples of `shape` in `classes` classes.
    pub fn new(config: &RunConfig, shape: [usize; 3], classes: usize) -> Result<Self, RunError> {
        let summary = Self::compute(config, shape, classes);
        summary.ok_or(RunError::TooLarge { needed: None, available: 0 })
    }

    fn compute(config: &RunConfig, shape: [usize; 3], classes: usize) -> Option<Self> {
        let mut layers = vec![normalizer(shape)?];
        for layer in config.model.layers(shape, config.outputs(classes))? {
            layers.push(layer_summary(&layer)?);
        }
        let sum = |number: fn(&LayerSummary) -> usize| {
            layers.iter().try_fold(0_usize, |sum, layer| sum.checked_add(number(layer)))
        };
        let parameters = sum(|layer| layer.parameters)?;
        let running = sum(|layer| layer.running)?;
        Some(Self {
            name: config.name.clone(),
            input: shape,
            classes,
            parameters,
            trained: parameters - running,
            multiply_adds: sum(|layer| layer.multiply_adds)?,
            bytes: parameters.checked_mul(size_of::<f32>())?,
            layers,
            warning: None,
        })
    }
}

/// The normaliser: one shift and one scale per channel, fitted on the training set.
fn normalizer(shape: [usize; 3]) -> Option<LayerSummary> {
    let output = match shape {
        [1, 1, features] => vec![features],
        image => image.to_vec(),
    };
    let fitted = output.last()?.checked_mul(2)?;
    Some(LayerSummary {
        name: "normalizer".to_owned(),
        kind: "shift and scale".to_owned(),
        then: Vec::new(),
        output,
        parameters: fitted,
        running: fitted,
        multiply_adds: 0,
    })
}

fn layer_summary(layer: &Layer) -> Option<LayerSummary> {
    Some(LayerSummary {
        name: layer.name.clone(),
        kind: layer.operation.to_string(),
        then: layer.then.iter().map(ToString::to_string).collect(),
        output: layer.output.clone(),
        parameters: layer.parameters()?,
        running: layer.running(),
        multiply_adds: layer.multiply_adds()?,
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_summary_counts_the_parameters_of_a_run() {
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
