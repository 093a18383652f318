//! Data sets without a test set, and without a validation set either.

use crate::test_dir::{TINY, TestDir};
use crate::training::json;

/// A finished run on the training file alone, `runs/tiny`, of which `validation_fraction` is held
/// out; with what the program printed.
fn trained(validation_fraction: &str) -> (TestDir, String, String) {
    let dir = TestDir::new();
    let text = TINY.replace("test = \"test.h5\"\n", "");
    dir.write(
        "tiny.toml",
        text.replace("fraction = 0.2", &format!("fraction = {validation_fraction}")),
    );
    let output = dir.succeed(&["--config", "tiny.toml", "--set", "training.epochs=20"]);
    (dir, output.stdout, output.stderr)
}

#[test]
fn without_a_test_set_every_output_reports_the_validation_score() {
    let (dir, stdout, stderr) = trained("0.2");
    assert!(stdout.contains(" train, ") && stdout.contains(" validation\n"), "{stdout}");
    assert!(stdout.contains(", validation accuracy 100.0 % (no test set)"), "{stdout}");
    assert_eq!(stderr, "");

    let summary = json(&dir.read("runs/tiny/summary.json"));
    assert!(summary["test_accuracy"].is_null() && summary["test_loss"].is_null(), "{summary}");
    assert_eq!(summary["best"]["accuracy"], 1.0);

    let evaluation = json(&dir.succeed(&["evaluate", "runs/tiny", "--json"]).stdout);
    assert_eq!(evaluation["split"], "validation");
    assert_eq!(evaluation["accuracy"], 1.0);
    let words = ["has no test set", "`split.test_fraction`"];
    dir.trainer(&["evaluate", "runs/tiny", "--split", "test"]).refused(1, &words);

    let listed = dir.succeed(&["runs", "list"]).stdout;
    assert!(listed.contains("finished       -     100.0"), "{listed}");
    let shown = dir.succeed(&["runs", "show", "tiny"]).stdout;
    assert!(shown.contains("accuracy    validation 100.0 %, train 100.0 %\n"), "{shown}");
    assert_eq!(dir.succeed(&["runs", "best"]).stdout, "runs/tiny\n");
    assert!(dir.succeed(&["runs", "compare", "tiny", "tiny"]).stdout.contains("valid. %"));

    assert_eq!(json(&dir.read("runs/tiny/test_predictions.json"))["split"], "validation");
    let report = dir.read("runs/tiny/report.html");
    let count = &evaluation["count"];
    let score = format!("validation accuracy: {count} of {count} correct");
    for words in [score.as_str(), "There is no test set", "Validation scores"] {
        assert!(report.contains(words), "no {words}");
    }
    assert!(!report.contains("est accuracy"), "the report names a test accuracy");
    let page = dir.succeed(&["report", "runs/tiny", "runs/tiny"]).stdout;
    assert!(dir.read(page.trim()).contains("<td>validation set, SHA-256 "));
}

#[test]
fn without_a_validation_set_either_the_training_score_is_reported_with_a_warning() {
    let (dir, stdout, stderr) = trained("0.0");
    let words = "train accuracy 100.0 %, which says nothing about new data";
    assert!(stdout.contains(words), "{stdout}");
    assert!(stderr.contains("no test set and no validation set"), "{stderr}");
    let output = dir.succeed(&["evaluate", "runs/tiny"]);
    assert!(output.stdout.contains("train set: accuracy 100.0 %"), "{}", output.stdout);
    assert!(output.stderr.contains("says nothing about new data"), "{}", output.stderr);
    assert!(dir.read("runs/tiny/report.html").contains("says nothing about new data"));
    dir.succeed(&["--config", "tiny.toml"]);
    let best = dir.succeed(&["runs", "best"]);
    assert_eq!(best.stdout, "runs/tiny\n");
    assert!(best.stderr.contains("selected by training accuracy"), "{}", best.stderr);
}

#[test]
fn a_sweep_without_a_test_set_ranks_by_validation() {
    let (dir, ..) = trained("0.2");
    let sweep = "config = \"tiny.toml\"\n[grid]\n\"training.batch_size\" = [8, 16]\n";
    dir.write("sweep.toml", sweep);
    let output = dir.succeed(&["sweep", "sweep.toml"]).stdout;
    assert!(output.contains("best setting selected by validation accuracy"), "{output}");
    assert!(!output.contains("test accuracy"), "{output}");
}

#[test]
fn a_plane_without_test_points_has_a_decision_boundary() {
    let dir = TestDir::new();
    let points: Vec<f32> = (0..80).map(|i| ((i * 37 % 100) as f32 - 50.0) / 50.0).collect();
    let labels: Vec<u32> = points.chunks(2).map(|p| u32::from(p[0] + p[1] > 0.0)).collect();
    let examples = data::Examples::features(2, points, labels);
    let classes = ["no", "yes"].map(String::from);
    data_hdf5::write(&dir.path("data/train.h5"), data::SplitKind::Train, &examples, &classes)
        .unwrap();
    dir.write("tiny.toml", TINY.replace("test = \"test.h5\"\n", ""));
    dir.succeed(&["--config", "tiny.toml"]);
    assert!(dir.path("runs/tiny/boundary.svg").exists());
}
