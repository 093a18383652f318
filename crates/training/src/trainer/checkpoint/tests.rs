use std::{fs, io};

use artifacts::BestEpoch;
use burn::tensor::{Device, Distribution, FloatDType, Tensor};
use data::Statistics;
use models::{CnnConfig, MlpConfig, ModelConfig, NormPosition};
use rustix::io::Errno;
use tempfile::TempDir;

use super::files::{MODEL, OPTIMIZER, STATE, SUMS, is_transient};
use super::*;
use crate::batch::Batch;
use crate::model::{ClassifierConfig, ObjectiveConfig};
use crate::optim::{AdamWConfig, EmaConfig, OptimizerConfig};
use crate::trainer::Optimization;

fn checkpoint(epoch: usize, best: Option<&str>) -> Checkpoint {
    let best = best.map(|checkpoint| BestEpoch {
        epoch: 1,
        checkpoint: checkpoint.to_owned(),
        accuracy: 0.5,
        loss: 1.0,
    });
    let state = TrainingState { epoch, best, ..TrainingState::new("run".to_owned(), 1) };
    Checkpoint {
        state,
        model: vec![epoch as u8; 40],
        weights: Some(vec![3; 10]),
        optimizer: vec![7; 20],
    }
}

fn committed(epochs: &[(usize, Option<&str>)]) -> (TempDir, Checkpoints) {
    let temp = TempDir::new().unwrap();
    let checkpoints = Checkpoints::open(temp.path().join("checkpoints"), "run").unwrap();
    for (epoch, best) in epochs {
        checkpoints.commit(&checkpoint(*epoch, *best)).unwrap();
    }
    (temp, checkpoints)
}

#[test]
fn a_committed_checkpoint_is_read_back() {
    let (_temp, checkpoints) = committed(&[(1, None), (2, None)]);
    let newest = checkpoints.newest().unwrap().unwrap();
    assert_eq!((newest.state.epoch, newest.model), (2, vec![2; 40]));
}

#[test]
fn transient_errors_are_distinguished_from_damage() {
    let error = |errno: Errno| io::Error::from(errno);
    for transient in [Errno::ACCESS, Errno::MFILE, Errno::NOMEM] {
        assert!(is_transient(&error(transient)), "{transient}");
    }
    for permanent in [Errno::NOENT, Errno::IO, Errno::ISDIR, Errno::LOOP] {
        assert!(!is_transient(&error(permanent)), "{permanent}");
    }
}

#[test]
fn every_changed_bit_and_every_truncation_is_detected() {
    let (temp, checkpoints) = committed(&[(1, None)]);
    let name = "epoch-000001-step-000000";
    for file in [MODEL, OPTIMIZER, STATE, SUMS] {
        let path = temp.path().join("checkpoints").join(name).join(file);
        let whole = fs::read(&path).unwrap();
        for position in 0..whole.len() {
            for bit in 0..8 {
                let mut flipped = whole.clone();
                flipped[position] ^= 1 << bit;
                fs::write(&path, flipped).unwrap();
                assert!(checkpoints.load(name).is_err(), "{file}, byte {position}, bit {bit}");
            }
            fs::write(&path, &whole[..position]).unwrap();
            assert!(checkpoints.load(name).is_err(), "{file} cut at {position}");
        }
        fs::write(&path, whole).unwrap();
    }
    assert!(checkpoints.load(name).is_ok());
}

#[test]
fn pruning_keeps_the_last_ones_and_the_best_they_refer_to() {
    let best = Some("epoch-000002-step-000000");
    let (_temp, checkpoints) = committed(&[(1, None), (2, None), (3, best), (4, best)]);
    checkpoints.prune(1).unwrap();
    let expected = ["epoch-000002-step-000000", "epoch-000004-step-000000"];
    assert_eq!(checkpoints.names().unwrap().len(), 2);
    assert_eq!(checkpoints.committed().unwrap(), expected);
}

#[test]
fn only_leftovers_of_an_interrupted_commit_are_removed() {
    let (temp, checkpoints) = committed(&[(1, None)]);
    for name in [".epoch-000002-step-000000", ".removed-epoch-000000-step-000000", ".mine"] {
        fs::create_dir(checkpoints.directory.join(name)).unwrap();
    }
    let checkpoints = Checkpoints::open(temp.path().join("checkpoints"), "run").unwrap();
    let mut names = checkpoints.names().unwrap();
    names.sort();
    assert_eq!(names, [".mine", "epoch-000001-step-000000"]);
}

#[test]
fn a_file_or_link_with_the_name_of_a_checkpoint_is_pruned_and_overwritten() {
    let (_temp, checkpoints) = committed(&[(2, None)]);
    let path = |name: &str| checkpoints.directory.join(name);
    fs::write(path("epoch-000001-step-000000"), "a file").unwrap();
    std::os::unix::fs::symlink("nowhere", path("epoch-000003-step-000000")).unwrap();
    checkpoints.commit(&checkpoint(3, None)).unwrap();
    checkpoints.prune(1).unwrap();
    assert_eq!(checkpoints.names().unwrap(), ["epoch-000003-step-000000"]);
    assert_eq!(checkpoints.newest().unwrap().unwrap().state.epoch, 3);
}

#[test]
fn a_checkpoint_of_another_run_is_skipped_and_named() {
    let (_temp, checkpoints) = committed(&[(1, None)]);
    let mut other = checkpoint(2, None);
    other.state.run = "another".to_owned();
    checkpoints.commit(&other).unwrap();
    assert_eq!(checkpoints.newest().unwrap().unwrap().state.epoch, 1);
    let error = checkpoints.load("epoch-000002-step-000000").unwrap_err().to_string();
    assert!(error.contains("epoch-000002-step-000000 belongs to another run"), "{error}");
}

#[test]
fn checkpoints_committed_before_a_damaged_one_are_kept() {
    let (_temp, checkpoints) = committed(&[(1, None), (2, None), (9, None)]);
    let damaged = checkpoints.directory.join("epoch-000009-step-000000").join(MODEL);
    fs::write(damaged, "damaged").unwrap();
    let newest = checkpoints.newest().unwrap().unwrap();
    assert_eq!(newest.state.epoch, 2);

    checkpoints.set_aside_after(&newest.state).unwrap();
    checkpoints.commit(&checkpoint(3, None)).unwrap();
    checkpoints.prune(1).unwrap();
    assert_eq!(checkpoints.newest().unwrap().unwrap().state.epoch, 3);
}

#[test]
fn an_identical_checkpoint_is_not_written_again() {
    use std::os::unix::fs::MetadataExt;
    let (_temp, checkpoints) = committed(&[(1, None)]);
    let path = checkpoints.directory.join("epoch-000001-step-000000");
    let before = fs::metadata(&path).unwrap().ino();
    checkpoints.commit(&checkpoint(1, None)).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().ino(), before);
}

#[test]
fn a_file_instead_of_the_checkpoint_directory_is_named() {
    let temp = TempDir::new().unwrap();
    let path = temp.path().join("checkpoints");
    fs::write(&path, "a file").unwrap();
    let error = Checkpoints::existing(path.clone(), "run").newest().unwrap_err().to_string();
    assert!(error.contains(&format!("cannot read {}", path.display())), "{error}");
}

/// Weights, average and optimizer before the first step: a perceptron, or a small CNN.
fn optimization(model: ModelConfig) -> Optimization {
    let objective = ObjectiveConfig::default();
    let config = ClassifierConfig {
        model: &model,
        objective: &objective,
        mirrored: false,
        seed: 1,
        shape: [8, 8, 3],
        classes: 2,
    };
    let statistics = Statistics { shift: vec![0.5; 3], scale: vec![2.0; 3] };
    let device = Device::default().autodiff();
    let classifier = config.init(&statistics, FloatDType::F32, &device).unwrap();
    let adam = OptimizerConfig::AdamW(AdamWConfig::default());
    Optimization::new(classifier, adam, None, Some(EmaConfig { decay: 0.9 }), None, false)
}

fn step(optimization: &mut Optimization, step: usize) {
    let device = Device::default().autodiff();
    let inputs = Tensor::random([4, 8, 8, 3], Distribution::Uniform(0.0, 1.0), &device);
    let batch = Batch {
        inputs,
        are_features: false,
        targets: Tensor::from_ints([0, 1, 1, 0], &device),
        soft_targets: None,
        labels: [0, 1, 1, 0].into(),
        dropout: None,
        step_examples: 4,
        weight: 4.0,
        step_weight: 4.0,
    };
    let (_, gradients) = optimization.classifier.forward_backward(&batch);
    optimization.apply_gradients(gradients, 0.1, step);
}

#[test]
fn a_snapshot_written_after_later_steps_holds_the_state_of_its_own() {
    let mlp = MlpConfig { batch_norm: NormPosition::BeforeActivation, ..MlpConfig::default() };
    let cnn = CnnConfig { channels: vec![4, 8], ..CnnConfig::default() };
    for model in [ModelConfig::Mlp(mlp), ModelConfig::Cnn(cnn)] {
        let mut optimization = optimization(model);
        let state = TrainingState::new("run".to_owned(), 1);
        let bytes = |snapshot: Snapshot| {
            let checkpoint = snapshot.into_checkpoint().unwrap();
            [checkpoint.model, checkpoint.weights.unwrap(), checkpoint.optimizer]
        };
        (1..=3).for_each(|number| step(&mut optimization, number));
        let expected = bytes(optimization.snapshot(&state).unwrap());
        let snapshot = optimization.snapshot(&state).unwrap();
        (4..=6).for_each(|number| step(&mut optimization, number));
        assert!(bytes(snapshot) == expected);
        let later = bytes(optimization.snapshot(&state).unwrap());
        assert!(later.iter().zip(&expected).all(|(later, earlier)| later != earlier));
    }
}

fn snapshot(epoch: usize, best: Option<&str>) -> Snapshot {
    Snapshot::Copied(Box::new(checkpoint(epoch, best)))
}

#[test]
fn the_best_epoch_is_committed_before_the_checkpoint_that_refers_to_it() {
    let (_temp, checkpoints) = committed(&[(1, None)]);
    let mut writer = CheckpointWriter::new(checkpoints.clone(), 1);
    let best = Some("epoch-000003-step-000000");
    for epoch in [2, 3] {
        writer.keep_best(snapshot(epoch, best));
    }
    writer.commit(snapshot(5, best), Vec::new()).unwrap();
    // A better one without a checkpoint, which the next commit replaces.
    writer.keep_best(snapshot(6, Some("epoch-000006-step-000000")));
    let best = Some("epoch-000007-step-000000");
    writer.wait().unwrap();
    assert_eq!(
        checkpoints.committed().unwrap(),
        ["epoch-000003-step-000000", "epoch-000005-step-000000"]
    );
    writer.commit(snapshot(7, best), Vec::new()).unwrap();
    writer.wait().unwrap();
    assert_eq!(checkpoints.committed().unwrap(), ["epoch-000007-step-000000"]);
}

#[test]
fn a_commit_that_fails_is_reported_and_leaves_the_last_checkpoint() {
    let (_temp, checkpoints) = committed(&[(1, None)]);
    let mut writer = CheckpointWriter::new(checkpoints.clone(), 1);
    let staged = checkpoints.directory.join(".epoch-000002-step-000000");
    fs::write(&staged, "in the way").unwrap();
    writer.commit(snapshot(2, None), Vec::new()).unwrap();
    assert!(writer.has_checkpoint());
    let error = writer.commit(snapshot(3, None), Vec::new()).unwrap_err().to_string();
    assert!(error.contains(&staged.display().to_string()), "{error}");
    assert_eq!(checkpoints.newest().unwrap().unwrap().state.epoch, 1);
    fs::remove_file(staged).unwrap();
    writer.commit(snapshot(3, None), Vec::new()).unwrap();
    drop(writer);
    assert_eq!(checkpoints.newest().unwrap().unwrap().state.epoch, 3);
}
