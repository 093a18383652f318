//! The checkpoints that a run leaves.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::prepare;
use crate::config::CheckpointConfig;
use crate::optim::{AdamConfig, OptimizerConfig};
use crate::{RunConfig, Ui};

/// All files of the checkpoints that a finished run leaves, by checkpoint and name.
fn files(
    readback_interval: usize,
    checkpoint: CheckpointConfig,
    more: &str,
) -> BTreeMap<String, Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/course2/moons_gd.toml");
    let overrides = ["epochs=6", "report_every_epochs=1", "ema.decay=0.9", more];
    let overrides = overrides.map(|setting| format!("training.{setting}"));
    let mut config = RunConfig::read(&path, &overrides).unwrap();
    config.optimizer = OptimizerConfig::Adam(AdamConfig::default());
    config.training.checkpoint = checkpoint;
    let temp = tempfile::TempDir::new().unwrap();
    let mut run = prepare(&config).start_at(&temp.path().join("run")).unwrap();
    run.set_readback_interval(readback_interval);
    run.train(Ui::silent(Box::new(|| None))).unwrap();
    let checkpoints = fs::read_dir(run.directory().checkpoints()).unwrap();
    let files = checkpoints.flat_map(|directory| fs::read_dir(directory.unwrap().path()).unwrap());
    files
        .map(|file| {
            let path = file.unwrap().path();
            let mut names = path.components().rev().map(|name| name.as_os_str().display());
            let (name, checkpoint) = (names.next().unwrap(), names.next().unwrap());
            (format!("{checkpoint}/{name}"), fs::read(&path).unwrap())
        })
        .collect()
}

/// The names of the checkpoints.
fn names(files: &BTreeMap<String, Vec<u8>>) -> Vec<&str> {
    files.keys().filter_map(|name| name.strip_suffix("/state.json")).collect()
}

#[test]
fn tensors_that_are_written_while_the_run_goes_on_have_the_bits_of_copies() {
    let every_step =
        CheckpointConfig { every_steps: Some(1), keep_last: 100, ..Default::default() };
    let [shared, copied] =
        [1, 3].map(|interval| files(interval, every_step.clone(), "on_nan=stop"));
    assert!(names(&shared).len() > 25, "{:?}", names(&shared));
    // The others hold the identity of the run.
    let [shared, copied] =
        [&shared, &copied].map(|files| files.iter().filter(|(name, _)| name.ends_with(".bpk")));
    assert!(shared.eq(copied));
}

#[test]
fn short_epochs_share_a_checkpoint_unless_the_config_says_how_many_there_are() {
    let (last, two) = (
        ["epoch-000007-step-000000"].as_slice(),
        ["epoch-000006-step-000000", "epoch-000007-step-000000"].as_slice(),
    );
    let default = CheckpointConfig::default();
    let always = CheckpointConfig { min_interval: 0.0, ..default.clone() };
    let epochs = CheckpointConfig { every_epochs: Some(1), ..default.clone() };
    for (checkpoint, more, expected) in [
        (default.clone(), "on_nan=stop", last),
        (always, "on_nan=stop", two),
        (epochs, "on_nan=stop", two),
        (default, "on_nan=rollback", two),
    ] {
        let files = files(1, checkpoint.clone(), more);
        assert_eq!(names(&files), expected, "{checkpoint:?} {more}");
    }
}
