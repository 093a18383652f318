//! Steps that are read back later end a run like steps that are read at once.

use std::path::Path;
use std::{env, fs};

use tempfile::TempDir;

use artifacts::RunDir;

use crate::{Experiment, Fault, Faults, Outcome, Run, RunConfig, RunError, Stop, Ui};

/// A run of six epochs of five steps, with an average of the weights.
fn run(temp: &TempDir, readback_interval: usize, more: &[&str]) -> Run {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/course2/moons_gd.toml");
    let mut overrides: Vec<_> = more.iter().map(|&key| key.to_owned()).collect();
    overrides.extend(
        ["training.epochs=6", "training.report_every_epochs=2", "training.ema.decay=0.9"]
            .map(String::from),
    );
    let config = RunConfig::read(&path, &overrides).unwrap();
    let experiment = Experiment::prepare(&config, None, None).unwrap();
    let directory = temp.path().join("run");
    let mut run = if directory.exists() {
        experiment.resume(RunDir::open(&directory).unwrap()).unwrap()
    } else {
        experiment.start_at(&directory).unwrap()
    };
    run.set_readback_interval(readback_interval);
    run
}

fn finish(run: &mut Run) -> Result<Outcome, RunError> {
    run.train(Ui::silent(Box::new(|| None)))
}

/// Metrics and model of a finished run.
fn results(temp: &TempDir) -> [Vec<u8>; 2] {
    ["metrics.jsonl", "best_model.bpk"].map(|name| {
        let path = temp.path().join("run").join(name);
        fs::read(path).unwrap()
    })
}

#[test]
fn the_readback_interval_changes_no_bit() {
    let more = ["optimizer={adam={}}", "training.checkpoint.every_steps=7"];
    let results_with = |readback_interval| {
        let temp = TempDir::new().unwrap();
        finish(&mut run(&temp, readback_interval, &more)).unwrap();
        results(&temp)
    };
    let each = results_with(1);
    assert_eq!(each, results_with(3));
    assert_eq!(each, results_with(32));
}

#[test]
fn a_stop_between_two_readbacks_loses_nothing() {
    let whole = TempDir::new().unwrap();
    finish(&mut run(&whole, 1, &[])).unwrap();
    let temp = TempDir::new().unwrap();
    let mut steps = 0;
    let stop = move || {
        steps += 1;
        (steps == 8).then_some(Stop::Interrupted)
    };
    let stopped = run(&temp, 3, &[]).train(Ui::silent(Box::new(stop))).unwrap();
    assert!(matches!(stopped, Outcome::Stopped(Stop::Interrupted)));
    finish(&mut run(&temp, 3, &[])).unwrap();
    assert_eq!(results(&temp), results(&whole));
}

#[test]
fn a_deferred_step_fails_with_its_own_number_and_tensor() {
    let cases = [
        (
            Fault::Gradient(f32::NAN),
            "the norm of the gradient is NaN",
            "the gradient of `model.Mlp.hidden.0.",
        ),
        (Fault::Input(f32::NAN), "the loss is NaN", "the input of the model"),
        (Fault::Loss(f64::INFINITY), "the loss is inf", "the output of the model"),
    ];
    for (fault, what, tensor) in cases {
        let temp = TempDir::new().unwrap();
        let mut run = run(&temp, 3, &[]);
        run.inject(Faults::one(7, fault));
        let error = finish(&mut run).unwrap_err().to_string();
        let expected = format!(
            "{what} in epoch 2, batch 2 (step 7): the first tensor that is not finite is {tensor}"
        );
        assert!(error.starts_with(&expected), "{error}");
    }
}

#[test]
fn a_rollback_from_a_deferred_step_gives_the_same_bits() {
    let results_with = |readback_interval| {
        let temp = TempDir::new().unwrap();
        let mut run = run(&temp, readback_interval, &["training.on_nan=rollback"]);
        run.inject(Faults::one(12, Fault::Gradient(f32::NAN)));
        finish(&mut run).unwrap();
        results(&temp)
    };
    assert_eq!(results_with(1), results_with(3));
}

#[test]
fn the_error_of_an_earlier_step_takes_precedence() {
    let temp = TempDir::new().unwrap();
    let mut run = run(&temp, 32, &["training.loader.workers=1"]);
    run.inject(Faults([(7, Fault::Loss(f64::NAN)), (8, Fault::Source)].into()));
    let error = finish(&mut run).unwrap_err().to_string();
    assert!(error.contains("(step 7)"), "{error}");
}
