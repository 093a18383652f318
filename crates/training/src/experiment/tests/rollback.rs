//! Runs that meet a number that is not finite.

use std::path::Path;

use crate::{Experiment, Fault, Faults, RunConfig, Ui};

#[test]
fn a_gradient_that_is_not_finite_ends_the_run_and_names_its_tensor() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/course2/moons_gd.toml");
    let adam = "optimizer={adam={}}";
    let cases: [&[&str]; 3] = [&[], &[adam], &[adam, "training.gradient_clipping.value=1.0"]];
    for (overrides, value) in
        cases.iter().flat_map(|&case| [(case, f32::NAN), (case, f32::INFINITY)])
    {
        let mut overrides: Vec<_> = overrides.iter().map(|&key| key.to_owned()).collect();
        overrides.push("training.epochs=3".to_owned());
        let config = RunConfig::read(&path, &overrides).unwrap();
        let directory = tempfile::TempDir::new().unwrap();
        let experiment = Experiment::prepare(&config, None, None).unwrap();
        let mut run = experiment.start_at(&directory.path().join("run")).unwrap();
        run.inject(Faults::one(3, Fault::Gradient(value)));
        let error = run.train(Ui::silent(Box::new(|| None))).unwrap_err().to_string();
        let expected = format!(
            "the norm of the gradient is {value} in epoch 1, batch 3 (step 3): the first tensor that is not finite is the gradient of `model.Mlp.hidden.0."
        );
        assert!(error.starts_with(&expected), "{overrides:?}: {error}");
    }
}

#[test]
fn a_rollback_does_not_hide_other_errors() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/course2/moons_gd.toml");
    let overrides = ["epochs=3", "on_nan=rollback", "loader.workers=1"];
    let overrides = overrides.map(|setting| format!("training.{setting}"));
    let config = RunConfig::read(&path, &overrides).unwrap();
    let directory = tempfile::TempDir::new().unwrap();
    let experiment = Experiment::prepare(&config, None, None).unwrap();
    let mut run = experiment.start_at(&directory.path().join("run")).unwrap();
    run.inject(Faults::one(3, Fault::Source));
    let error = run.train(Ui::silent(Box::new(|| None))).unwrap_err().to_string();
    assert!(error.contains("fault injected into the source"), "{error}");
}
