//! Training on every backend of this build.

use std::env;
use std::process::Command;

use crate::test_dir::TestDir;
use crate::training::column;

/// Largest relative difference of a loss from the reference.
const TOLERANCE: f64 = 1e-4;

#[test]
fn the_first_20_losses_of_an_mlp_are_the_same_on_every_backend() {
    let hidden = ["--set", "model.mlp.hidden=[16, 8]"];
    assert_losses("tiny.toml", &hidden, include_str!("first_losses.txt"));
}

#[test]
fn the_first_20_losses_of_convolutions_are_the_same_on_every_backend() {
    assert_losses("cnn.toml", &[], include_str!("first_losses_cnn.txt"));
    assert_losses("resnet.toml", &[], include_str!("first_losses_resnet.txt"));
}

/// Asserts that the losses of the first 20 steps of `config` equal those of `reference`, one per
/// line, on every backend.
fn assert_losses(config: &str, more: &[&str], reference: &str) {
    let dir = TestDir::new();
    let tiny = dir.read("tiny.toml").replace("hidden = [8]\n", "");
    let cnn = "[model.cnn]\nchannels = [16, 5]\nhidden = [7]\n";
    let resnet = "[model.resnet]\nchannels = [16, 14]\nblocks = 1\n";
    for (name, model) in [("cnn.toml", cnn), ("resnet.toml", resnet)] {
        dir.write(name, tiny.replace("[model.mlp]\n", model));
    }
    // One batch per epoch, so that the loss of an epoch is the loss of a step.
    let args = ["--config", config, "--set", "training.batch_size=1000"];
    let args = [&args[..], &["--set", "training.epochs=20"], more].concat();
    let reference: Vec<f64> = reference.lines().map(|line| line.parse().unwrap()).collect();
    for device in dir.devices() {
        dir.succeed(&[&args[..], &["--device", &device, "--run-dir", &device]].concat());
        let losses = column(&dir.read(format!("{device}/metrics.jsonl")), "train_loss");
        println!("{device}: {losses:?}");
        assert_eq!(losses.len(), reference.len());
        for (step, (loss, reference)) in losses.iter().zip(&reference).enumerate() {
            let error = (loss / reference - 1.0).abs();
            assert!(error < TOLERANCE, "{device}, step {step}: {loss}, not {reference}");
        }
    }
}

/// Reading from a graphics card waits for it, which would slow down every step.
#[test]
fn a_graphics_card_is_read_back_once_in_32_steps() {
    let dir = TestDir::new();
    let args = ["--config", "tiny.toml", "--set", "training.batch_size=1"];
    let plain = ["--set", "model.mlp.batch_norm=none", "--set", "training.epochs=2"];
    let args = [&args[..], &plain].concat();
    for device in dir.devices() {
        dir.succeed(&[&args[..], &["--device", &device, "--run-dir", &device]].concat());
        let steps = column(&dir.read(format!("{device}/metrics.jsonl")), "step");
        let log = dir.read(format!("{device}/run.log"));
        let readbacks = log.lines().filter(|line| line.contains("read back")).count();
        let is_processor = ["flex", "ndarray"].contains(&device.as_str());
        let expected = if is_processor { 0 } else { 2 * (steps[0] as usize).div_ceil(32) };
        assert!(steps[0] > 32.0, "{steps:?}");
        assert_eq!(readbacks, expected, "{device}: {steps:?}");
    }
}

/// The checkpoint is written by this build, or by the program in `OTHER_TRAINER`.
#[test]
fn a_checkpoint_written_on_one_backend_resumes_on_another() {
    let dir = TestDir::new();
    let args = ["--config", "tiny.toml", "--run-dir", "run"];
    let other = env::var_os("OTHER_TRAINER");
    let program = other.unwrap_or_else(|| env!("CARGO_BIN_EXE_trainer").into());
    let status = Command::new(program).args(args).current_dir(dir.path("")).status().unwrap();
    assert!(status.success());
    for (number, device) in dir.devices().iter().enumerate() {
        let epochs = format!("training.epochs={}", 6 + 3 * number);
        dir.succeed(&["--resume", "run", "--device", device, "--set", &epochs]);
        let rows = dir.read("run/metrics.jsonl").lines().count();
        assert_eq!(rows, 6 + 3 * number, "{device}");
        dir.succeed(&["evaluate", "run", "--device", device]);
    }
    let losses = column(&dir.read("run/metrics.jsonl"), "train_loss");
    assert!(losses.last() < losses.first(), "{losses:?}");
}
