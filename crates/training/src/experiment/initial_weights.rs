//! The weights that a run starts from: `init_from`.

use std::path::Path;

use artifacts::{DataIdentity, Environment, InitialWeights, RunDir};
use support::{regular_file, sha256};

use super::Experiment;
use super::saved_model::saved_model;
use crate::error::RunError;
use crate::model::{Classifier, ForeignWeights, LoadedTensors, Weights};
use crate::trainer::Checkpoint;

impl Experiment {
    /// Reads the weights of `init_from`, if the config has it, and records them in the environment.
    pub(crate) fn read_initial_weights(&mut self) -> Result<(), RunError> {
        let Some(path) = self.config.init_from.clone() else { return Ok(()) };
        let (bytes, classes) = read(&path)?;
        let sum = sha256(&bytes);
        let not_weights = |error| RunError::NotWeights {
            path: path.clone(),
            reason: format!("it is not a file of weights: {error}"),
        };
        let classifier = self.initial_classifier()?;
        let weights = self.parse_weights(&path, bytes, &classifier).map_err(not_weights)?;
        let tensors_sum = weights.sha256().map_err(|error| not_weights(error.to_string()))?;
        let (_, tensors) = load(&weights, &path, classifier)?;
        let own = &self.environment.data.classes;
        if tensors.new.is_empty() && classes.is_some_and(|classes| classes != *own) {
            tracing::warn!(
                "the last layer is loaded too, and was trained on other classes, or the same in another order"
            );
        }
        // A run that starts from other weights is another run.
        self.environment.run = sha256(format!("{}{tensors_sum}", self.environment.run).as_bytes());
        let (loaded, new) = (tensors.loaded, tensors.new);
        self.environment.init_from = Some(InitialWeights { path, sha256: sum, loaded, new });
        self.initial_weights = Some(weights);
        Ok(())
    }

    /// The weights in a file of Burn or of PyTorch for `classifier`, or the reason why there are none.
    fn parse_weights(
        &self,
        path: &Path,
        bytes: Vec<u8>,
        classifier: &Classifier,
    ) -> Result<Weights, String> {
        let Some(foreign) = ForeignWeights::parse(path, &bytes)? else {
            return Weights::parse(bytes).map_err(|error| error.to_string());
        };
        if !foreign.have_normalizer() && !self.config.input.is_fixed() {
            tracing::warn!(
                "the weights come without a normalization, and the inputs are normalized by the training set: `[input]` sets the one of the weights, `normalization = \"imagenet\"` for those of torchvision"
            );
        }
        let DataIdentity { shape, classes, .. } = &self.environment.data;
        let model = &self.config.model;
        let layers = model.layers(*shape, self.config.outputs(classes.len())).unwrap_or_default();
        Ok(foreign.named_as(&Weights::of(classifier)?, model, &layers))
    }

    /// Reads the weights again that a run with the environment `earlier` started from.
    pub(super) fn read_initial_weights_of(
        &mut self,
        earlier: &Environment,
    ) -> Result<(), RunError> {
        self.read_initial_weights()?;
        match &self.environment.init_from {
            Some(InitialWeights { path, .. }) if self.environment.run != earlier.run => {
                Err(RunError::Other(format!(
                    "{} is no longer the file of weights that the run started from\n  restore it, or start a new run",
                    path.display()
                )))
            }
            _ => Ok(()),
        }
    }
}

pub fn load(
    weights: &Weights,
    path: &Path,
    classifier: Classifier,
) -> Result<(Classifier, LoadedTensors), RunError> {
    weights.load_into(classifier).map_err(|mut differences| {
        let count = differences.len();
        if count > 5 {
            differences.truncate(5);
            differences.push(format!("and {} more", count - 5));
        }
        RunError::Usage(format!(
            "the weights in {} are those of another model:\n  {}\n  use the `[model]` that they were trained with; only the last layer may differ",
            path.display(),
            differences.join("\n  ")
        ))
    })
}

/// The weights at `path`, a run directory, a checkpoint directory or a file, and the classes of the
/// run.
fn read(path: &Path) -> Result<(Vec<u8>, Option<Vec<String>>), RunError> {
    if path.join("config.toml").is_file() {
        let run = RunDir::open(path)?.model_run();
        let environment = Environment::read(&run)?;
        return Ok((saved_model(&run, &environment)?, Some(environment.data.classes)));
    }
    if path.join("model.bpk").is_file() {
        return Ok((Checkpoint::read(path)?.into_model_bytes(), None));
    }
    let bytes = regular_file::read(path).map_err(|error| RunError::NotWeights {
        path: path.to_owned(),
        reason: format!("it cannot be read: {error}"),
    })?;
    Ok((bytes, None))
}
