//! A run that was stopped after its first step, to be resumed and used.

use std::fs;
use std::path::PathBuf;

use dataset::Examples;
use dataset::hdf5::{self, Part};
use tempfile::TempDir;
use training::{Plan, RunConfig, Stop, Ui};

/// A place with a data set and a stopped run, removed with the value.
pub struct Experiment(TempDir);

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

impl Experiment {
    /// Makes the place: images of 2x2x3 in two classes.
    pub fn new() -> Self {
        hdf5::neutralise_environment();
        let experiment = Self(TempDir::new().unwrap());
        let classes = ["dark", "light"].map(String::from);
        for (file, part, count) in [("train.h5", Part::Train, 8), ("test.h5", Part::Test, 4)] {
            let labels: Vec<u32> = (0..count).map(|item| item % 2).collect();
            let pixels = (0..count * 12).map(|at| (at % 24 * 8 + count) as u8).collect();
            let examples = Examples::images([2, 2, 3], pixels, labels);
            hdf5::write(&experiment.path(file), part, &examples, &classes).unwrap();
        }
        let config = CONFIG.replace("DIRECTORY", &experiment.path("").display().to_string());
        fs::write(experiment.path("config.toml"), config).unwrap();
        let stop = Box::new(|| Some(Stop::Interrupted));
        let mut run = experiment.plan().start(Some(&experiment.run())).unwrap();
        run.fit(Ui::silent(stop)).unwrap();
        experiment
    }

    /// A path in the place.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The directory of the run.
    pub fn run(&self) -> PathBuf {
        self.path("run")
    }

    /// Everything ready to start or resume.
    pub fn plan(&self) -> Plan {
        let config = RunConfig::read(&self.path("config.toml"), &[]).unwrap();
        Plan::prepare(&config, Some("flex"), None).unwrap()
    }
}
