//! The choice of the model of a run, and the final fit.

use crate::test_dir::TestDir;
use crate::training::json;

/// Scores of the reported epochs of `runs/tiny`.
fn metrics(dir: &TestDir) -> Vec<serde_json::Value> {
    dir.read("runs/tiny/metrics.jsonl").lines().map(json).collect()
}

#[test]
fn the_model_is_that_of_the_epoch_with_the_best_mean_of_the_metric() {
    let dir = TestDir::new();
    dir.succeed(&[
        "train",
        "tiny.toml",
        "--set",
        "training.epochs=12",
        "--set",
        "optimizer.adam.learning_rate=0.3",
    ]);
    let losses: Vec<f64> =
        metrics(&dir).iter().map(|epoch| epoch["validation_loss"].as_f64().unwrap()).collect();
    let mean = |last: usize| {
        let window = &losses[last.saturating_sub(4)..=last];
        window.iter().sum::<f64>() / window.len() as f64
    };
    let best = (0..losses.len()).min_by(|&one, &other| mean(one).total_cmp(&mean(other))).unwrap();
    let summary = json(&dir.read("runs/tiny/summary.json"));
    assert_eq!(summary["best"]["epoch"], best + 1, "{losses:?}");
}

#[test]
fn the_average_after_the_last_epoch_is_the_model_unless_a_metric_is_named() {
    let dir = TestDir::new();
    let averaged =
        ["train", "tiny.toml", "--set", "training.ema.decay=0.9", "--set", "training.epochs=8"];
    let output = dir.succeed(&averaged).stdout;
    assert!(output.contains(": last epoch, train accuracy"), "{output}");
    let summary = json(&dir.read("runs/tiny/summary.json"));
    assert_eq!(summary["best"]["epoch"], 8);
    assert_eq!(summary["best"]["accuracy"], metrics(&dir)[7]["validation_accuracy"]);

    for metric in ["accuracy", "macro_f1", "balanced_accuracy", "loss"] {
        let metric = format!("training.best_metric={metric}");
        dir.succeed(&[averaged.as_slice(), &["--set", &metric]].concat());
    }
    let last = "training.best_metric=last";
    let patience = "training.early_stopping.patience=2";
    let words = ["training.best_metric", "early stopping needs a metric"];
    dir.trainer(&["train", "tiny.toml", "--set", last, "--set", patience]).refused(2, &words);
    let none = "split.validation_fraction=0.0";
    let words = ["training.best_metric", "only a validation set has this metric"];
    dir.trainer(&["train", "tiny.toml", "--set", "training.best_metric=loss", "--set", none])
        .refused(2, &words);
}

#[test]
fn a_final_fit_trains_on_the_validation_set_too_and_is_the_model_of_the_run() {
    let dir = TestDir::new();
    let output = dir.succeed(&["train", "tiny.toml", "--set", "training.final_fit=true"]).stdout;
    assert!(output.contains("final fit on all 60 examples, 3 epochs; output: runs/tiny/final"));
    let config = dir.read("runs/tiny/final/config.toml");
    for line in ["train_on_validation = true", "epochs = 3", "best_metric = \"last\""] {
        assert!(config.contains(line), "no {line} in {config}");
    }
    let environment = json(&dir.read("runs/tiny/final/environment.json"));
    assert_eq!(environment["data"]["counts"], json(r#"{"train": 60, "test": 12}"#));

    let [first, last] = ["runs/tiny", "runs/tiny/final"]
        .map(|run| json(&dir.read(format!("{run}/evaluation-test.json")))["loss"].clone());
    assert_ne!(first, last);
    let evaluated = json(&dir.succeed(&["evaluate", "runs/tiny", "--json"]).stdout);
    assert_eq!(evaluated["loss"], last);
    let listed = dir.succeed(&["runs", "list"]).stdout;
    assert!(!listed.contains("final"), "{listed}");

    dir.succeed(&["train", "runs/tiny/final/config.toml", "--run-dir", "runs/again"]);
    // Without the temperature, for which the new run has no validation set.
    let model = "checkpoints/epoch-000004-step-000000/model.bpk";
    let model = |run: &str| std::fs::read(dir.path(format!("runs/{run}/{model}"))).unwrap();
    assert_eq!(model("again"), model("tiny/final"));
    let predicted = dir.succeed(&["evaluate", "runs/tiny"]).stdout;
    assert!(predicted.contains("after the temperature "), "{predicted}");

    let again = dir.succeed(&["--resume", "runs/tiny"]).stdout;
    assert!(again.contains("runs/tiny/final is finished"), "{again}");
}

#[test]
fn a_run_that_was_stopped_before_its_final_fit_continues_with_it() {
    let dir = TestDir::new();
    let whole = ["train", "tiny.toml", "--set", "training.final_fit=true"];
    dir.succeed(&[whole.as_slice(), &["--run-dir", "runs/whole"]].concat());
    dir.succeed(&[whole.as_slice(), &["--run-dir", "runs/killed"]].concat());
    let model =
        |run: &str| std::fs::read(dir.path(format!("runs/{run}/final/best_model.bpk"))).unwrap();
    // As if the process had been killed between the fits, or right after it made the directory.
    for leave_directory in [false, true] {
        std::fs::remove_dir_all(dir.path("runs/killed/final")).unwrap();
        if leave_directory {
            std::fs::create_dir(dir.path("runs/killed/final")).unwrap();
        }
        dir.succeed(&["--resume", "runs/killed"]);
        assert_eq!(model("killed"), model("whole"));
    }
}

#[test]
fn a_final_fit_needs_a_validation_set() {
    let dir = TestDir::new();
    let set = ["--set", "training.final_fit=true", "--set", "split.validation_fraction=0.0"];
    let words = ["training.final_fit", "without a validation set the first fit is the final one"];
    dir.trainer(&[["train", "tiny.toml"].as_slice(), &set].concat()).refused(2, &words);
}
