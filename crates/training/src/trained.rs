use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::tensor::{Device, FloatDType};
use dataset::{Examples, Split, Statistics, Work};

use crate::checkpoint::Checkpoints;
use crate::classifier::Classifier;
use crate::config::RunConfig;
use crate::device;
use crate::environment::{DataIdentity, Environment};
use crate::error::RunError;
use crate::evaluation::{Evaluation, SplitName, log_probabilities_of};
use crate::leaks::WithoutTwins;
use crate::prediction::{Prediction, read_image};
use crate::run_dir::{RunDir, write_json};

/// The model of a run's best epoch (or of its last, where there was no validation set), ready
/// to be used. Needs only the run directory.
pub struct Trained {
    run: RunDir,
    config: RunConfig,
    environment: Environment,
    classifier: Classifier,
    device: Device,
}

impl Trained {
    /// Loads the model of the run at `path` onto `device`, or else the best device.
    pub fn open(path: &Path, device: Option<&str>) -> Result<Self, RunError> {
        let run = RunDir::open(path)?;
        let config = RunConfig::read(&run.config(), &[])?;
        let environment = Environment::read(&run)?;
        let device = device::choose(device)?.device;

        let checkpoints = Checkpoints::existing(run.checkpoints(), &environment.run);
        let newest = checkpoints.newest()?;
        let newest = newest.ok_or_else(|| RunError::NothingTrained { path: path.to_owned() })?;
        let checkpoint = match &newest.state.best {
            Some(best) => checkpoints.load(&best.checkpoint)?,
            None => newest,
        };
        let classifier = blank(&config, &environment.data, &device)?;
        let classifier = checkpoint.load_model(classifier)?.valid();
        Ok(Self { run, config, environment, classifier, device })
    }

    /// What the model was trained and tested on.
    pub fn data(&self) -> &DataIdentity {
        &self.environment.data
    }

    /// Evaluates the model on one part of its data, which must be as they were, and keeps the
    /// scores in the run directory.
    pub fn evaluate(&self, split: SplitName) -> Result<Evaluation, RunError> {
        let data = self.load()?;
        let examples = split
            .of(&data)
            .ok_or_else(|| RunError::NoValidation { run: self.run.path().to_owned() })?;
        let (classifier, identity, device) = (&self.classifier, self.data(), &self.device);
        let mut evaluation = Evaluation::of(classifier, split, examples, identity, device)?;
        if split != SplitName::Train {
            let sets = [&data.train, examples];
            evaluation.without_twins =
                WithoutTwins::of(&evaluation, sets, classifier, identity, device)?;
        }
        write_json(&self.run.evaluation(split.as_str()), &evaluation)?;
        Ok(evaluation)
    }

    /// The data of the run, which must be as they were.
    pub fn load(&self) -> Result<Split, RunError> {
        let dataset = self.config.dataset.resolve()?;
        let (data, now) = DataIdentity::load(&RunConfig { dataset, ..self.config.clone() })?;
        now.must_equal(self.data(), &self.run)?;
        Ok(data)
    }

    pub(crate) fn run(&self) -> &RunDir {
        &self.run
    }

    pub(crate) fn config(&self) -> &RunConfig {
        &self.config
    }

    pub(crate) fn classifier(&self) -> &Classifier {
        &self.classifier
    }

    pub(crate) fn device(&self) -> &Device {
        &self.device
    }

    /// Predicts the class of each image file.
    pub fn predict_images(&self, images: &[PathBuf]) -> Result<Vec<Prediction>, RunError> {
        let shape = self.data().shape;
        if !self.data().are_images {
            let run = self.run.path().to_owned();
            return Err(RunError::NotImages { run, features: shape[2] });
        }
        let work = Work::begin("classifying images", images.len());
        let predict = |path: &PathBuf| {
            work.advance(1);
            let image = Examples::images(shape, read_image(path, shape)?, vec![0]);
            self.predict(path.display().to_string(), &image)
        };
        images.iter().map(predict).collect()
    }

    /// Predicts the class of each point.
    pub fn predict_features(&self, points: &[Vec<f32>]) -> Result<Vec<Prediction>, RunError> {
        let expected = self.data().shape[2];
        let unfit = points.iter().find(|point| self.data().are_images || point.len() != expected);
        if let Some(point) = unfit {
            let (run, given) = (self.run.path().to_owned(), point.len());
            return Err(match self.data().are_images {
                true => RunError::NotPoints { run },
                false => RunError::OtherFeatures { run, expected, given },
            });
        }
        let predict = |point: &Vec<f32>| {
            let input: Vec<_> = point.iter().map(f32::to_string).collect();
            let example = Examples::features(expected, point.clone(), vec![0]);
            self.predict(input.join(","), &example)
        };
        points.iter().map(predict).collect()
    }

    /// The prediction for `example`, which is one, and is called `input`.
    fn predict(&self, input: String, example: &Examples) -> Result<Prediction, RunError> {
        let rows = log_probabilities_of(&self.classifier, example, &[0], &self.device)?;
        let probabilities: Vec<f32> = rows.concat().iter().map(|log| log.exp()).collect();
        Prediction::new(input, &self.data().classes, &probabilities).ok_or_else(|| {
            let reason = "it names no class".to_owned();
            RunError::Malformed { path: self.run.environment(), reason }
        })
    }
}

/// A classifier of the right architecture, to be filled from a checkpoint.
fn blank(config: &RunConfig, data: &DataIdentity, device: &Device) -> Result<Classifier, RunError> {
    let [.., channels] = data.shape;
    let identity = Statistics { shift: vec![0.0; channels], scale: vec![1.0; channels] };
    Classifier::initial(config, data, &identity, FloatDType::F32, device)
}
