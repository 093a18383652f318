use std::fs;
use std::time::Duration;

use data::SplitKind;

use crate::resuming::stop;
use crate::test_dir::{TestDir, coloured};
use crate::training::{column, json};

/// Parts of a page that load another resource, or link to another site.
pub fn external_references(page: &str) -> Vec<&str> {
    let parts = page.split([' ', '\n', '>']);
    let is_reference = |part: &&str| {
        let loads = ["src=\"", "href=\"http", "href=\"//", "url(", "@import"];
        loads.iter().any(|name| part.contains(name)) && !part.contains("=\"data:")
    };
    parts.filter(is_reference).collect()
}

#[test]
fn a_finished_run_has_a_self_contained_report() {
    let dir = TestDir::new();
    let output = dir.succeed(&["--config", "tiny.toml"]);
    assert!(output.stdout.contains("or open runs/tiny/report.html"), "{}", output.stdout);
    assert_eq!(output.stderr, "");
    let page = dir.read("runs/tiny/report.html");
    assert_eq!(external_references(&page), [""; 0]);
    for part in
        ["class=\"confusion\"", "Calibration", "Hardest examples", "A batch as the model sees it"]
    {
        assert!(page.contains(part), "no {part}");
    }
    let environment = json(&dir.read("runs/tiny/environment.json"));
    for value in [&environment["started"], &environment["data"]["sha256"]["test"]] {
        assert!(page.contains(value.as_str().unwrap()), "no {value}");
    }
    let evaluation = json(&dir.read("runs/tiny/evaluation-test.json"));
    let score = format!("{:.1} %", 100.0 * evaluation["accuracy"].as_f64().unwrap());
    assert!(page.contains(&format!("<p class=\"score\">{score}</p>")), "no {score}");
    for plot in ["loss", "accuracy", "learning_rate", "throughput", "confusion", "calibration"] {
        assert!(dir.read(format!("runs/tiny/{plot}.svg")).starts_with("<svg"));
    }
}

#[test]
fn the_test_predictions_match_the_evaluation() {
    let dir = TestDir::new();
    dir.succeed(&["--config", "tiny.toml", "--set", "training.epochs=1"]);
    let predictions = json(&dir.read("runs/tiny/test_predictions.json"));
    let evaluation = json(&dir.read("runs/tiny/evaluation-test.json"));
    let count = |key: &str| predictions[key].as_array().unwrap().len() as u64;
    let total = evaluation["count"].as_u64().unwrap();
    let wrong = ((1.0 - evaluation["accuracy"].as_f64().unwrap()) * total as f64).round() as u64;
    assert_eq!((count("wrong"), count("examples")), (wrong, total));
    for (rank, example) in (0..).zip(predictions["examples"].as_array().unwrap()) {
        let is_mistake = example["top"][0][0] != example["label"];
        assert_eq!(is_mistake, rank < wrong, "{example}");
        assert_eq!(example["saliency"].is_object(), rank < wrong.min(12), "{example}");
        assert!(example["picture"].as_str().unwrap().starts_with("data:image/png;base64,"));
    }
    assert_eq!(count("curves"), 3);
    assert!(predictions["curves"][0]["roc"].as_array().unwrap().len() <= 50);
    assert!(predictions["first_batch"].as_array().unwrap().iter().all(|it| it["label"].is_u64()));
    let bins = predictions["calibration"].as_array().unwrap();
    assert_eq!(bins.iter().map(|bin| bin["count"].as_u64().unwrap()).sum::<u64>(), total);
}

#[test]
fn a_report_can_be_written_again_without_its_data() {
    let dir = TestDir::new();
    dir.succeed(&["--config", "tiny.toml"]);
    let first = dir.read("runs/tiny/report.html");
    fs::remove_file(dir.path("runs/tiny/report.html")).unwrap();
    let output = dir.succeed(&["report", "runs/tiny"]);
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("runs/tiny/report.html\n", ""));
    assert_eq!(dir.read("runs/tiny/report.html"), first);
    fs::remove_dir_all(dir.path("data")).unwrap();
    let output = dir.succeed(&["report", "runs/tiny"]);
    assert!(output.stderr.contains("predictions of an earlier call"), "{}", output.stderr);
    assert_eq!(dir.read("runs/tiny/report.html"), first);
}

#[test]
fn damaged_timings_do_not_prevent_a_report() {
    let dir = TestDir::new();
    dir.succeed(&["--config", "tiny.toml"]);
    let timings = dir.path("runs/tiny/timings.jsonl");
    let mut bytes = vec![0; 40];
    bytes.extend(fs::read(&timings).unwrap());
    bytes.truncate(150);
    bytes.extend(b"\xff\n");
    fs::write(&timings, bytes).unwrap();
    let output = dir.succeed(&["report", "runs/tiny"]);
    assert_eq!(output.stderr, "");
}

#[test]
fn class_names_are_escaped_in_a_report() {
    let dir = TestDir::new();
    let classes = ["<script>alert(1)</script>", "a & b", "\"quoted\""].map(String::from);
    for (file, part, count) in [("train", SplitKind::Train, 60), ("test", SplitKind::Test, 12)] {
        let path = dir.path(format!("data/{file}.h5"));
        fs::remove_file(&path).unwrap();
        data_hdf5::write(&path, part, &coloured(count), &classes).unwrap();
    }
    dir.succeed(&["--config", "tiny.toml"]);
    let page = dir.read("runs/tiny/report.html");
    assert!(
        !page.contains("<script>alert") && page.contains("&lt;script&gt;alert(1)&lt;/script&gt;")
    );
    assert!(page.contains("a &amp; b"));
}

#[test]
fn a_comparison_of_two_runs_shows_scores_curves_and_config_differences() {
    let dir = TestDir::new();
    dir.succeed(&["--config", "tiny.toml"]);
    dir.succeed(&["--config", "tiny.toml", "--set", "optimizer.adam.learning_rate=2e-2"]);
    let output = dir.succeed(&["report", "runs/tiny", "runs/tiny-2"]);
    assert_eq!(output.stdout, "runs/tiny/against-tiny-2.html\n");
    let page = dir.read("runs/tiny/against-tiny-2.html");
    assert_eq!(external_references(&page), [""; 0]);
    let (_, config) = page.rsplit_once("Config differences").unwrap();
    assert!(
        config.contains("<td>optimizer.adam.learning_rate</td><td>0.01</td><td><b>0.02</b></td>")
    );
    assert_eq!(config.matches("<tr>").count(), 2, "a heading and one key: {config}");
    assert!(page.contains("McNemar") && page.contains("Validation loss"));
}

#[test]
fn reports_of_invalid_runs_are_rejected() {
    let dir = TestDir::new();
    dir.trainer(&["report", "data"]).refused(1, &["data", "is not a run directory"]);
    dir.succeed(&["--config", "tiny.toml"]);
    dir.trainer(&["report", "runs/tiny", "runs/none"]).refused(2, &["no run runs/none"]);
    fs::write(dir.path("runs/tiny/test_predictions.json"), "{").unwrap();
    fs::remove_dir_all(dir.path("data")).unwrap();
    dir.trainer(&["report", "runs/tiny"])
        .refused(1, &["test_predictions.json is damaged", "line 1"]);
}

#[test]
fn the_report_of_a_run_on_points_has_the_decision_boundary() {
    let dir = TestDir::new();
    let config = "name = \"moons\"\n[dataset.points]\n[model.mlp]\nhidden = [5]\n[optimizer.adam]\n[training]\nepochs = 2\n";
    dir.write("moons.toml", config);
    let output = dir.succeed(&["--config", "moons.toml"]);
    assert_eq!(output.stderr, "");
    let page = dir.read("runs/moons/report.html");
    assert!(page.contains("Decision boundary") && !page.contains("A batch as"));
}

#[test]
fn lr_find_suggests_a_learning_rate_and_writes_only_the_plot() {
    let dir = TestDir::new();
    let text = dir.succeed(&["lr-find", "--config", "tiny.toml"]).stdout;
    assert!(text.contains("suggested learning rate: "), "{text}");
    assert_eq!(dir.names(""), ["data", "tiny-lr.svg", "tiny.toml"]);
    let output = dir.succeed(&["lr-find", "--config", "tiny.toml", "--plot", "a.b", "--json"]);
    let search = json(&output.stdout);
    let suggestion = search["suggestion"].as_f64().unwrap();
    assert!((1e-6..=1.0).contains(&suggestion), "{suggestion}");
    assert!(dir.path("a.b.svg").is_file());
    // The override can be pasted.
    let set = search["set"].as_str().unwrap();
    assert!(text.contains(&format!("use it: --set {set}")), "{text}");
    dir.succeed(&["config", "show", "tiny.toml", "--set", set]);
    dir.trainer(&["lr-find", "--config", "none.toml"]).refused(2, &["none.toml"]);
}

#[test]
fn images_are_called_augmented_only_if_they_are() {
    let dir = TestDir::new();
    dir.succeed(&["train", "tiny.toml", "--epochs", "1"]);
    assert!(dir.read("runs/tiny/report.html").contains("images of the first epoch.<"));
    let text = dir.read("tiny.toml");
    for (name, augmentation) in
        [("flipped", "[\"flip_horizontal\"]"), ("rotated", "[{ rotate = 10.0 }]")]
    {
        dir.write("more.toml", format!("augmentation = {augmentation}\n{text}"));
        dir.succeed(&["train", "more.toml", "--epochs", "1", "--set", &format!("name={name}")]);
        let page = dir.read(format!("runs/{name}/report.html"));
        assert!(page.contains("images of the first epoch, augmented.<"), "{augmentation}");
    }
}

#[test]
fn the_report_of_an_unfinished_run_says_so_at_the_top() {
    let dir = TestDir::new();
    let args = ["train", "tiny.toml", "--epochs", "100000"];
    let child = dir.start(&args);
    stop(&dir, "runs/tiny", child, "-TERM", Duration::from_millis(500));
    let words = "The run is not finished: it was stopped after";
    dir.succeed(&["report", "tiny"]);
    let page = dir.read("runs/tiny/report.html");
    assert!(page.contains(words) && page.contains("it has not been evaluated"), "{page}");
    dir.succeed(&["evaluate", "tiny"]);
    dir.succeed(&["report", "tiny"]);
    let page = dir.read("runs/tiny/report.html");
    let [notice, score] = [words, "class=\"score\""].map(|text| page.find(text).unwrap());
    assert!(notice < score && page.contains("the score is that of the best model so far"));
}

#[test]
fn the_report_of_many_classes_shows_the_most_frequent_confusions() {
    let dir = TestDir::new();
    let names: Vec<String> = (0..60).map(|class| format!("class-{class}")).collect();
    for (file, part) in [("train", SplitKind::Train), ("test", SplitKind::Test)] {
        let mut examples = coloured(240);
        for (item, label) in examples.labels.iter_mut().enumerate() {
            *label = item as u32 % 60;
        }
        // Different labels, so that classes are confused.
        examples.labels.rotate_left(if part == SplitKind::Test { 1 } else { 0 });
        data_hdf5::write(&dir.path(format!("data/{file}.h5")), part, &examples, &names).unwrap();
    }
    let whole = ["--set", "split.validation_fraction=0"];
    dir.succeed(&[&["train", "tiny.toml", "--epochs", "1"][..], &whole].concat());
    let page = dir.read("runs/tiny/report.html");
    for part in
        ["Most confused pairs", "confusion-matrix", "Scores of the classes", "60: class-0, class-1"]
    {
        assert!(page.contains(part), "no {part}");
    }
    assert!(
        !page.contains("<table class=\"confusion") && !dir.path("runs/tiny/confusion.svg").exists()
    );
    let text = dir.succeed(&["evaluate", "tiny"]).stdout;
    assert!(text.contains("the 20 classes with the lowest F1, of 60"), "{text}");
    assert!(text.lines().count() < 50, "{text}");
}

#[test]
fn the_seconds_of_a_resumed_run_include_those_of_earlier_processes() {
    let dir = TestDir::new();
    let child = dir.start(&["train", "tiny.toml", "--epochs", "100000"]);
    stop(&dir, "runs/tiny", child, "-INT", Duration::from_secs(2));
    let seconds = |file: &str| json(&dir.read(format!("runs/tiny/{file}")))["seconds"].as_f64();
    let earlier = seconds("status.json").unwrap();
    assert!(earlier >= 2.0, "{earlier}");
    let done = dir.read("runs/tiny/metrics.jsonl").lines().count();
    dir.succeed(&["--resume", "tiny", "--epochs", &(done + 1).to_string()]);
    assert!(seconds("summary.json").unwrap() > earlier);
    // The timings of a process that was killed.
    let status = dir.read("runs/tiny/status.json").replace("\"seconds\"", "\"old\"");
    dir.write("runs/tiny/status.json", status);
    dir.succeed(&["--resume", "tiny", "--epochs", &(done + 2).to_string()]);
    let timings = dir.read("runs/tiny/timings.jsonl");
    let rows: Vec<_> = timings.lines().map(json).collect();
    let resumed = rows.iter().filter(|row| row["is_resumed"] == true).map(|row| &row["epoch"]);
    assert_eq!(resumed.collect::<Vec<_>>(), [done + 1, done + 2]);
    for row in &rows {
        let phases = ["load", "forward", "backward", "optimizer"];
        let phases = phases.map(|phase| row["phases"][phase].as_f64().unwrap());
        // A run may have stopped between the last step of an epoch and its validation.
        let has_trained = row["examples"] != 0;
        assert!(phases.iter().all(|seconds| (*seconds > 0.0) == has_trained), "{row}");
        assert!(phases.iter().sum::<f64>() <= row["seconds"].as_f64().unwrap(), "{row}");
    }
    let timings: f64 = column(&timings, "seconds").iter().sum();
    assert!(seconds("summary.json").unwrap() > timings);
}

#[test]
#[cfg(target_os = "linux")]
fn a_run_that_cannot_be_written_shows_its_score_with_a_warning() {
    let dir = TestDir::new();
    dir.succeed(&["train", "tiny.toml", "--epochs", "1"]);
    let shown = dir.succeed(&["evaluate", "tiny"]).stdout;
    // Root may write to a read-only directory, but not replace a directory by a file.
    let file = dir.path("runs/tiny/evaluation-test.json");
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    let output = dir.succeed(&["evaluate", "tiny"]);
    assert_eq!(output.stdout, shown);
    assert!(output.stderr.contains("the scores are not stored in the run"), "{output:#?}");
}
