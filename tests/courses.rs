//! Features of the course experiments: points, binary tasks, penalties and every optimizer.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use data::Examples;
use data::SplitKind;
use serde_json::Value;

use crate::resuming::{assert_same_bits, stop};
use crate::shipped_configs::root;
use crate::test_dir::{ProgramOutput, TestDir};
use crate::training::{column, json};

/// Two moons and a network that can separate them.
const MOONS: &str = r#"name = "moons"

[dataset.points]
shape = "moons"
train = 300
seed = 3

[input]
normalization = "none"

[model.mlp]
hidden = [8]
activation = "tanh"
batch_norm = "none"

[optimizer.adam]
learning_rate = 1e-2

[training]
epochs = 100
batch_size = 64
report_every_epochs = 10

[training.checkpoint]
every_epochs = 50
"#;

fn moons() -> TestDir {
    let dir = TestDir::new();
    dir.write("moons.toml", MOONS);
    dir
}

fn summary(dir: &TestDir, run: &str) -> Value {
    json(&dir.read(format!("{run}/summary.json")))
}

/// Trains the moons with `sets` into `run`.
fn train(dir: &TestDir, run: &str, sets: &[&str]) {
    let sets: Vec<&str> = sets.iter().flat_map(|set| ["--set", *set]).collect();
    dir.succeed(&[&["--config", "moons.toml", "--run-dir", run], &sets[..]].concat());
}

#[test]
fn points_are_learnt_evaluated_and_plotted() {
    let dir = moons();
    let output = dir.succeed(&["--config", "moons.toml"]);
    assert!(output.stdout.contains("points of 2 features in 2 classes; seed "));
    // One line per ten epochs.
    assert_eq!(output.stdout.matches("\nepoch ").count(), 10, "{}", output.stdout);
    assert_eq!(dir.read("runs/moons/metrics.jsonl").lines().count(), 10);
    let accuracy = summary(&dir, "runs/moons")["test_accuracy"].as_f64().unwrap();
    assert!(accuracy > 0.9, "{accuracy}");

    let text = dir.succeed(&["evaluate", "runs/moons"]).stdout;
    for word in ["of 100", "upper", "lower", "ROC AUC"] {
        assert!(text.contains(word), "no {word} in {text}");
    }
    for plot in ["curves.svg", "boundary.svg", "boundary.json"] {
        assert!(dir.path("runs/moons").join(plot).is_file(), "no {plot}");
    }
}

#[test]
fn the_decision_boundary_of_a_constant_feature_is_plotted() {
    for offset in [3e6_f32, -7.0, 0.0] {
        let dir = moons();
        let value = |at: usize| if at.is_multiple_of(2) { offset } else { (at % 7) as f32 };
        let narrow = Examples::features(2, (0..80).map(value).collect(), [0, 1].repeat(20));
        let classes = ["a", "b"].map(String::from);
        data_hdf5::write(&dir.path("data/narrow.h5"), SplitKind::Train, &narrow, &classes).unwrap();
        let files = "[dataset.hdf5]\ndirectory = \"data\"\ntrain = \"narrow.h5\"\n\n\
                     [split]\ntest_fraction = 0.5\n";
        let points = "[dataset.points]\nshape = \"moons\"\ntrain = 300\nseed = 3\n";
        let text = MOONS.replace(points, files).replace("normalization = \"none\"", "");
        dir.write("narrow.toml", text);
        let output = dir.succeed(&["--config", "narrow.toml"]);
        assert_eq!(output.stderr, "");
        assert!(dir.path("runs/moons/boundary.svg").is_file(), "{offset}");
    }
}

#[test]
fn the_learning_rate_of_momentum_is_the_configured_one() {
    let dir = moons();
    train(&dir, "run", &["optimizer.momentum.learning_rate=0.25", "training.epochs=10"]);
    assert_eq!(column(&dir.read("run/metrics.jsonl"), "learning_rate"), [0.25]);
}

#[test]
fn the_accuracy_of_the_last_epoch_equals_that_of_the_evaluation() {
    // Gradients clipped to almost 0 leave logits whose f32 probabilities are rounded to 0.5.
    let dir = moons();
    let fixed = ["training.gradient_clipping.value=1e-30", "model.mlp.initializer_scale=1e-9"];
    let sets = [&fixed[..], &["model.mlp.initializer=normal", "training.epochs=10"]].concat();
    train(&dir, "run", &sets);
    let reported = column(&dir.read("run/metrics.jsonl"), "train_accuracy");
    assert_eq!(reported, [summary(&dir, "run")["train_accuracy"].as_f64().unwrap()]);
}

#[test]
fn a_run_on_images_has_curves_and_no_boundary() {
    let dir = TestDir::new();
    dir.succeed(&["--config", "tiny.toml"]);
    assert!(dir.path("runs/tiny/curves.svg").is_file());
    assert!(!dir.path("runs/tiny/boundary.json").exists());
}

#[test]
fn a_stopped_run_has_its_plots() {
    let dir = moons();
    let child = dir.start(&["--config", "moons.toml", "--set", "training.epochs=1000000"]);
    let output = stop(&dir, "runs/moons", child, "-INT", Duration::from_millis(200));
    assert_eq!(output.code, Some(130), "{output:#?}");
    assert!(dir.path("runs/moons/curves.svg").is_file());
    assert!(dir.path("runs/moons/boundary.svg").is_file());
}

#[test]
fn predict_rejects_an_image_for_a_model_of_points() {
    let dir = moons();
    train(&dir, "run", &["training.epochs=1"]);
    image::RgbImage::new(4, 4).save(dir.path("a.png")).unwrap();
    let words = ["trained on points of 2 features", "--features"];
    dir.trainer(&["predict", "run", "a.png"]).refused(1, &words);
}

#[test]
fn predict_classifies_points() {
    let dir = moons();
    train(&dir, "run", &[]);
    // The middle of each moon.
    let args = ["predict", "run", "--features", "-0.9,0.4", "--features", "1,-0.5"];
    let lines = dir.succeed(&args).stdout;
    let classes: Vec<_> = lines.lines().map(|line| line.split(' ').nth(1).unwrap()).collect();
    assert_eq!(classes, ["upper", "lower"], "{lines}");
    let predicted = json(&dir.succeed(&[&args[..], &["--json"]].concat()).stdout);
    assert_eq!(predicted["predictions"][0]["input"], "-0.9,0.4");

    let words = ["points of 2 features, and a point has 3", "give 2 numbers separated by commas"];
    dir.trainer(&["predict", "run", "--features", "1,2,3"]).refused(1, &words);
    dir.trainer(&["predict", "run", "--features", "1,two"])
        .refused(2, &["expected finite numbers"]);
    dir.succeed(&["--config", "tiny.toml"]);
    let words = ["was trained on images", "give it image files"];
    dir.trainer(&["predict", "runs/tiny", "--features", "1,2"]).refused(1, &words);
}

#[test]
fn a_binary_task_can_have_two_logits_and_a_sigmoid_head_needs_two_classes() {
    let dir = moons();
    train(&dir, "one", &[]);
    train(&dir, "two", &["objective.head=softmax"]);
    let parameters = |run| summary(&dir, run)["parameters"].as_u64().unwrap();
    // A second logit adds 8 weights and a bias; 4 parameters are the normalisation.
    assert_eq!((parameters("one"), parameters("two")), (33 + 4, 42 + 4));
    for run in ["one", "two"] {
        assert!(summary(&dir, run)["train_accuracy"].as_f64().unwrap() > 0.9, "{run}");
    }
    let args = ["--config", "tiny.toml", "--set", "objective.head=sigmoid"];
    dir.refuses(&args, 2, &["`sigmoid` needs two classes", "the data have 3", "\"softmax\""]);
}

#[test]
fn every_optimizer_resumes_bit_exactly_with_dropout_decay_and_ema() {
    let optimizers = [
        "sgd.learning_rate=0.5",
        "sgd={learning_rate=0.05,momentum=0.9,nesterov=true}",
        "momentum={learning_rate=0.5,beta=0.9}",
        "rmsprop.learning_rate=0.01",
        "adam.learning_rate=0.01",
        "adamw={learning_rate=0.01,weight_decay=0.01}",
    ];
    for optimizer in optimizers {
        let dir = moons();
        let set = format!("optimizer.{optimizer}");
        let decay = "schedule.decay.inverse_time.rate=0.0001";
        let ema = "training.ema.decay=0.9";
        let sets = [&set, "training.epochs=2000", "model.mlp.dropout=[0.1]", decay, ema];
        train(&dir, "whole", &sets);
        let accuracy = summary(&dir, "whole")["train_accuracy"].as_f64().unwrap();
        assert!(accuracy > 0.8, "{optimizer}: {accuracy}");

        let sets = sets.iter().flat_map(|set| ["--set", *set]);
        let args: Vec<_> =
            ["--config", "moons.toml", "--run-dir", "parts"].into_iter().chain(sets).collect();
        stop(&dir, "parts", dir.start(&args), "-TERM", Duration::from_millis(100));
        dir.succeed(&["--resume", "parts"]);
        assert_same_bits(&dir, "parts", "whole");
    }
}

#[test]
fn accumulated_batches_equal_one_large_batch() {
    let dir = moons();
    let sets = ["training.epochs=5", "training.report_every_epochs=1", "objective.l2=0.5"];
    train(&dir, "large", &[&sets[..], &["training.batch_size=128"]].concat());
    let parts = ["training.batch_size=32", "training.accumulation=4"];
    train(&dir, "parts", &[&sets[..], &parts].concat());
    let losses = |run| column(&dir.read(format!("{run}/metrics.jsonl")), "train_loss");
    for (large, parts) in losses("large").iter().zip(losses("parts")) {
        assert!((large / parts - 1.0).abs() < 1e-5, "{large} {parts}");
    }
    assert_eq!(summary(&dir, "large")["steps"], summary(&dir, "parts")["steps"]);
}

#[test]
fn without_a_batch_size_the_whole_training_set_is_one_step() {
    let dir = moons();
    dir.write("batch.toml", MOONS.replace("batch_size = 64\n", ""));
    dir.succeed(&["--config", "batch.toml"]);
    let summary = summary(&dir, "runs/moons");
    assert_eq!(summary["steps"], summary["epochs"]);
}

#[test]
fn clipped_gradients_keep_a_step_small() {
    let dir = moons();
    let large = ["training.epochs=1", "optimizer.sgd.learning_rate=1e4"];
    let clipped = ["training.gradient_clipping.norm=1e-6"];
    train(&dir, "clipped", &[&large[..], &clipped].concat());
    train(&dir, "still", &["training.epochs=1", "optimizer.sgd.learning_rate=1e-9"]);
    let loss = |run| summary(&dir, run)["test_loss"].as_f64().unwrap();
    // Each of the five clipped steps changes the weights by at most 0.01.
    assert!((loss("clipped") - loss("still")).abs() < 0.1);
    train(&dir, "value", &[&large[..], &["training.gradient_clipping.value=1e-6"]].concat());
    assert!((loss("value") - loss("still")).abs() < 0.2);
}

#[test]
fn a_penalty_shrinks_the_weights_and_dropout_is_off_at_evaluation() {
    let dir = moons();
    train(&dir, "free", &[]);
    train(&dir, "penalized", &["objective.l2=100.0"]);
    let loss = |run: &str| summary(&dir, run)["test_loss"].as_f64().unwrap();
    assert!(loss("penalized") > loss("free") + 0.1, "{} {}", loss("penalized"), loss("free"));

    train(&dir, "dropped", &["model.mlp.dropout=[0.5]"]);
    let first = dir.succeed(&["evaluate", "dropped", "--json"]).stdout;
    assert_eq!(first, dir.succeed(&["evaluate", "dropped", "--json"]).stdout);
}

#[test]
fn features_are_read_from_a_training_and_a_test_file() {
    let dir = moons();
    let classes = ["other", "french"].map(String::from);
    let points = |count: usize, seed: usize| {
        let value = |at: usize| ((at * 7919 + seed * 31) % 1000) as f32 / 500.0 - 1.0;
        let features: Vec<f32> = (0..2 * count).map(value).collect();
        let labels = features.chunks(2).map(|point| u32::from(point[0] > point[1])).collect();
        Examples::features(2, features, labels)
    };
    data_hdf5::write(&dir.path("data/a.h5"), SplitKind::Train, &points(200, 1), &classes).unwrap();
    data_hdf5::write(&dir.path("data/b.h5"), SplitKind::Test, &points(50, 2), &classes).unwrap();
    let files = "[dataset.hdf5]\ndirectory = \"data\"\ntrain = \"a.h5\"\ntest = \"b.h5\"\n";
    let points = "[dataset.points]\nshape = \"moons\"\ntrain = 300\nseed = 3\n";
    dir.write("files.toml", MOONS.replace(points, files));
    let output = dir.succeed(&["--config", "files.toml"]);
    assert!(output.stdout.contains("\n200 train, 50 test\n"));
    assert!(summary(&dir, "runs/moons")["test_accuracy"].as_f64().unwrap() > 0.9);
}

#[test]
fn a_test_set_can_be_held_out_of_the_training_file() {
    let dir = TestDir::new();
    let text = crate::test_dir::TINY.replace("test = \"test.h5\"\n", "");
    dir.write("one.toml", text.replace("fraction = 0.2", "fraction = 0.2\ntest_fraction = 0.1"));
    let output = dir.succeed(&["--config", "one.toml"]);
    assert!(output.stdout.contains("42 train, 12 validation, 6 test"), "{}", output.stdout);
    dir.succeed(&["evaluate", "runs/tiny"]);
}

#[test]
fn a_run_of_an_extended_config_needs_neither_config_to_resume() {
    let dir = moons();
    dir.write("small.toml", "extends = \"moons.toml\"\nname = \"small\"\n\n[model.mlp]\nhidden = []\n\n[optimizer.sgd]\nlearning_rate = 0.1\n");
    dir.succeed(&["--config", "small.toml"]);
    let resolved = dir.read("runs/small/config.toml");
    assert!(!resolved.contains("extends") && !resolved.contains("adam"), "{resolved}");
    fs::remove_file(dir.path("moons.toml")).unwrap();
    fs::remove_file(dir.path("small.toml")).unwrap();
    dir.succeed(&["--resume", "runs/small", "--set", "training.epochs=110"]);
    assert!(!dir.read("runs/small/config.toml").contains("adam"));
}

#[test]
fn a_problem_in_a_base_config_is_reported_there() {
    let dir = moons();
    dir.write("base.toml", MOONS.replace("seed = 3", "sead = 3"));
    dir.write("small.toml", "extends = \"base.toml\"\nname = \"small\"\n");
    dir.refuses(&["--config", "small.toml"], 2, &["base.toml:6:1", "`sead`", "`seed`"]);
    dir.write("small.toml", "extends = \"gone.toml\"\nname = \"small\"\n");
    let words = ["small.toml:1:11", "gone.toml", "write its path relative to this file"];
    dir.refuses(&["--config", "small.toml"], 2, &words);
}

/// Training and test accuracy of a shipped config; `environment` sets the directory of its data.
pub fn shipped(config: &str, environment: Option<(&str, PathBuf)>) -> [String; 2] {
    let dir = TestDir::new();
    let config = root().join("configs").join(config);
    let args = ["--config", config.to_str().unwrap(), "--run-dir", "run"];
    let output: ProgramOutput = dir.command(&args).envs(environment).output().unwrap().into();
    assert_eq!(output.code, Some(0), "{output:#?}");
    ["train_accuracy", "test_accuracy"]
        .map(|key| format!("{:.1}", 100.0 * summary(&dir, "run")[key].as_f64().unwrap()))
}

#[test]
fn the_seeds_of_the_courses_reproduce_their_accuracies() {
    // Initial weights and points are those of the notebooks, so that the result is deterministic.
    assert_eq!(shipped("course2/circles_zeros.toml", None), ["50.0", "50.0"]);
    assert_eq!(shipped("course2/circles_large.toml", None), ["83.0", "86.0"]);
    assert_eq!(shipped("course2/circles_he.toml", None), ["99.3", "96.0"]);
}
