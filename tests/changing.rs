//! Changes of a config on resume, and their warnings.

use crate::resuming::assert_same_bits;
use crate::test_dir::TestDir;

fn trained() -> TestDir {
    let dir = TestDir::new();
    dir.succeed(&["--config", "tiny.toml"]);
    dir
}

/// Arguments that resume the run for two more epochs with `assignments`.
fn resume<'a>(assignments: &[&'a str]) -> Vec<&'a str> {
    let more = ["--resume", "runs/tiny", "--set", "training.epochs=5"];
    more.into_iter()
        .chain(assignments.iter().flat_map(|assignment| ["--set", assignment]))
        .collect()
}

#[test]
fn a_change_that_breaks_reproducibility_is_reported_and_logged() {
    for (assignment, words) in [
        ("optimizer.adam.learning_rate=1e-3", "learning_rate: 0.01 in the run, 0.001 now"),
        ("schedule.warmup_epochs=1", "schedule.warmup_epochs: 0 in the run, 1 now"),
        ("objective.l2=0.5", "objective.l2: 0.0 in the run, 0.5 now"),
        ("objective.label_smoothing=0.1", "objective.label_smoothing: 0.0 in the run, 0.1 now"),
        ("objective.class_weights=balanced", "\"none\" in the run, \"balanced\" now"),
        ("augmentation=[{ crop = 1 }]", "augmentation: absent in the run, [{ crop = 1 }] now"),
        ("training.gradient_clipping.norm=1.0", "norm: absent in the run, 1.0 now"),
        ("training.report_every_epochs=2", "report_every_epochs: 1 in the run, 2 now"),
    ] {
        let dir = trained();
        let output = dir.succeed(&resume(&[assignment]));
        assert!(output.stderr.contains(words), "{assignment}: {}", output.stderr);
        assert!(
            output.stderr.contains("can no longer be reproduced from the config alone"),
            "{}",
            output.stderr
        );
        assert!(dir.read("runs/tiny/run.log").contains(words), "{assignment}");
    }
}

#[test]
fn a_change_without_effect_on_the_results_is_not_reported() {
    let dir = trained();
    let output = dir.succeed(&resume(&[
        "training.checkpoint.keep_last=5",
        "training.early_stopping.patience=100",
        "training.loader.workers=2",
        "reference.source=\"a book\"",
        "reference.train_accuracy=0.5",
    ]));
    assert_eq!(output.stderr, "");
    let planned = ["--config", "tiny.toml", "--set", "training.epochs=5", "--run-dir", "planned"];
    dir.succeed(&planned);
    let metrics = |run: &str| dir.read(format!("{run}/metrics.jsonl"));
    assert_eq!(metrics("runs/tiny"), metrics("planned"));
}

#[test]
fn more_epochs_under_a_cosine_say_what_the_learning_rate_does_and_how_to_keep_its_course() {
    let cosine = ["--set", "schedule.decay.cosine.final_fraction=0.0"];
    let dir = TestDir::new();
    dir.succeed(&[&["--config", "tiny.toml"][..], &cosine].concat());
    let output = dir.succeed(&resume(&[]));
    for words in [
        "the learning rate goes from ",
        "extends over 5 epochs, not 3",
        "`schedule.horizon_epochs = 3`",
        "schedule.horizon_epochs: 3 in the run, 5 now",
    ] {
        assert!(output.stderr.contains(words), "no {words} in {}", output.stderr);
    }

    let dir = TestDir::new();
    dir.succeed(&[&["--config", "tiny.toml"][..], &cosine].concat());
    let horizon = "schedule.horizon_epochs=3";
    assert_eq!(dir.succeed(&resume(&[horizon])).stderr, "");
    let more = ["--set", horizon, "--set", "training.epochs=5", "--run-dir", "planned"];
    dir.succeed(&[&["--config", "tiny.toml"], &cosine[..], &more].concat());
    for file in ["metrics.jsonl", "best_model.bpk"] {
        let read = |run: &str| std::fs::read(dir.path(run).join(file)).unwrap();
        assert!(read("runs/tiny") == read("planned"), "{file} differs");
    }
}

#[test]
fn the_optimizer_cannot_be_changed_on_resume() {
    let dir = trained();
    let sgd = dir.read("tiny.toml").replace("adam", "sgd");
    dir.write("sgd.toml", sgd);
    let args = ["--config", "sgd.toml", "--resume", "runs/tiny", "--set", "training.epochs=5"];
    let words = ["optimizer.adam.beta_1: 0.9 in the run, absent now", "without --resume"];
    dir.trainer(&args).refused(2, &words);
}

#[test]
fn loader_workers_do_not_change_the_results() {
    let dir = TestDir::new();
    dir.succeed(&["--config", "tiny.toml", "--run-dir", "whole"]);
    for workers in ["1", "3"] {
        let workers = format!("training.loader.workers={workers}");
        let args = ["--config", "tiny.toml", "--set", &workers, "--run-dir", &workers];
        dir.succeed(&args);
        assert_same_bits(&dir, &workers, "whole");
    }
}
