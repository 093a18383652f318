//! A small experiment with everything in it that a run has to remember.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use dataset::Examples;
use dataset::hdf5::{self, Part};
use tempfile::TempDir;
use training::{Outcome, Plan, Run, RunConfig, Stop, Ui};

/// A directory with a data set and a config, removed with the value.
pub struct Experiment {
    place: TempDir,
}

/// Batch norm, dropout, a schedule, a penalty, Adam, validation and early stopping: whatever has
/// a state or is random. There are [`STEPS_PER_EPOCH`] steps in an epoch.
const CONFIG: &str = r#"name = "campaign"

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

/// 48 training examples in batches of 12.
pub const STEPS_PER_EPOCH: usize = 4;

/// How many checkpoints are kept beside the best, by default.
pub const KEPT: usize = 2;

impl Experiment {
    /// Makes the directory, with 60 and 12 images of 4x4x3 in 3 classes.
    pub fn new() -> Result<Self, Box<dyn Error>> {
        let place = in_memory().map_or_else(TempDir::new, TempDir::new_in)?;
        let experiment = Self { place };
        let data = experiment.path("data");
        fs::create_dir(&data)?;
        let config = CONFIG.replace("\"data\"", &format!("{:?}", data.display().to_string()));
        fs::write(experiment.config(), config)?;
        let classes = ["red", "green", "blue"].map(String::from);
        for (file, part, count) in [("train.h5", Part::Train, 60), ("test.h5", Part::Test, 12)] {
            hdf5::write(&data.join(file), part, &coloured(count), &classes)?;
        }
        Ok(experiment)
    }

    /// A path in the directory.
    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.place.path().join(name)
    }

    /// The file of the config.
    pub fn config(&self) -> PathBuf {
        self.path("campaign.toml")
    }

    /// The config under its `key=value` overrides, ready to run on `device`.
    pub fn plan(&self, device: &str, overrides: &[String]) -> Result<Plan, Box<dyn Error>> {
        let config = RunConfig::read(&self.config(), overrides)?;
        Ok(Plan::prepare(&config, Some(device), None)?)
    }
}

/// Where files are kept in memory: the disk would take most of the time, and has no part in what
/// is tried.
fn in_memory() -> Option<&'static Path> {
    Some(Path::new("/dev/shm")).filter(|path| path.is_dir())
}

/// Goes on with a run to its end, or to a stop after so many steps.
pub fn fit(mut run: Run, steps: Option<usize>) -> Result<Outcome, Box<dyn Error>> {
    let mut left = steps;
    let stop = move || {
        left = left.map(|left| left.saturating_sub(1));
        (left == Some(0)).then_some(Stop::Interrupted)
    };
    Ok(run.fit(Ui::silent(Box::new(stop)))?)
}

/// Shows nothing and stops for nothing.
pub fn silent() -> Ui {
    Ui::silent(Box::new(|| None))
}

/// Images of 4x4x3, each mostly of the colour of its class, with a fixed noise.
fn coloured(count: usize) -> Examples {
    const VALUES: usize = 4 * 4 * 3;
    let labels: Vec<u32> = (0..count as u32).map(|item| item % 3).collect();
    let value = |label: u32, at: usize| {
        let noise = ((at * 2_654_435_761) >> 7) % 120;
        noise as u8 + if at % 3 == label as usize { 60 } else { 0 }
    };
    let pixels = labels.iter().enumerate();
    let pixels = pixels
        .flat_map(|(item, &label)| (0..VALUES).map(move |at| value(label, item * VALUES + at)));
    Examples::images([4, 4, 3], pixels.collect(), labels)
}
