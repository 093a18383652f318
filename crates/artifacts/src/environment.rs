use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use data::{Fit, Split, SplitKind};
use serde::{Deserialize, Serialize};
use support::sha256;

use crate::{ArtifactError, RunDir, read_json, write_json};

/// Version of the layout of a run directory. It changes when a file changes its meaning.
pub const FORMAT: u32 = 3;

/// Program, device and data of a run: `environment.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Environment {
    /// Format of the run directory.
    pub format: u32,
    /// Identifies the run: checkpoints of other runs are refused.
    pub run: String,
    /// Version of the trainer.
    pub trainer: String,
    /// Commit it was built from, if known.
    pub commit: Option<String>,
    /// Version of Burn.
    pub burn: String,
    /// Operating system and processor architecture.
    pub platform: String,
    /// Name of the device.
    pub device: String,
    /// Seed of the run.
    pub seed: u64,
    /// Start of the run, RFC 3339 in UTC.
    pub started: String,
    /// The data.
    pub data: DataIdentity,
    /// The weights that the run started from, if not random ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub init_from: Option<InitialWeights>,
    /// SHA-256 of the JSON of this struct with an empty string here.
    #[serde(default)]
    pub sha256: String,
}

/// The weights of another model that a run started from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InitialWeights {
    /// The run directory, checkpoint directory or file.
    pub path: PathBuf,
    /// SHA-256 of the weights.
    pub sha256: String,
    /// Number of tensors that were loaded.
    pub loaded: usize,
    /// Name and shape of the tensors that were not, because they have another shape.
    pub new: Vec<String>,
}

/// The data a run is trained and tested on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DataIdentity {
    /// True if the data are synthetic.
    pub synthetic: bool,
    /// SHA-256 of each source: of its file, or of its content if it was generated.
    pub sha256: BTreeMap<String, String>,
    /// True if the examples are images rather than plain features.
    pub are_images: bool,
    /// Height, width and channels of an image, or 1, 1 and the number of features.
    pub shape: [usize; 3],
    /// Name of each class, in the order of the labels.
    pub classes: Vec<String>,
    /// How the images were resized, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fit: Option<Fit>,
    /// Number of examples of each split.
    pub counts: BTreeMap<String, usize>,
}

impl Environment {
    /// The environment of a new `run` with `seed` on `device`, by a program built from `commit`.
    pub fn new(
        run: String,
        commit: Option<&str>,
        device: &str,
        seed: u64,
        data: DataIdentity,
    ) -> Self {
        Self {
            format: FORMAT,
            run,
            trainer: env!("CARGO_PKG_VERSION").to_owned(),
            commit: commit.map(String::from),
            burn: "0.22.1".to_owned(),
            platform: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            device: device.to_owned(),
            seed,
            started: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
            data,
            init_from: None,
            sha256: String::new(),
        }
    }

    /// Reads the environment of `run` and verifies its checksum.
    pub fn read(run: &RunDir) -> Result<Self, ArtifactError> {
        let path = run.environment();
        let environment: Self = read_json(&path)?;
        if environment.with_checksum(&path)?.sha256 != environment.sha256 {
            return Err(ArtifactError::damaged(&path, "its checksum does not match"));
        }
        if !environment.data.is_plausible() {
            return Err(ArtifactError::damaged(&path, "its shape or classes are impossible"));
        }
        Ok(environment)
    }

    /// Writes it into `run` with its checksum.
    pub fn write(&self, run: &RunDir) -> Result<(), ArtifactError> {
        let path = run.environment();
        write_json(&path, &self.with_checksum(&path)?)
    }

    fn with_checksum(&self, path: &Path) -> Result<Self, ArtifactError> {
        let unsigned = Self { sha256: String::new(), ..self.clone() };
        let bytes = serde_json::to_vec(&unsigned)
            .map_err(|error| ArtifactError::damaged(path, error.to_string()))?;
        Ok(Self { sha256: sha256(&bytes), ..unsigned })
    }
}

impl InitialWeights {
    /// The number of loaded tensors and the names of the new ones, for example
    /// `loaded 52 of 54 tensors; new: model.Cnn.output.bias [3], model.Cnn.output.weight [64, 3]`.
    pub fn tensors(&self) -> String {
        let Self { loaded, new, .. } = self;
        if new.is_empty() {
            return format!("loaded all {loaded} tensors");
        }
        format!("loaded {loaded} of {} tensors; new: {}", loaded + new.len(), new.join(", "))
    }
}

impl DataIdentity {
    /// The identity of `split`, whose sources have these checksums.
    pub fn new(synthetic: bool, sha256: BTreeMap<String, String>, split: &Split) -> Self {
        let counts = SplitKind::ALL.into_iter().filter_map(|kind| {
            let examples = split.examples(kind)?;
            Some((kind.as_str().to_owned(), examples.len()))
        });
        Self {
            synthetic,
            sha256,
            are_images: split.train.are_images(),
            shape: split.train.shape,
            classes: split.classes.clone(),
            fit: None,
            counts: counts.collect(),
        }
    }

    /// Returns true if such a data set can exist: sizes that fit into memory, at least two classes.
    fn is_plausible(&self) -> bool {
        self.shape.iter().all(|side| (1..=16_384).contains(side))
            && (self.shape[2] <= 4 || !self.are_images)
            && (2..=10_000).contains(&self.classes.len())
    }

    /// The part whose scores are reported; see [`SplitKind::reported`].
    pub fn reported(&self) -> SplitKind {
        SplitKind::reported(|kind| self.counts.contains_key(kind.as_str()))
    }

    /// The source whose checksum differs from `other`, with both checksums.
    pub fn first_difference(&self, other: &Self) -> Option<(String, [String; 2])> {
        let checksums = |source: &String| {
            [self, other].map(|data| data.sha256.get(source).map_or("missing", String::as_str))
        };
        let mut sources = other.sha256.keys().chain(self.sha256.keys());
        let source = sources.find(|source| checksums(source)[0] != checksums(source)[1])?;
        Some((source.clone(), checksums(source).map(String::from)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn images(shape: [usize; 3], classes: usize) -> DataIdentity {
        DataIdentity {
            synthetic: false,
            sha256: BTreeMap::new(),
            are_images: true,
            shape,
            classes: (0..classes).map(|class| class.to_string()).collect(),
            fit: None,
            counts: BTreeMap::new(),
        }
    }

    #[test]
    fn impossible_shapes_and_class_counts_are_rejected() {
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
