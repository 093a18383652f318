use std::fs;

use serde_json::Value;

use data::SplitKind;

use crate::test_dir::{TINY, TestDir, coloured};

/// Values of `key` in each line of a JSON Lines file.
pub fn column(jsonl: &str, key: &str) -> Vec<f64> {
    let value = |line| serde_json::from_str::<Value>(line).unwrap()[key].as_f64().unwrap();
    jsonl.lines().map(value).collect()
}

pub fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn a_run_learns_and_writes_all_its_files() {
    let dir = TestDir::new();
    let output = dir.succeed(&["--config", "tiny.toml", "--set", "training.epochs=30"]);
    assert!(output.stdout.contains("48 train, 12 validation, 12 test"), "{}", output.stdout);
    assert_eq!(output.stdout.lines().filter(|line| line.starts_with("epoch ")).count(), 30);
    assert_eq!(output.stderr, "");

    let expected = [
        "accuracy.svg",
        "best_model.bpk",
        "calibration.svg",
        "checkpoints",
        "config.toml",
        "confusion.svg",
        "curves.svg",
        "environment.json",
        "evaluation-test.json",
        "evaluation-train.json",
        "learning_rate.svg",
        "lock",
        "loss.svg",
        "metrics.csv",
        "metrics.jsonl",
        "report.html",
        "run.log",
        "status.json",
        "summary.json",
        "tensorboard",
        "test_predictions.json",
        "throughput.svg",
        "timings.jsonl",
    ];
    assert_eq!(dir.names("runs/tiny"), expected);
    let losses = column(&dir.read("runs/tiny/metrics.jsonl"), "train_loss");
    assert_eq!(losses.len(), 30);
    assert!(losses[29] < losses[0] / 4.0, "{losses:?}");
    let summary = json(&dir.read("runs/tiny/summary.json"));
    assert_eq!(summary["test_accuracy"], 1.0);
    assert_eq!(summary["synthetic"], false);
    let parameters = format!("{} parameters", summary["parameters"]);
    assert!(output.stdout.contains(&parameters), "no {parameters} in {}", output.stdout);
    let environment = json(&dir.read("runs/tiny/environment.json"));
    assert_eq!(environment["data"]["classes"][2], "blue");
    assert_eq!(environment["data"]["sha256"]["train"].as_str().unwrap().len(), 64);
}

#[test]
fn both_metrics_files_contain_the_same_numbers() {
    let dir = TestDir::new();
    dir.succeed(&["--config", "tiny.toml"]);
    let csv = dir.read("runs/tiny/metrics.csv");
    let mut rows = csv.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let header = rows.next().unwrap();
    let jsonl = dir.read("runs/tiny/metrics.jsonl");
    for (position, name) in header.iter().enumerate() {
        let from_csv: Vec<Option<f64>> =
            rows.clone().map(|row| row[position].parse().ok()).collect();
        let from_jsonl = jsonl.lines().map(|line| json(line)[name].as_f64());
        assert_eq!(from_csv, from_jsonl.collect::<Vec<_>>(), "{name}");
    }
}

#[test]
fn a_second_run_does_not_change_the_first() {
    let dir = TestDir::new();
    dir.succeed(&["--config", "tiny.toml"]);
    let first = fs::read(dir.path("runs/tiny/metrics.jsonl")).unwrap();
    dir.succeed(&["train", "--config", "tiny.toml", "--set", "seed=2"]);
    dir.succeed(&["--config", "tiny.toml", "--run-dir", "elsewhere/mine"]);
    assert_eq!(dir.names("runs"), ["tiny", "tiny-2"]);
    assert_eq!(fs::read(dir.path("runs/tiny/metrics.jsonl")).unwrap(), first);
    assert_ne!(fs::read(dir.path("runs/tiny-2/metrics.jsonl")).unwrap(), first);
    assert_eq!(fs::read(dir.path("elsewhere/mine/metrics.jsonl")).unwrap(), first);
}

#[test]
fn a_run_of_the_saved_config_has_the_same_weights() {
    let dir = TestDir::new();
    let overrides = ["--set", "optimizer.adam.learning_rate=3e-3", "--set", "seed=7"];
    dir.succeed(&[&["--config", "tiny.toml"], &overrides[..]].concat());
    dir.succeed(&["--config", "runs/tiny/config.toml"]);
    assert_eq!(dir.read("runs/tiny/config.toml"), dir.read("runs/tiny-2/config.toml"));
    assert!(dir.read("runs/tiny/config.toml").contains("learning_rate = 0.003"));
    let model = |run: &str| fs::read(dir.path(format!("runs/{run}/best_model.bpk"))).unwrap();
    assert!(model("tiny") == model("tiny-2"), "the weights differ");
}

#[test]
fn the_last_batch_can_be_smaller_and_a_batch_larger_than_the_data() {
    let dir = TestDir::new();
    for batch_size in ["7", "46", "1000"] {
        let batch_size = format!("training.batch_size={batch_size}");
        dir.succeed(&["--config", "tiny.toml", "--set", &batch_size]);
    }
}

#[test]
fn a_batch_of_one_is_rejected_only_with_batch_norm() {
    let dir = TestDir::new();
    for batch_size in ["1", "47"] {
        let batch_size = format!("training.batch_size={batch_size}");
        let args = ["--config", "tiny.toml", "--set", &batch_size];
        dir.trainer(&args).refused(2, &["leave a batch of one", "`training.batch_size`"]);
        dir.succeed(&[&args[..], &["--set", "model.mlp.batch_norm=none"]].concat());
    }
}

#[test]
fn a_validation_file_is_used_and_must_differ_from_the_training_file() {
    let dir = TestDir::new();
    let classes = ["red", "green", "blue"].map(String::from);
    data_hdf5::write(&dir.path("data/own.h5"), SplitKind::Train, &coloured(30), &classes).unwrap();
    let text = TINY.replace("test = ", "validation = \"own.h5\"\ntest = ");
    let text = text.replace("[split]\nvalidation_fraction = 0.2\n", "");
    dir.write("own.toml", &text);
    let output = dir.succeed(&["--config", "own.toml"]);
    assert!(output.stdout.contains("60 train, 30 validation, 12 test"), "{}", output.stdout);

    dir.write("same.toml", text.replace("own.h5", "train.h5"));
    let words = ["the train set", "the validation set", "hold the same examples"];
    dir.trainer(&["--config", "same.toml"]).refused(1, &words);
}

#[test]
fn early_stopping_ends_a_run_that_no_longer_improves() {
    let dir = TestDir::new();
    let args = ["--config", "tiny.toml", "--set", "training.early_stopping.patience=3"];
    dir.succeed(&[&args[..], &["--set", "training.epochs=500"]].concat());
    let summary = json(&dir.read("runs/tiny/summary.json"));
    let best = summary["best"]["epoch"].as_u64().unwrap();
    assert_eq!(summary["epochs"].as_u64(), Some(best + 3));
}

#[test]
fn a_learning_rate_that_diverges_stops_the_run_and_keeps_the_checkpoints() {
    let dir = TestDir::new();
    let args = ["--config", "tiny.toml", "--set", "optimizer.adam.learning_rate=1e30"];
    let output = dir.trainer(&[&args[..], &["--set", "model.mlp.batch_norm=none"]].concat());
    output.refused(1, &["the loss is", "epoch 1, batch", "lower the learning rate"]);
    assert!(!dir.path("runs/tiny/summary.json").exists());
}

#[test]
fn evaluate_prints_scores_and_confusion_as_text_and_as_json() {
    let dir = TestDir::new();
    dir.succeed(&["--config", "tiny.toml", "--set", "training.epochs=30"]);
    let text = dir.succeed(&["evaluate", "runs/tiny"]).stdout;
    insta::assert_snapshot!(text.lines().skip(1).collect::<Vec<_>>().join("\n"));
    for (split, count) in [("train", 48), ("validation", 12), ("test", 12)] {
        let output = dir.succeed(&["evaluate", "runs/tiny", "--split", split, "--json"]);
        let evaluation = json(&output.stdout);
        assert_eq!(evaluation["count"], count);
        let rows = evaluation["confusion"].as_array().unwrap().iter();
        let cells = rows.flat_map(|row| row.as_array().unwrap());
        assert_eq!(cells.map(|cell| cell.as_u64().unwrap()).sum::<u64>(), count);
        assert_eq!(json(&dir.read(format!("runs/tiny/evaluation-{split}.json"))), evaluation);
    }
}

#[test]
fn predict_accepts_images_of_any_size_in_png_and_jpeg() {
    let dir = TestDir::new();
    dir.succeed(&["--config", "tiny.toml", "--set", "training.epochs=30"]);
    let image = |colour| image::RgbImage::from_pixel(40, 31, image::Rgb(colour));
    image([150, 60, 60]).save(dir.path("red.png")).unwrap();
    image([60, 60, 150]).save(dir.path("blue.jpg")).unwrap();

    let text = dir.succeed(&["predict", "runs/tiny", "red.png", "blue.jpg"]).stdout;
    let lines: Vec<_> = text.lines().collect();
    assert!(lines[0].starts_with("red.png: red ("), "{text}");
    assert!(lines[1].starts_with("blue.jpg: blue ("), "{text}");

    let all = json(&dir.succeed(&["predict", "runs/tiny", "red.png", "--json"]).stdout);
    let prediction = &all["predictions"][0];
    assert_eq!(prediction["class"], "red");
    let sum: f64 =
        (0..3).map(|i| prediction["probabilities"][i]["probability"].as_f64().unwrap()).sum();
    assert!((sum - 1.0).abs() < 1e-5);
}

#[test]
fn a_moved_run_directory_still_predicts() {
    let dir = TestDir::new();
    dir.succeed(&["--config", "tiny.toml"]);
    fs::rename(dir.path("runs/tiny"), dir.path("moved")).unwrap();
    fs::remove_dir_all(dir.path("data")).unwrap();
    image::RgbImage::new(5, 5).save(dir.path("black.png")).unwrap();
    dir.succeed(&["predict", "moved", "black.png"]);
}

#[test]
fn closing_stdout_does_not_stop_a_run() {
    let dir = TestDir::new();
    let mut child = dir.start(&["--config", "tiny.toml"]);
    drop(child.stdout.take());
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(0));
    assert!(dir.path("runs/tiny/summary.json").exists());
}

#[test]
fn ui_none_prints_nothing_unless_verbose() {
    let dir = TestDir::new();
    let output = dir.succeed(&["--config", "tiny.toml", "--ui", "none"]);
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("", ""));
    assert!(dir.read("runs/tiny/run.log").contains("epoch done"));
    let output = dir.succeed(&["--config", "tiny.toml", "--ui", "none", "-vv"]);
    assert!(output.stderr.contains("checkpoint committed"), "{}", output.stderr);
}
