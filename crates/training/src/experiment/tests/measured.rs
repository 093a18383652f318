//! The measures of steps in the metrics of a run.

use std::path::Path;

use artifacts::EpochMetrics;
use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use super::prepare;
use crate::{Outcome, RunConfig, Ui};

fn config(overrides: &[&str]) -> RunConfig {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/course2/moons_gd.toml");
    let overrides: Vec<_> = overrides.iter().map(|&key| key.to_owned()).collect();
    RunConfig::read(&path, &overrides).unwrap()
}

/// The rows of a new run.
fn rows(config: &RunConfig) -> Vec<EpochMetrics> {
    let temp = tempfile::TempDir::new().unwrap();
    let mut run = prepare(config).start_at(&temp.path().join("run")).unwrap();
    let outcome = run.train(Ui::silent(Box::new(|| None))).unwrap();
    assert!(matches!(outcome, Outcome::Finished(_)));
    EpochMetrics::read_all(run.directory()).unwrap()
}

struct Squares<'a>(&'a GradientsParams, f64);

impl ModuleVisitor for Squares<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Some(gradient) = self.0.get::<D>(param.id) else { return };
        self.1 += gradient.into_data().iter::<f64>().map(|value| value * value).sum::<f64>();
    }
}

#[test]
fn the_gradient_norm_is_that_of_the_whole_gradient_before_clipping() {
    let one_step = ["training.epochs=1", "training.batch_size=1000000"];
    let adam = "optimizer={adam={}}";
    let cases: [&[&str]; 6] = [
        &[],
        &[adam],
        &["optimizer={rmsprop={}}"],
        &[adam, "training.gradient_clipping.value=1e-4"],
        &[adam, "training.gradient_clipping.norm=1e-4"],
        &["device=ndarray", adam],
    ];
    let experiment = prepare(&config(&one_step));
    let classifier = experiment.initial_classifier().unwrap();
    let train = &experiment.data.train;
    let all: Vec<usize> = (0..train.len()).collect();
    let batch = classifier.batch(train, &all, &experiment.autodiff_device()).unwrap();
    let (_, gradients) = classifier.forward_backward(&batch);
    let mut squares = Squares(&gradients, 0.0);
    classifier.visit(&mut squares);
    let expected = squares.1.sqrt();
    for case in cases {
        let rows = rows(&config(&[&one_step, case].concat()));
        let [EpochMetrics { gradient_norm: Some(norm), train_loss, step_losses, .. }] = &rows[..]
        else {
            panic!("{rows:?}")
        };
        assert!((norm / expected - 1.0).abs() < 1e-5, "{case:?}: {norm} {expected}");
        assert_eq!(step_losses, &[*train_loss]);
    }
}

#[test]
fn a_row_has_the_losses_of_all_steps_since_the_last_row() {
    let counts = |report: &str| {
        let rows = rows(&config(&["training.epochs=7", report]));
        rows.iter().map(|row| row.step_losses.len()).collect::<Vec<_>>()
    };
    // Epochs of five steps; the last one is always reported.
    assert_eq!(counts("training.report_every_epochs=2"), [10, 10, 10, 5]);
    assert_eq!(counts("training.report_every_epochs=7"), [35]);
}
