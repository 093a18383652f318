//! What a run depends on beside its config: versions, device, and the identity of its data.

use std::collections::BTreeMap;
use std::fs;
use std::time::SystemTime;

use dataset::{Split, sha256};
use serde::{Deserialize, Serialize};

use crate::config::RunConfig;
use crate::device::Chosen;
use crate::error::RunError;
use crate::run_dir::{RunDir, write_json};

/// What a run depends on beside its config: `environment.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Environment {
    /// What the checkpoints of the run are marked with.
    pub run: String,
    /// The version of the trainer.
    pub trainer: String,
    /// The commit it was built from, if that is known.
    pub commit: Option<String>,
    /// The version of Burn.
    pub burn: String,
    /// The operating system and the processor architecture.
    pub platform: String,
    /// The device of the run, as `--device` takes it.
    pub device: String,
    /// What all randomness of the run depends on.
    pub seed: u64,
    /// When the run was started, in UTC.
    pub started: String,
    /// What it is trained and tested on.
    pub data: DataIdentity,
    /// SHA-256 of all this, with nothing here.
    sha256: String,
}

/// What a run is trained and tested on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DataIdentity {
    /// Whether they are the drawn stand-in rather than real data.
    pub stand_in: bool,
    /// SHA-256 of each part: of its file, or of its content where it was drawn.
    pub sha256: BTreeMap<String, String>,
    /// Whether they are images, or else plain features.
    pub are_images: bool,
    /// Height, width and channels of an image, or 1, 1 and the number of features.
    pub shape: [usize; 3],
    /// The name of each class, in the order of the labels.
    pub classes: Vec<String>,
    /// The number of examples of each part of the split.
    pub counts: BTreeMap<String, usize>,
}

#[cfg(test)]
impl DataIdentity {
    /// That of data without files.
    pub fn of(data: &Split) -> Self {
        Self {
            stand_in: false,
            sha256: BTreeMap::new(),
            are_images: data.train.are_images(),
            shape: data.train.shape,
            classes: data.classes.clone(),
            counts: BTreeMap::new(),
        }
    }
}

impl Environment {
    /// The environment of a new `run` on `device`, by a program built from `commit`.
    pub fn new(
        run: String,
        commit: Option<&str>,
        device: &Chosen,
        seed: u64,
        data: DataIdentity,
    ) -> Self {
        Self {
            run,
            trainer: env!("CARGO_PKG_VERSION").to_owned(),
            commit: commit.map(String::from),
            burn: "0.22.1".to_owned(),
            platform: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            device: device.name.clone(),
            seed,
            started: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
            data,
            sha256: String::new(),
        }
    }

    /// Reads the environment of `run`.
    pub fn read(run: &RunDir) -> Result<Self, RunError> {
        let path = run.environment();
        let bytes = fs::read(&path).map_err(|error| RunError::read(&path, error))?;
        let malformed = |reason: String| RunError::Malformed { path: path.clone(), reason };
        let environment: Self =
            serde_json::from_slice(&bytes).map_err(|error| malformed(error.to_string()))?;
        if environment.sealed()?.sha256 != environment.sha256 {
            return Err(malformed("it is not what the trainer wrote".into()));
        }
        match environment.data.is_plausible() {
            true => Ok(environment),
            false => Err(malformed("there are no such examples or classes".into())),
        }
    }

    /// Writes it into `run`.
    pub fn write(&self, run: &RunDir) -> Result<(), RunError> {
        write_json(&run.environment(), &self.sealed()?)
    }

    /// The same with the sum that belongs to it.
    fn sealed(&self) -> Result<Self, RunError> {
        let open = Self { sha256: String::new(), ..self.clone() };
        let bytes =
            serde_json::to_vec(&open).map_err(|error| RunError::Record(error.to_string()))?;
        Ok(Self { sha256: sha256(&bytes), ..open })
    }
}

impl DataIdentity {
    /// Loads the data of `config`, whose dataset is resolved, and tells what they are.
    pub fn load(config: &RunConfig) -> Result<(Split, Self), RunError> {
        let source = config.dataset.load()?;
        let (stand_in, sha256) = (source.stand_in, source.sha256.clone());
        let split = config.split.apply(source, config.seed)?;
        let identity = Self::new(stand_in, sha256, &split);
        Ok((split, identity))
    }

    fn new(stand_in: bool, sha256: BTreeMap<String, String>, split: &Split) -> Self {
        let validation = split.validation.as_ref();
        let parts = [
            ("train", Some(&split.train)),
            ("validation", validation),
            ("test", Some(&split.test)),
        ];
        let counts = parts.into_iter().filter_map(|(name, part)| Some((name, part?.len())));
        Self {
            stand_in,
            sha256,
            are_images: split.train.are_images(),
            shape: split.train.shape,
            classes: split.classes.clone(),
            counts: counts.map(|(name, count)| (name.to_owned(), count)).collect(),
        }
    }

    /// Whether there can be such a data set: sizes that fit into memory, at least two classes.
    fn is_plausible(&self) -> bool {
        let sides = self.shape.iter().all(|side| (1..=16_384).contains(side));
        sides
            && (self.shape[2] <= 4 || !self.are_images)
            && (2..=10_000).contains(&self.classes.len())
    }

    /// Fails if this is not the data that `run` was trained with.
    pub fn must_equal(&self, then: &Self, run: &RunDir) -> Result<(), RunError> {
        let mut parts = then.sha256.keys().chain(self.sha256.keys());
        let sum = |data: &Self, part: &String| {
            data.sha256.get(part).cloned().unwrap_or_else(|| "missing".into())
        };
        let Some(part) = parts.find(|part| sum(self, part) != sum(then, part)) else {
            return Ok(());
        };
        Err(RunError::DataChanged {
            run: run.path().to_owned(),
            now: sum(self, part),
            then: sum(then, part),
            part: part.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn images(shape: [usize; 3], classes: usize) -> DataIdentity {
        DataIdentity {
            stand_in: false,
            sha256: BTreeMap::new(),
            are_images: true,
            shape,
            classes: (0..classes).map(|class| class.to_string()).collect(),
            counts: BTreeMap::new(),
        }
    }

    #[test]
    fn data_that_no_model_can_be_made_for_are_not_believed() {
        assert!(images([6, 6, 3], 2).is_plausible());
        let features = DataIdentity { are_images: false, ..images([1, 1, 4096], 2) };
        assert!(features.is_plausible());
        for (shape, classes) in
            [([0, 6, 3], 2), ([6, 16_385, 3], 2), ([6, 6, 5], 2), ([6, 6, 3], 1)]
        {
            assert!(!images(shape, classes).is_plausible(), "{shape:?}, {classes} classes");
        }
    }
}
