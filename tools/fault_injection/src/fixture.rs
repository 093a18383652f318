//! A small data set and a config, for the scenarios that run the trainer.

use std::fs;
use std::path::{Path, PathBuf};

use data::{Examples, SplitKind};
use tempfile::TempDir;
use training::{Experiment, Outcome, Run, RunConfig, Stop, Ui};

use crate::tally::CaseResult;

/// Temporary directory with a data set and a config.
pub struct Fixture {
    directory: TempDir,
}

/// Batch norm, dropout, a schedule, a penalty, Adam, validation and early stopping: everything
/// that has a state or is random. An epoch has [`STEPS_PER_EPOCH`] steps.
const CONFIG: &str = r#"name = "fault-injection"

[dataset.hdf5]
directory = "data"
train = "train.h5"
test = "test.h5"

[split]
validation_fraction = 0.2

[model.mlp]
hidden = [6]
dropout = [0.2]

[objective]
l2 = 0.1

[optimizer.adam]
learning_rate = 1e-2

[schedule]
warmup_epochs = 1
decay.cosine = {}

[training]
epochs = 10
batch_size = 12
early_stopping.patience = 1000
"#;

/// Name in the config, and of the run directory that the trainer chooses by it.
pub const NAME: &str = "fault-injection";

/// Number of steps in an epoch: 48 training examples in batches of 12.
pub const STEPS_PER_EPOCH: usize = 4;

/// Default number of checkpoints kept in addition to that of the best epoch.
pub const KEEP_LAST: usize = 2;

impl Fixture {
    /// Creates the directory, with 60 and 12 images of 4x4x3 in 3 classes.
    pub fn new() -> CaseResult<Self> {
        let directory = memory_file_system().map_or_else(TempDir::new, TempDir::new_in)?;
        let fixture = Self { directory };
        let data = fixture.path("data");
        fs::create_dir(&data)?;
        let config = CONFIG.replace("\"data\"", &format!("{:?}", data.display().to_string()));
        fs::write(fixture.config(), config)?;
        let classes = ["red", "green", "blue"].map(String::from);
        let images = coloured_images(72);
        let files = [("train.h5", SplitKind::Train, 0..60), ("test.h5", SplitKind::Test, 60..72)];
        for (file, split, items) in files {
            let part = images.select(&items.collect::<Vec<_>>());
            data_hdf5::write(&data.join(file), split, &part, &classes)?;
        }
        Ok(fixture)
    }

    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Returns a path at which nothing is: what an earlier case left is removed.
    pub fn free_path(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        fs::remove_dir_all(&path).ok();
        path
    }

    pub fn config(&self) -> PathBuf {
        self.path("config.toml")
    }

    /// Prepares the config with `key=value` overrides for `device`.
    pub fn experiment(&self, device: &str, overrides: &[String]) -> CaseResult<Experiment> {
        let config = RunConfig::read(&self.config(), overrides)?;
        Ok(Experiment::prepare(&config, Some(device), None)?)
    }
}

/// A file system in memory, if there is one: disk accesses would take most of the time and are
/// not tested.
pub fn memory_file_system() -> Option<&'static Path> {
    Some(Path::new("/dev/shm")).filter(|path| path.is_dir())
}

/// Trains a run to its end, or stops it after `steps` steps.
pub fn train(mut run: Run, steps: Option<usize>) -> CaseResult<Outcome> {
    let mut left = steps;
    let stop = move || {
        left = left.map(|left| left.saturating_sub(1));
        (left == Some(0)).then_some(Stop::Interrupted)
    };
    Ok(run.train(Ui::silent(Box::new(stop)))?)
}

/// Images of 4x4x3, each mostly of the colour of its class, with deterministic noise.
fn coloured_images(count: usize) -> Examples {
    const VALUES: usize = 4 * 4 * 3;
    let labels: Vec<u32> = (0..count as u32).map(|item| item % 3).collect();
    let pixel = |index: usize| {
        // Mixed bits (MurmurHash3), so that no two images are near-duplicates.
        let mut bits = (index as u64 + 1).wrapping_mul(0xff51_afd7_ed55_8ccd);
        bits = (bits ^ bits >> 33).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        let noise = (bits ^ bits >> 33) % 120;
        noise as u8 + if index % 3 == index / VALUES % 3 { 60 } else { 0 }
    };
    let pixels = (0..count * VALUES).map(pixel).collect();
    Examples::images([4, 4, 3], pixels, labels)
}
