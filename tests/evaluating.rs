//! `evaluate` on other or moved data.

use std::fs;

use data::{Examples, SplitKind};

use crate::test_dir::{TestDir, coloured};
use crate::training::json;

fn trained() -> TestDir {
    let dir = TestDir::new();
    dir.succeed(&["--config", "tiny.toml", "--set", "training.epochs=30"]);
    dir
}

/// Writes `examples` as the test set of `other.h5`.
fn write_other(dir: &TestDir, examples: &Examples, classes: &[&str]) {
    let classes: Vec<_> = classes.iter().map(|&name| name.to_owned()).collect();
    data_hdf5::write(&dir.path("other.h5"), SplitKind::Test, examples, &classes).unwrap();
}

const OTHER: [&str; 5] = ["evaluate", "runs/tiny", "--json", "--data", "other.h5"];

#[test]
fn classes_of_other_data_are_matched_by_name_and_the_runs_own_scores_stay() {
    let dir = trained();
    let own = dir.read("runs/tiny/evaluation-test.json");
    let mut shuffled = coloured(30);
    // Red, green and blue in another order, beside a class without examples.
    shuffled.labels.iter_mut().for_each(|label| *label = [2, 0, 1][*label as usize]);
    write_other(&dir, &shuffled, &["green", "blue", "red", "violet"]);
    let evaluation = json(&dir.succeed(&OTHER).stdout);
    assert_eq!((&evaluation["count"], &evaluation["accuracy"]), (&30.into(), &1.0.into()));
    assert_eq!((&evaluation["data"], &evaluation["split"]), (&"other.h5".into(), &"test".into()));
    assert_eq!(evaluation["classes"][0]["name"], "red");
    assert_eq!(dir.read("runs/tiny/evaluation-test.json"), own);
    let text = dir.succeed(&["evaluate", "runs/tiny", "--data", "other.h5"]).stdout;
    assert!(text.contains("other.h5, test set: accuracy 100.0 %"), "{text}");
}

#[test]
fn a_class_that_the_model_does_not_know_is_refused_with_its_count() {
    let dir = trained();
    write_other(&dir, &coloured(30), &["red", "lilac", "blue"]);
    let words = ["other.h5", "lilac (10 examples)", "it knows red, green, blue"];
    dir.trainer(&OTHER).refused(1, &words);
}

#[test]
fn a_class_without_examples_in_other_data_does_not_matter() {
    let dir = trained();
    let red: Vec<usize> = (0..30).step_by(3).collect();
    write_other(&dir, &coloured(30).select(&red), &["red", "green"]);
    assert_eq!(json(&dir.succeed(&OTHER).stdout)["count"], 10);
}

#[test]
fn images_of_another_size_are_refused() {
    let dir = trained();
    let images = Examples::images([4, 4, 3], vec![100; 96], vec![0, 1]);
    write_other(&dir, &images, &["red", "green"]);
    let words = ["other.h5 has images of 4x4x3", "trained on images of 6x6x3"];
    dir.trainer(&OTHER).refused(1, &words);
}

#[test]
fn a_file_with_a_training_set_alone_is_evaluated_whole() {
    let dir = trained();
    let args = ["evaluate", "runs/tiny", "--json", "--data", "data/train.h5"];
    let output = dir.succeed(&args);
    assert!(output.stderr.contains("data/train.h5 is what the model was trained on"), "{output:?}");
    let evaluation = json(&output.stdout);
    assert_eq!((&evaluation["split"], &evaluation["count"]), (&"train".into(), &60.into()));
    dir.trainer(&[&args[..], &["--split", "test"]].concat()).refused(1, &["data/train.h5"]);
}

#[test]
fn moved_data_are_named_by_a_config_or_by_an_override() {
    let dir = trained();
    fs::rename(dir.path("data"), dir.path("moved")).unwrap();
    let words = ["data/train.h5 is missing", "--set dataset.hdf5.directory=DIR"];
    dir.trainer(&["evaluate", "runs/tiny"]).refused(1, &words);
    dir.trainer(&["--resume", "runs/tiny"]).refused(1, &words);

    let moved = "dataset.hdf5.directory=moved";
    let config = dir.read("tiny.toml").replace("\"data\"", "\"moved\"");
    dir.write("moved.toml", config);
    for more in [["--set", moved], ["--data", "moved.toml"]] {
        let args = [&["evaluate", "runs/tiny", "--json"][..], &more].concat();
        let evaluation = json(&dir.succeed(&args).stdout);
        assert_eq!((&evaluation["count"], &evaluation["accuracy"]), (&12.into(), &1.0.into()));
        let validation = [&args[..], &["--split", "validation"]].concat();
        let counts = &json(&dir.read("runs/tiny/environment.json"))["data"]["counts"];
        assert_eq!(json(&dir.succeed(&validation).stdout)["count"], counts["validation"]);
    }
    dir.succeed(&["--resume", "runs/tiny", "--set", moved, "--set", "training.epochs=31"]);
    let other = ["evaluate", "runs/tiny", "--set", "training.epochs=3"];
    dir.trainer(&other).refused(2, &["does not change the data", "`dataset` and `split`"]);
}
