//! `trainer reproduce`: experiments over several seeds, compared with their reference scores.

use std::fs;
use std::time::Duration;

use crate::place::Place;
use crate::resuming::stop;
use crate::training::json;

/// An experiment on two moons with the reference scores `train` and `test`.
fn experiment(name: &str, train: f64, test: f64) -> String {
    format!(
        r#"name = "{name}"
seed = 7

[dataset.points]
shape = "moons"
train = 200

[input]
normalization = "none"

[model.mlp]
hidden = [4]
activation = "tanh"
batch_norm = "none"

[optimizer.adam]
learning_rate = 1e-2

[training]
epochs = 200
report_every_epochs = 50

[training.checkpoint]
every_epochs = 100

[reference]
source = "a test"
train_accuracy = {train}
test_accuracy = {test}
"#
    )
}

/// A directory with `configs/one/easy.toml`, whose reference is reachable, and
/// `configs/hard.toml`, whose reference is not.
fn place() -> Place {
    let place = Place::new();
    fs::create_dir_all(place.path("configs/one")).unwrap();
    place.write("configs/one/easy.toml", experiment("easy", 0.8, 0.75));
    place.write("configs/hard.toml", experiment("hard", 0.8, 1.0));
    let plain = experiment("plain", 0.0, 0.0);
    place.write("configs/plain.toml", plain.split("[reference]").next().unwrap());
    place
}

#[test]
fn scores_are_printed_and_saved_beside_the_reference() {
    let place = place();
    let ran = place.succeed(&["reproduce", "easy", "--seeds", "3"]);
    for word in ["[3 of 3", "easy-seed-2: train ", "easy", "80.0  75.0", "runs/reproduce/table.md"]
    {
        assert!(ran.stdout.contains(word), "no {word:?} in {}", ran.stdout);
    }
    assert!(place.read("runs/reproduce/table.md").contains("| easy | 80.0 / 75.0 |"));
    let rows = &json(&place.read("runs/reproduce/table.json"))["rows"];
    let train = rows[0]["train_accuracy"]["all"].as_array().unwrap();
    assert_eq!(train.len(), 3);
    assert!(train.windows(2).all(|pair| pair[0].as_f64() <= pair[1].as_f64()));
    assert_eq!(rows[0]["train_accuracy"]["median"], train[1]);
    // The experiment's own seed, then others.
    for seed in [7, 1, 2] {
        let run = format!("runs/reproduce/easy-seed-{seed}");
        assert!(place.path(&run).join("boundary.svg").is_file());
        assert!(place.read(format!("{run}/config.toml")).contains(&format!("seed = {seed}\n")));
    }
}

#[test]
fn a_score_below_the_reference_is_marked_and_sets_the_exit_code() {
    let place = place();
    let ran = place.trainer(&["reproduce", "--seeds", "1"]);
    assert_eq!(ran.code, Some(1), "{ran:#?}");
    assert!(ran.stdout.contains("! hard: test accuracy is "), "{}", ran.stdout);
    assert!(ran.stdout.contains("points below the reference, 2.0 allowed"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("! easy"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("plain"), "without a reference: {}", ran.stdout);
}

#[test]
fn a_course_is_named_by_its_directory() {
    let place = place();
    let ran = place.succeed(&["reproduce", "one", "--seeds", "1", "--out", "here"]);
    assert!(ran.stdout.contains("[1 of 1"), "{}", ran.stdout);
    assert!(place.path("here/easy-seed-7/summary.json").is_file());
}

#[test]
fn an_unknown_experiment_is_rejected_with_the_known_ones() {
    let place = place();
    place.refuses(&["reproduce", "esay"], 2, &["`esay`", "choose from hard, easy"]);
    let words = ["cannot read the configs in", "nowhere", "name them with --configs"];
    place.refuses(&["reproduce", "--configs", "nowhere"], 2, &words);
    let words = ["cannot continue in gone", "name the directory of an earlier"];
    place.refuses(&["reproduce", "--resume", "gone"], 2, &words);
    let words = ["no device called `abacus`", "trainer devices"];
    place.refuses(&["reproduce", "easy", "--device", "abacus"], 2, &words);
    fs::create_dir(place.path("taken")).unwrap();
    place.refuses(&["reproduce", "--out", "taken"], 2, &["taken exists", "--out"]);
}

#[test]
fn a_run_that_fails_is_reported_and_does_not_stop_the_others() {
    let place = place();
    let broken = experiment("broken", 0.8, 0.8).replace(
        "[dataset.points]\nshape = \"moons\"\ntrain = 200",
        "[dataset.hdf5]\ndirectory = \"gone\"\ntrain = \"a.h5\"\ntest = \"a.h5\"",
    );
    place.write("configs/broken.toml", broken);
    let ran = place.trainer(&["reproduce", "broken", "easy", "--seeds", "1"]);
    assert_eq!(ran.code, Some(1), "{ran:#?}");
    assert!(ran.stdout.contains("! broken: the data file"), "{}", ran.stdout);
    assert!(ran.stdout.contains("easy-seed-7: train"), "{}", ran.stdout);
}

#[test]
fn gradients_are_checked_where_that_is_the_reference() {
    let place = place();
    let config = experiment("gradients", 0.0, 0.0);
    let config = config.split("train_accuracy = ").next().unwrap().to_owned();
    place.write("configs/gradients.toml", config + "gradient_difference = 2e-7\n");
    let ran = place.succeed(&["reproduce", "gradients", "--seeds", "2"]);
    assert!(ran.stdout.contains("gradient difference below 2e-7: "), "{}", ran.stdout);
    assert!(!place.path("runs/reproduce/gradients-seed-7").exists());
}

#[test]
fn stopped_runs_continue_and_finished_runs_are_not_repeated() {
    let place = place();
    let args = ["reproduce", "easy", "--seeds", "3", "--jobs", "1", "--out", "all"];
    let long = [&args[..], &["--set", "training.epochs=20000"]].concat();
    let ran =
        stop(&place, "all/easy-seed-1", place.start(&long), "-INT", Duration::from_millis(50));
    assert_eq!(ran.code, Some(130), "{ran:#?}");
    assert!(ran.stdout.contains("continue: trainer reproduce --resume all"), "{}", ran.stdout);
    let first = place.read("all/easy-seed-7/summary.json");
    // As if the process had died before the first checkpoint.
    fs::create_dir_all(place.path("all/easy-seed-2")).unwrap();
    place.succeed(&["reproduce", "--resume", "all"]);
    assert_eq!(place.read("all/easy-seed-7/summary.json"), first);
    for seed in [1, 2] {
        let summary = json(&place.read(format!("all/easy-seed-{seed}/summary.json")));
        assert_eq!(summary["epochs"], 20000);
    }
}

#[test]
fn two_experiments_with_the_same_name_are_rejected() {
    let place = place();
    let words = ["are both called `same`", "a `name` of its own"];
    place.refuses(&["reproduce", "--set", "name=same"], 2, &words);
}

#[test]
fn overrides_apply_to_the_named_experiments_only() {
    let place = place();
    let deep = experiment("deep", 0.5, 0.5).replace("[4]", "[4, 4]");
    place.write("configs/deep.toml", deep);
    let args = ["reproduce", "deep", "--seeds", "1", "--set", "model.mlp.dropout=[0.1, 0.1]"];
    place.succeed(&args);
    let all = ["reproduce", "--seeds", "1", "--set", "model.mlp.dropout=[0.1, 0.1]"];
    place.refuses(&all, 2, &["hard.toml: ", "2 probabilities for 1 hidden"]);
}
