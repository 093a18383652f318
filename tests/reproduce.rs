//! `trainer reproduce`: experiments over several seeds, compared with their reference scores.

use std::fs;
use std::time::Duration;

use crate::resuming::stop;
use crate::test_dir::TestDir;
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

/// Creates a directory with `configs/one/easy.toml`, whose reference is reachable, and
/// `configs/hard.toml`, whose reference is not.
fn test_dir() -> TestDir {
    let dir = TestDir::new();
    fs::create_dir_all(dir.path("configs/one")).unwrap();
    dir.write("configs/one/easy.toml", experiment("easy", 0.8, 0.75));
    dir.write("configs/hard.toml", experiment("hard", 0.8, 1.0));
    let plain = experiment("plain", 0.0, 0.0);
    dir.write("configs/plain.toml", plain.split("[reference]").next().unwrap());
    dir
}

#[test]
fn scores_are_printed_and_saved_beside_the_reference() {
    let dir = test_dir();
    let output = dir.succeed(&["reproduce", "easy", "--seeds", "3"]);
    for word in ["[3 of 3", "easy-seed-2: train ", "easy", "80.0  75.0", "runs/reproduce/table.md"]
    {
        assert!(output.stdout.contains(word), "no {word:?} in {}", output.stdout);
    }
    assert!(dir.read("runs/reproduce/table.md").contains("| easy | 80.0 / 75.0 |"));
    let rows = &json(&dir.read("runs/reproduce/table.json"))["rows"];
    let train = rows[0]["train_accuracy"]["all"].as_array().unwrap();
    assert_eq!(train.len(), 3);
    assert!(train.windows(2).all(|pair| pair[0].as_f64() <= pair[1].as_f64()));
    assert_eq!(rows[0]["train_accuracy"]["median"], train[1]);
    // The experiment's own seed, then others.
    for seed in [7, 1, 2] {
        let run = format!("runs/reproduce/easy-seed-{seed}");
        assert!(dir.path(&run).join("boundary.svg").is_file());
        assert!(dir.read(format!("{run}/config.toml")).contains(&format!("seed = {seed}\n")));
    }
}

#[test]
fn a_score_below_the_reference_is_marked_and_sets_the_exit_code() {
    let dir = test_dir();
    let output = dir.trainer(&["reproduce", "--seeds", "1"]);
    assert_eq!(output.code, Some(1), "{output:#?}");
    assert!(output.stdout.contains("! hard: test accuracy is "), "{}", output.stdout);
    assert!(output.stdout.contains("points below the reference, 2.0 allowed"), "{}", output.stdout);
    assert!(!output.stdout.contains("! easy"), "{}", output.stdout);
    assert!(!output.stdout.contains("plain"), "without a reference: {}", output.stdout);
}

#[test]
fn a_course_is_named_by_its_directory() {
    let dir = test_dir();
    let output = dir.succeed(&["reproduce", "one", "--seeds", "1", "--out", "here"]);
    assert!(output.stdout.contains("[1 of 1"), "{}", output.stdout);
    assert!(dir.path("here/easy-seed-7/summary.json").is_file());
}

#[test]
fn an_unknown_experiment_is_rejected_with_the_known_ones() {
    let dir = test_dir();
    dir.refuses(&["reproduce", "esay"], 2, &["`esay`", "choose from hard, easy"]);
    let words = ["cannot read the configs in", "nowhere", "name them with --configs"];
    dir.refuses(&["reproduce", "--configs", "nowhere"], 2, &words);
    let words = ["cannot continue in gone", "name the directory of an earlier"];
    dir.refuses(&["reproduce", "--resume", "gone"], 2, &words);
    let words = ["unknown device `abacus`", "use flex, ndarray"];
    dir.refuses(&["reproduce", "easy", "--device", "abacus"], 2, &words);
    fs::create_dir(dir.path("existing")).unwrap();
    dir.refuses(&["reproduce", "--out", "existing"], 2, &["existing exists", "--out"]);
}

#[test]
fn a_run_that_fails_is_reported_and_does_not_stop_the_others() {
    let dir = test_dir();
    let broken = experiment("broken", 0.8, 0.8).replace(
        "[dataset.points]\nshape = \"moons\"\ntrain = 200",
        "[dataset.hdf5]\ndirectory = \"gone\"\ntrain = \"a.h5\"\ntest = \"a.h5\"",
    );
    dir.write("configs/broken.toml", broken);
    let output = dir.trainer(&["reproduce", "broken", "easy", "--seeds", "1"]);
    assert_eq!(output.code, Some(1), "{output:#?}");
    assert!(output.stdout.contains("! broken: the data file"), "{}", output.stdout);
    assert!(output.stdout.contains("easy-seed-7: train"), "{}", output.stdout);
}

#[test]
fn a_reference_gradient_difference_runs_a_gradient_check() {
    let dir = test_dir();
    let config = experiment("gradients", 0.0, 0.0);
    let config = config.split("train_accuracy = ").next().unwrap().to_owned();
    dir.write("configs/gradients.toml", config + "gradient_difference = 2e-7\n");
    let output = dir.succeed(&["reproduce", "gradients", "--seeds", "2"]);
    assert!(output.stdout.contains("gradient difference below 2e-7: "), "{}", output.stdout);
    assert!(!dir.path("runs/reproduce/gradients-seed-7").exists());
}

#[test]
fn stopped_runs_continue_and_finished_runs_are_not_repeated() {
    let dir = test_dir();
    let args = ["reproduce", "easy", "--seeds", "3", "--jobs", "1", "--out", "all"];
    let long = [&args[..], &["--set", "training.epochs=20000"]].concat();
    let output = stop(&dir, "all/easy-seed-1", dir.start(&long), "-INT", Duration::from_millis(50));
    assert_eq!(output.code, Some(130), "{output:#?}");
    assert!(
        output.stdout.contains("continue: trainer reproduce --resume all"),
        "{}",
        output.stdout
    );
    let first = dir.read("all/easy-seed-7/summary.json");
    // As if the process had died before the first checkpoint.
    fs::create_dir_all(dir.path("all/easy-seed-2")).unwrap();
    dir.succeed(&["reproduce", "--resume", "all"]);
    assert_eq!(dir.read("all/easy-seed-7/summary.json"), first);
    for seed in [1, 2] {
        let summary = json(&dir.read(format!("all/easy-seed-{seed}/summary.json")));
        assert_eq!(summary["epochs"], 20000);
    }
}

#[test]
fn two_experiments_with_the_same_name_are_rejected() {
    let dir = test_dir();
    let words = ["are both called `same`", "a `name` of its own"];
    dir.refuses(&["reproduce", "--set", "name=same"], 2, &words);
}

#[test]
fn overrides_apply_to_the_named_experiments_only() {
    let dir = test_dir();
    let deep = experiment("deep", 0.5, 0.5).replace("[4]", "[4, 4]");
    dir.write("configs/deep.toml", deep);
    let args = ["reproduce", "deep", "--seeds", "1", "--set", "model.mlp.dropout=[0.1, 0.1]"];
    dir.succeed(&args);
    let all = ["reproduce", "--seeds", "1", "--set", "model.mlp.dropout=[0.1, 0.1]"];
    dir.refuses(&all, 2, &["hard.toml: ", "2 probabilities for 1 hidden"]);
}
