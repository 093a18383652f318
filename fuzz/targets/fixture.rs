//! A run that was stopped after its first step, to be resumed and used.

use std::fs;
use std::path::PathBuf;

use data::{Examples, SplitKind};
use tempfile::TempDir;
use training::{Experiment, RunConfig, Stop, Ui};

/// Temporary directory with a data set and a stopped run.
pub struct Fixture(TempDir);

const CONFIG: &str = r#"name = "fuzz"
[dataset.hdf5]
directory = "DIRECTORY"
train = "train.h5"
test = "test.h5"
[split]
validation_fraction = 0.25
[model.mlp]
hidden = [2]
[optimizer.adam]
[training]
epochs = 2
batch_size = 4
"#;

impl Fixture {
    /// Creates the directory, with images of 2x2x3 in two classes, and the run.
    pub fn new() -> Self {
        data_hdf5::neutralise_environment();
        let fixture = Self(TempDir::new().unwrap());
        let classes = ["dark", "light"].map(String::from);
        for (file, split, count) in
            [("train.h5", SplitKind::Train, 8), ("test.h5", SplitKind::Test, 4)]
        {
            let labels: Vec<u32> = (0..count).map(|item| item % 2).collect();
            let pixels = (0..count * 12).map(|index| (index % 24 * 8 + count) as u8).collect();
            let examples = Examples::images([2, 2, 3], pixels, labels);
            data_hdf5::write(&fixture.path(file), split, &examples, &classes).unwrap();
        }
        let config = CONFIG.replace("DIRECTORY", &fixture.path("").display().to_string());
        fs::write(fixture.path("config.toml"), config).unwrap();
        let mut run = fixture.experiment().start_at(&fixture.run()).unwrap();
        run.train(Ui::silent(Box::new(|| Some(Stop::Interrupted)))).unwrap();
        fixture
    }

    /// Returns a path in the directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Path of the run directory.
    pub fn run(&self) -> PathBuf {
        self.path("run")
    }

    /// Prepares the run to be started or resumed.
    pub fn experiment(&self) -> Experiment {
        let config = RunConfig::read(&self.path("config.toml"), &[]).unwrap();
        Experiment::prepare(&config, Some("flex"), None).unwrap()
    }
}
