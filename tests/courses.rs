//! What the experiments of the courses need: features, binary tasks, penalties, every optimiser.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use data::Examples;
use data::SplitKind;
use serde_json::Value;

use crate::place::{Place, Ran};
use crate::resuming::{assert_same_bits, stop};
use crate::shipped_configs::root;
use crate::training::{column, json};

/// Two moons and a network that can tell them apart.
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

fn moons() -> Place {
    let place = Place::new();
    place.write("moons.toml", MOONS);
    place
}

fn summary(place: &Place, run: &str) -> Value {
    json(&place.read(format!("{run}/summary.json")))
}

/// Trains the moons with `sets` into `run`.
fn train(place: &Place, run: &str, sets: &[&str]) {
    let sets: Vec<&str> = sets.iter().flat_map(|set| ["--set", *set]).collect();
    place.succeed(&[&["--config", "moons.toml", "--run-dir", run], &sets[..]].concat());
}

#[test]
fn points_are_learnt_evaluated_and_drawn() {
    let place = moons();
    let ran = place.succeed(&["--config", "moons.toml"]);
    assert!(ran.stdout.contains("points of 2 features in 2 classes; seed "));
    // One line for each tenth epoch.
    assert_eq!(ran.stdout.matches("\nepoch ").count(), 10, "{}", ran.stdout);
    assert_eq!(place.read("runs/moons/metrics.jsonl").lines().count(), 10);
    let accuracy = summary(&place, "runs/moons")["test_accuracy"].as_f64().unwrap();
    assert!(accuracy > 0.9, "{accuracy}");

    let text = place.succeed(&["evaluate", "runs/moons"]).stdout;
    for word in ["of 100", "upper", "lower", "ROC AUC"] {
        assert!(text.contains(word), "no {word} in {text}");
    }
    for picture in ["curves.svg", "boundary.svg", "boundary.json"] {
        assert!(place.path("runs/moons").join(picture).is_file(), "no {picture}");
    }
}

#[test]
fn a_plane_of_a_feature_that_hardly_changes_is_drawn_all_the_same() {
    for offset in [3e6_f32, -7.0, 0.0] {
        let place = moons();
        let value = |at: usize| if at.is_multiple_of(2) { offset } else { (at % 7) as f32 };
        let narrow = Examples::features(2, (0..80).map(value).collect(), [0, 1].repeat(20));
        let classes = ["a", "b"].map(String::from);
        data_hdf5::write(&place.path("data/narrow.h5"), SplitKind::Train, &narrow, &classes)
            .unwrap();
        let files = "[dataset.hdf5]\ndirectory = \"data\"\ntrain = \"narrow.h5\"\n\n\
                     [split]\ntest_fraction = 0.5\n";
        let points = "[dataset.points]\nshape = \"moons\"\ntrain = 300\nseed = 3\n";
        let text = MOONS.replace(points, files).replace("normalization = \"none\"", "");
        place.write("narrow.toml", text);
        let ran = place.succeed(&["--config", "narrow.toml"]);
        assert_eq!(ran.stderr, "");
        assert!(place.path("runs/moons/boundary.svg").is_file(), "{offset}");
    }
}

#[test]
fn the_learning_rate_of_momentum_is_the_configured_one() {
    let place = moons();
    train(&place, "run", &["optimizer.momentum.learning_rate=0.25", "training.epochs=10"]);
    assert_eq!(column(&place.read("run/metrics.jsonl"), "learning_rate"), [0.25]);
}

#[test]
fn what_is_shown_of_the_last_epoch_is_what_evaluation_finds() {
    // Clipped to nothing, the logits stay where f32 probabilities cannot be told from a half.
    let place = moons();
    let still = ["training.gradient_clipping.value=1e-30", "model.mlp.initializer_scale=1e-9"];
    let sets = [&still[..], &["model.mlp.initializer=normal", "training.epochs=10"]].concat();
    train(&place, "run", &sets);
    let shown = column(&place.read("run/metrics.jsonl"), "train_accuracy");
    assert_eq!(shown, [summary(&place, "run")["train_accuracy"].as_f64().unwrap()]);
}

#[test]
fn a_run_on_images_has_curves_and_no_boundary() {
    let place = Place::new();
    place.succeed(&["--config", "tiny.toml"]);
    assert!(place.path("runs/tiny/curves.svg").is_file());
    assert!(!place.path("runs/tiny/boundary.json").exists());
}

#[test]
fn a_stopped_run_has_its_pictures_too() {
    let place = moons();
    let child = place.start(&["--config", "moons.toml", "--set", "training.epochs=1000000"]);
    let ran = stop(&place, "runs/moons", child, "-INT", Duration::from_millis(200));
    assert_eq!(ran.code, Some(130), "{ran:#?}");
    assert!(place.path("runs/moons/curves.svg").is_file());
    assert!(place.path("runs/moons/boundary.svg").is_file());
}

#[test]
fn predict_says_that_points_are_no_images() {
    let place = moons();
    train(&place, "run", &["training.epochs=1"]);
    image::RgbImage::new(4, 4).save(place.path("a.png")).unwrap();
    let words = ["trained on points of 2 features", "--features"];
    place.trainer(&["predict", "run", "a.png"]).refused(1, &words);
}

#[test]
fn predict_classifies_points() {
    let place = moons();
    train(&place, "run", &[]);
    // The middle of either moon, on its far side from the other.
    let args = ["predict", "run", "--features", "-0.9,0.4", "--features", "1,-0.5"];
    let lines = place.succeed(&args).stdout;
    let classes: Vec<_> = lines.lines().map(|line| line.split(' ').nth(1).unwrap()).collect();
    assert_eq!(classes, ["upper", "lower"], "{lines}");
    let predicted = json(&place.succeed(&[&args[..], &["--json"]].concat()).stdout);
    assert_eq!(predicted["predictions"][0]["input"], "-0.9,0.4");

    let words = ["points of 2 features, and a point has 3", "give it 2 numbers"];
    place.trainer(&["predict", "run", "--features", "1,2,3"]).refused(1, &words);
    place.trainer(&["predict", "run", "--features", "1,two"]).refused(2, &["not numbers"]);
    place.succeed(&["--config", "tiny.toml"]);
    let words = ["was trained on images", "PNG or JPEG"];
    place.trainer(&["predict", "runs/tiny", "--features", "1,2"]).refused(1, &words);
}

#[test]
fn a_binary_task_may_have_two_logits_and_others_have_no_sigmoid() {
    let place = moons();
    train(&place, "one", &[]);
    train(&place, "two", &["objective.head=softmax"]);
    let parameters = |run| summary(&place, run)["parameters"].as_u64().unwrap();
    // Eight weights and a bias more; 4 of each are the normalisation.
    assert_eq!((parameters("one"), parameters("two")), (33 + 4, 42 + 4));
    for run in ["one", "two"] {
        assert!(summary(&place, run)["train_accuracy"].as_f64().unwrap() > 0.9, "{run}");
    }
    let args = ["--config", "tiny.toml", "--set", "objective.head=sigmoid"];
    place.refuses(&args, 2, &["tells two classes apart", "the data have 3", "\"softmax\""]);
}

#[test]
fn every_optimiser_resumes_bit_by_bit_with_dropout_decay_and_an_average_of_the_weights() {
    let optimizers = [
        "sgd.learning_rate=0.5",
        "sgd={learning_rate=0.05,momentum=0.9,nesterov=true}",
        "momentum={learning_rate=0.5,beta=0.9}",
        "rmsprop.learning_rate=0.01",
        "adam.learning_rate=0.01",
        "adamw={learning_rate=0.01,weight_decay=0.01}",
    ];
    for optimizer in optimizers {
        let place = moons();
        let set = format!("optimizer.{optimizer}");
        let decay = "schedule.decay.inverse_time.rate=0.0001";
        let average = "training.ema.decay=0.9";
        let sets = [&set, "training.epochs=2000", "model.mlp.dropout=[0.1]", decay, average];
        train(&place, "whole", &sets);
        let accuracy = summary(&place, "whole")["train_accuracy"].as_f64().unwrap();
        assert!(accuracy > 0.8, "{optimizer}: {accuracy}");

        let sets = sets.iter().flat_map(|set| ["--set", *set]);
        let args: Vec<_> =
            ["--config", "moons.toml", "--run-dir", "parts"].into_iter().chain(sets).collect();
        stop(&place, "parts", place.start(&args), "-TERM", Duration::from_millis(100));
        place.succeed(&["--resume", "parts"]);
        assert_same_bits(&place, "parts", "whole");
    }
}

#[test]
fn accumulated_batches_make_the_step_of_one_large_batch() {
    let place = moons();
    let sets = ["training.epochs=5", "training.report_every_epochs=1", "objective.l2=0.5"];
    train(&place, "large", &[&sets[..], &["training.batch_size=128"]].concat());
    let parts = ["training.batch_size=32", "training.accumulation=4"];
    train(&place, "parts", &[&sets[..], &parts].concat());
    let losses = |run| column(&place.read(format!("{run}/metrics.jsonl")), "train_loss");
    for (large, parts) in losses("large").iter().zip(losses("parts")) {
        assert!((large / parts - 1.0).abs() < 1e-5, "{large} {parts}");
    }
    assert_eq!(summary(&place, "large")["steps"], summary(&place, "parts")["steps"]);
}

#[test]
fn without_a_batch_size_the_whole_training_set_is_one_step() {
    let place = moons();
    place.write("batch.toml", MOONS.replace("batch_size = 64\n", ""));
    place.succeed(&["--config", "batch.toml"]);
    let summary = summary(&place, "runs/moons");
    assert_eq!(summary["steps"], summary["epochs"]);
}

#[test]
fn clipped_gradients_keep_a_step_small() {
    let place = moons();
    let wild = ["training.epochs=1", "optimizer.sgd.learning_rate=1e4"];
    let clipped = ["training.gradient_clipping.norm=1e-6"];
    train(&place, "clipped", &[&wild[..], &clipped].concat());
    train(&place, "still", &["training.epochs=1", "optimizer.sgd.learning_rate=1e-9"]);
    let loss = |run| summary(&place, run)["test_loss"].as_f64().unwrap();
    // Five steps of at most 0.01 each, against a step of a thousand times the weights.
    assert!((loss("clipped") - loss("still")).abs() < 0.1);
    train(&place, "value", &[&wild[..], &["training.gradient_clipping.value=1e-6"]].concat());
    assert!((loss("value") - loss("still")).abs() < 0.2);
}

#[test]
fn a_penalty_shrinks_the_weights_and_drop_out_is_off_at_evaluation() {
    let place = moons();
    train(&place, "free", &[]);
    train(&place, "held", &["objective.l2=100.0"]);
    let loss = |run: &str| summary(&place, run)["test_loss"].as_f64().unwrap();
    assert!(loss("held") > loss("free") + 0.1, "{} {}", loss("held"), loss("free"));

    train(&place, "dropped", &["model.mlp.dropout=[0.5]"]);
    let first = place.succeed(&["evaluate", "dropped", "--json"]).stdout;
    assert_eq!(first, place.succeed(&["evaluate", "dropped", "--json"]).stdout);
}

#[test]
fn features_are_read_from_a_file_with_both_parts_of_it() {
    let place = moons();
    let classes = ["other", "french"].map(String::from);
    let points = |count: usize, seed: usize| {
        let value = |at: usize| ((at * 7919 + seed * 31) % 1000) as f32 / 500.0 - 1.0;
        let features: Vec<f32> = (0..2 * count).map(value).collect();
        let labels = features.chunks(2).map(|point| u32::from(point[0] > point[1])).collect();
        Examples::features(2, features, labels)
    };
    data_hdf5::write(&place.path("data/a.h5"), SplitKind::Train, &points(200, 1), &classes)
        .unwrap();
    data_hdf5::write(&place.path("data/b.h5"), SplitKind::Test, &points(50, 2), &classes).unwrap();
    let files = "[dataset.hdf5]\ndirectory = \"data\"\ntrain = \"a.h5\"\ntest = \"b.h5\"\n";
    let points = "[dataset.points]\nshape = \"moons\"\ntrain = 300\nseed = 3\n";
    place.write("files.toml", MOONS.replace(points, files));
    let ran = place.succeed(&["--config", "files.toml"]);
    assert!(ran.stdout.contains("\n200 train, 50 test\n"));
    assert!(summary(&place, "runs/moons")["test_accuracy"].as_f64().unwrap() > 0.9);
}

#[test]
fn a_test_set_may_be_held_out_of_the_training_file() {
    let place = Place::new();
    let text = crate::place::TINY.replace("test = \"test.h5\"\n", "");
    place.write("one.toml", text.replace("fraction = 0.2", "fraction = 0.2\ntest_fraction = 0.1"));
    let ran = place.succeed(&["--config", "one.toml"]);
    assert!(ran.stdout.contains("42 train, 12 validation, 6 test"), "{}", ran.stdout);
    place.succeed(&["evaluate", "runs/tiny"]);
}

#[test]
fn a_config_extends_another_and_the_run_needs_neither() {
    let place = moons();
    place.write("small.toml", "extends = \"moons.toml\"\nname = \"small\"\n\n[model.mlp]\nhidden = []\n\n[optimizer.sgd]\nlearning_rate = 0.1\n");
    place.succeed(&["--config", "small.toml"]);
    let resolved = place.read("runs/small/config.toml");
    assert!(!resolved.contains("extends") && !resolved.contains("adam"), "{resolved}");
    fs::remove_file(place.path("moons.toml")).unwrap();
    fs::remove_file(place.path("small.toml")).unwrap();
    place.succeed(&["--resume", "runs/small", "--set", "training.epochs=110"]);
    assert!(!place.read("runs/small/config.toml").contains("adam"));
}

#[test]
fn a_problem_of_a_base_is_shown_in_the_base() {
    let place = moons();
    place.write("base.toml", MOONS.replace("seed = 3", "sead = 3"));
    place.write("small.toml", "extends = \"base.toml\"\nname = \"small\"\n");
    place.refuses(&["--config", "small.toml"], 2, &["base.toml:6:1", "`sead`", "`seed`"]);
    place.write("small.toml", "extends = \"gone.toml\"\nname = \"small\"\n");
    let words = ["small.toml:1:11", "gone.toml", "write its path relative to this file"];
    place.refuses(&["--config", "small.toml"], 2, &words);
}

/// The accuracies of a shipped config, run as it is shipped with its data in `environment`.
pub fn shipped(config: &str, environment: Option<(&str, PathBuf)>) -> [String; 2] {
    let place = Place::new();
    let config = root().join("configs").join(config);
    let args = ["--config", config.to_str().unwrap(), "--run-dir", "run"];
    let ran: Ran = place.command(&args).envs(environment).output().unwrap().into();
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    ["train_accuracy", "test_accuracy"]
        .map(|part| format!("{:.1}", 100.0 * summary(&place, "run")[part].as_f64().unwrap()))
}

#[test]
fn the_courses_own_seeds_give_the_courses_own_figures() {
    // Weights and points are those of the notebooks, so that nothing is left to luck.
    assert_eq!(shipped("course2/circles_zeros.toml", None), ["50.0", "50.0"]);
    assert_eq!(shipped("course2/circles_large.toml", None), ["83.0", "86.0"]);
    assert_eq!(shipped("course2/circles_he.toml", None), ["99.3", "96.0"]);
}
