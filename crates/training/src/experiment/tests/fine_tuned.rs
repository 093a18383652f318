//! Runs that fine-tune the weights of another run.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::{results, train};
use crate::model::Weights;
use crate::{Outcome, RunConfig};

/// A perceptron of two hidden layers with batch norm and a moving average, trained for 3 epochs of 5 steps.
fn config(overrides: &[&str]) -> RunConfig {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/course2/moons_gd.toml");
    let all = [
        "model.mlp.hidden=[6, 4]",
        "model.mlp.batch_norm=before_activation",
        "optimizer={adamw={learning_rate=0.01}}",
        "training.epochs=3",
        "training.ema.decay=0.9",
    ];
    let all: Vec<String> = all.iter().chain(overrides).map(|key| (*key).to_owned()).collect();
    RunConfig::read(&path, &all).unwrap()
}

/// Trains a run with these settings from the weights of another one. Returns the tensors of its model
/// that differ from those.
fn changed(fine_tuning: &[&str]) -> BTreeSet<String> {
    let temp = TempDir::new().unwrap();
    let [first, second] = ["first", "second"].map(|name| temp.path().join(name));
    train(&first, &config(&["seed=2"]), usize::MAX);
    train(&second, &fine_tuned(&first, fine_tuning), usize::MAX);
    let [first, second] = [first, second].map(|run| weights(&run));
    let (first, second) = (first.values().unwrap(), second.values().unwrap());
    let changed = first.into_iter().filter(|(name, values)| second[name] != *values);
    changed.filter_map(|(name, _)| Some(name.strip_prefix("model.Mlp.")?.to_owned())).collect()
}

fn fine_tuned(from: &Path, fine_tuning: &[&str]) -> RunConfig {
    let init_from = format!("init_from={}", from.display());
    config(&[&[init_from.as_str()], fine_tuning].concat())
}

fn weights(run: &Path) -> Weights {
    Weights::parse(fs::read(run.join("best_model.bpk")).unwrap()).unwrap()
}

fn stages(changed: &BTreeSet<String>) -> BTreeSet<&str> {
    changed.iter().filter_map(|name| name.rsplit_once('.').map(|(stage, _)| stage)).collect()
}

#[test]
fn frozen_stages_keep_the_bits_of_their_weights_and_statistics() {
    let all = ["hidden.0.linear", "hidden.0.norm", "hidden.1.linear", "hidden.1.norm", "output"];
    let cases = [
        (&["fine_tuning.freeze=backbone"][..], &all[4..]),
        (&["fine_tuning.freeze=1"], &all[2..]),
        (&["fine_tuning.freeze=2"], &all[4..]),
        (&["fine_tuning.freeze=backbone", "fine_tuning.unfreeze_after_epochs=2"], &all),
        (&["fine_tuning.layer_decay=0.5"], &all),
    ];
    for (fine_tuning, expected) in cases {
        let changed = changed(fine_tuning);
        assert_eq!(stages(&changed), expected.iter().copied().collect(), "{fine_tuning:?}");
        // The bias of a linear map before a batch norm has no effect.
        let of_norms = changed.iter().filter(|name| name.contains("norm.running")).count();
        assert_eq!(of_norms, 2 * expected.iter().filter(|name| name.contains("norm")).count());
    }
}

/// The features of a frozen backbone are computed once, for `freeze = "backbone"` without dropout. A
/// convolutional network with dropout of a negligible probability computes them in every step.
#[test]
fn features_that_are_kept_are_those_of_every_step() {
    let temp = TempDir::new().unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/signs_cnn.toml");
    let run = |name: &str, overrides: &[String]| {
        let small = [
            "dataset={synthetic={train=40, test=10}}",
            "split.validation_fraction=0.2",
            "model.cnn={channels=[4, 6], hidden=[5]}",
            "augmentation=[]",
            "evaluation.mirrored=false",
            "training.final_fit=false",
            "training.epochs=3",
        ];
        let all: Vec<String> =
            small.iter().map(|&key| key.to_owned()).chain(overrides.iter().cloned()).collect();
        let directory = temp.path().join(name);
        train(&directory, &RunConfig::read(&path, &all).unwrap(), usize::MAX);
        let [metrics, _] = results(&directory);
        (metrics, weights(&directory).sha256().unwrap())
    };
    run("first", &["seed=2".to_owned()]);
    let fine_tuning = [
        format!("init_from={}", temp.path().join("first").display()),
        "fine_tuning.freeze=backbone".to_owned(),
    ];
    let kept = run("kept", &fine_tuning);
    let dropout = ["model.cnn.dropout=1e-300".to_owned()];
    let computed = run("computed", &[&fine_tuning[..], &dropout].concat());
    assert!(kept == computed);
}

#[test]
fn a_resume_before_and_after_the_end_of_the_freeze_changes_no_bit() {
    let temp = TempDir::new().unwrap();
    let [first, whole] = ["first", "whole"].map(|name| temp.path().join(name));
    train(&first, &config(&["seed=2"]), usize::MAX);
    let config = fine_tuned(
        &first,
        &[
            "fine_tuning.freeze=backbone",
            "fine_tuning.unfreeze_after_epochs=1",
            "fine_tuning.layer_decay=0.7",
        ],
    );
    train(&whole, &config, usize::MAX);
    let whole = results(&whole);
    for stop_after in 1..15 {
        let run = temp.path().join(format!("stopped-{stop_after}"));
        assert!(matches!(train(&run, &config, stop_after), Outcome::Stopped(_)));
        train(&run, &config, usize::MAX);
        assert!(results(&run) == whole, "after {stop_after}");
    }
}

#[test]
fn stages_that_do_not_exist_and_a_freeze_of_nothing_are_refused() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/course2/moons_gd.toml");
    let error = |overrides: &[&str]| {
        let overrides: Vec<_> = overrides.iter().map(|&key| key.to_owned()).collect();
        RunConfig::read(&path, &overrides).unwrap_err().to_string()
    };
    let without_weights = error(&["fine_tuning.freeze=1"]);
    assert!(without_weights.contains("set `init_from`"), "{without_weights}");
    let all = error(&["init_from=run", "fine_tuning.freeze=3"]);
    assert!(all.contains("the model has 3 stages"), "{all}");
    let nothing = error(&["init_from=run", "fine_tuning.unfreeze_after_epochs=3"]);
    assert!(nothing.contains("nothing is frozen"), "{nothing}");
    error(&["init_from=run", "fine_tuning.freeze=head"]);
}
