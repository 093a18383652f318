use std::fs;

use data::SplitKind;

use crate::place::{Place, coloured};
use crate::training::json;

/// What a page would load from elsewhere: there must be none.
pub fn references(page: &str) -> Vec<&str> {
    let parts = page.split([' ', '\n', '>']);
    let loads = |part: &&str| {
        let named = ["src=\"", "href=\"", "url(", "@import"].iter().any(|name| part.contains(name));
        named && !part.contains("=\"data:")
    };
    parts.filter(loads).collect()
}

#[test]
fn a_finished_run_leaves_a_report_that_needs_nothing_beside_it() {
    let place = Place::new();
    let ran = place.succeed(&["--config", "tiny.toml"]);
    assert!(ran.stdout.contains("look at runs/tiny/report.html"), "{}", ran.stdout);
    assert_eq!(ran.stderr, "");
    let page = place.read("runs/tiny/report.html");
    assert_eq!(references(&page), [""; 0]);
    for part in
        ["Confusion matrix", "Calibration", "Hardest examples", "A batch as the model sees it"]
    {
        assert!(page.contains(part), "no {part}");
    }
    let environment = json(&place.read("runs/tiny/environment.json"));
    for fact in [&environment["started"], &environment["data"]["sha256"]["test"]] {
        assert!(page.contains(fact.as_str().unwrap()), "no {fact}");
    }
    let evaluation = json(&place.read("runs/tiny/evaluation-test.json"));
    let score = format!("{:.1} %", 100.0 * evaluation["accuracy"].as_f64().unwrap());
    assert!(page.contains(&format!("<p class=\"score\">{score}</p>")), "no {score}");
    for plot in ["loss", "accuracy", "learning_rate", "throughput", "confusion", "calibration"] {
        assert!(place.read(format!("runs/tiny/{plot}.svg")).starts_with("<svg"));
    }
}

#[test]
fn the_findings_are_those_of_the_evaluation() {
    let place = Place::new();
    place.succeed(&["--config", "tiny.toml", "--set", "training.epochs=1"]);
    let findings = json(&place.read("runs/tiny/findings.json"));
    let evaluation = json(&place.read("runs/tiny/evaluation-test.json"));
    let count = |key: &str| findings[key].as_array().unwrap().len() as u64;
    let total = evaluation["count"].as_u64().unwrap();
    let wrong = ((1.0 - evaluation["accuracy"].as_f64().unwrap()) * total as f64).round() as u64;
    assert_eq!((count("wrong"), count("mistakes")), (wrong, wrong));
    assert_eq!(count("hardest"), total - wrong);
    let bins = findings["calibration"].as_array().unwrap();
    assert_eq!(bins.iter().map(|bin| bin["count"].as_u64().unwrap()).sum::<u64>(), total);
}

#[test]
fn a_report_can_be_drawn_again_and_its_data_may_be_gone() {
    let place = Place::new();
    place.succeed(&["--config", "tiny.toml"]);
    let first = place.read("runs/tiny/report.html");
    fs::remove_file(place.path("runs/tiny/report.html")).unwrap();
    let ran = place.succeed(&["report", "runs/tiny"]);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("runs/tiny/report.html\n", ""));
    assert_eq!(place.read("runs/tiny/report.html"), first);
    fs::remove_dir_all(place.path("data")).unwrap();
    let ran = place.succeed(&["report", "runs/tiny"]);
    assert!(ran.stderr.contains("predictions of an earlier call"), "{}", ran.stderr);
    assert_eq!(place.read("runs/tiny/report.html"), first);
}

#[test]
fn timings_that_a_power_cut_tore_cost_no_report() {
    let place = Place::new();
    place.succeed(&["--config", "tiny.toml"]);
    let timings = place.path("runs/tiny/timings.jsonl");
    let mut bytes = vec![0; 40];
    bytes.extend(fs::read(&timings).unwrap());
    bytes.truncate(150);
    bytes.extend(b"\xff\n");
    fs::write(&timings, bytes).unwrap();
    let ran = place.succeed(&["report", "runs/tiny"]);
    assert_eq!(ran.stderr, "");
}

#[test]
fn names_in_a_report_are_words_not_markup() {
    let place = Place::new();
    let classes = ["<script>alert(1)</script>", "a & b", "\"quoted\""].map(String::from);
    for (file, part, count) in [("train", SplitKind::Train, 60), ("test", SplitKind::Test, 12)] {
        let path = place.path(format!("data/{file}.h5"));
        fs::remove_file(&path).unwrap();
        data_hdf5::write(&path, part, &coloured(count), &classes).unwrap();
    }
    place.succeed(&["--config", "tiny.toml"]);
    let page = place.read("runs/tiny/report.html");
    assert!(!page.contains("<script") && page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(page.contains("a &amp; b"));
}

#[test]
fn two_runs_are_compared_by_their_scores_their_curves_and_their_configs() {
    let place = Place::new();
    place.succeed(&["--config", "tiny.toml"]);
    place.succeed(&["--config", "tiny.toml", "--set", "optimizer.adam.learning_rate=2e-2"]);
    let ran = place.succeed(&["report", "runs/tiny", "--against", "runs/tiny-2"]);
    assert_eq!(ran.stdout, "runs/tiny/against-tiny-2.html\n");
    let page = place.read("runs/tiny/against-tiny-2.html");
    assert_eq!(references(&page), [""; 0]);
    let (_, config) = page.split_once("Config differences").unwrap();
    assert!(config.contains(
        "<td class=\"quiet\">optimizer.adam.learning_rate</td><td>0.01</td><td>0.02</td>"
    ));
    assert_eq!(config.matches("<tr>").count(), 2, "a heading and one key: {config}");
    assert!(page.contains("McNemar") && page.contains("Validation loss"));
}

#[test]
fn what_is_no_run_has_no_report() {
    let place = Place::new();
    place.trainer(&["report", "data"]).refused(1, &["data", "is not a run directory"]);
    place.succeed(&["--config", "tiny.toml"]);
    place.trainer(&["report", "runs/tiny", "--against", "runs/none"]).refused(1, &["runs/none"]);
    fs::write(place.path("runs/tiny/findings.json"), "{").unwrap();
    fs::remove_dir_all(place.path("data")).unwrap();
    place.trainer(&["report", "runs/tiny"]).refused(1, &["findings.json", "line 1"]);
}

#[test]
fn points_have_a_report_with_their_boundary() {
    let place = Place::new();
    let config = "name = \"moons\"\n[dataset.points]\n[model.mlp]\nhidden = [5]\n[optimizer.adam]\n[training]\nepochs = 2\n";
    place.write("moons.toml", config);
    let ran = place.succeed(&["--config", "moons.toml"]);
    assert_eq!(ran.stderr, "");
    let page = place.read("runs/moons/report.html");
    assert!(page.contains("Decision boundary") && !page.contains("A batch as"));
}

#[test]
fn a_learning_rate_is_searched_and_nothing_is_kept_but_the_plot() {
    let place = Place::new();
    let ran = place.succeed(&["lr-find", "--config", "tiny.toml", "--steps", "60"]);
    assert!(ran.stdout.contains("suggested learning rate: "), "{}", ran.stdout);
    assert_eq!(place.names(""), ["data", "tiny-lr.svg", "tiny.toml"]);
    let ran = place.succeed(&["lr-find", "--config", "tiny.toml", "--plot", "a.b", "--json"]);
    let search = json(&ran.stdout);
    let suggestion = search["suggestion"].as_f64().unwrap();
    assert!((1e-6..=1.0).contains(&suggestion), "{suggestion}");
    assert!(place.path("a.b.svg").is_file());
    place.trainer(&["lr-find", "--config", "none.toml"]).refused(2, &["none.toml"]);
}
