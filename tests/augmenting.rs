//! Training images that are changed at random, losses that are smoothed and weighted.

use std::fs;

use crate::place::Place;
use crate::resuming::assert_same_bits;

/// Changes of every kind.
const LIST: &str = r#"augmentation=["flip_horizontal", { rotate = 20 }, { scale = [0.9, 1.1] }, { translate = 0.1 }, { brightness = 0.2 }, { contrast = 0.2 }, { hue = 10 }, { cutout = 2 }, { mixup = 0.4 }]"#;

const OBJECTIVE: [&str; 2] = ["objective.label_smoothing=0.1", "objective.class_weights=balanced"];

/// The arguments of a run of six epochs in `run` under `LIST` and `more`.
fn train<'a>(run: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let sets = [LIST, "training.accumulation=2"].into_iter().chain(OBJECTIVE);
    let sets = sets.chain(more.iter().copied()).flat_map(|set| ["--set", set]);
    ["--config", "tiny.toml", "--run-dir", run].into_iter().chain(sets).collect()
}

#[test]
fn workers_and_resumes_change_no_bit_of_a_run_on_changed_images() {
    let place = Place::new();
    place.succeed(&train("whole", &["training.epochs=6"]));
    for workers in ["training.loader.workers=1", "training.loader.workers=3"] {
        place.succeed(&train("workers", &["training.epochs=6", workers]));
        assert_same_bits(&place, "workers", "whole");
        fs::remove_dir_all(place.path("workers")).unwrap();
    }
    place.succeed(&train("resumed", &["training.epochs=3"]));
    place.succeed(&["--resume", "resumed", "--set", "training.epochs=6"]);
    // The model of the best epoch may be that of either part.
    let metrics = |run: &str| place.read(format!("{run}/metrics.jsonl"));
    assert_eq!(metrics("resumed"), metrics("whole"));
    let best = |run: &str| fs::read(place.path(format!("{run}/best_model.bpk"))).unwrap();
    assert!(best("resumed") == best("whole"));
}

#[test]
fn images_are_changed_in_training_alone_and_still_learnt() {
    let place = Place::new();
    let ran = place.succeed(&train("run", &["training.epochs=60"]));
    assert!(ran.stdout.contains("test accuracy 100.0 %"), "{}", ran.stdout);
    let first = place.succeed(&["evaluate", "run"]).stdout;
    assert_eq!(first, place.succeed(&["evaluate", "run"]).stdout);
}

#[test]
fn a_config_of_changed_images_reads_back_as_it_was_written() {
    let place = Place::new();
    place.succeed(&train("first", &[]));
    let config = place.read("first/config.toml");
    assert!(config.contains("flip_horizontal") && config.contains("cutout = 2"), "{config}");
    place.succeed(&["--config", "first/config.toml", "--run-dir", "second"]);
    assert_same_bits(&place, "second", "first");
}

#[test]
fn a_list_may_also_be_written_as_tables() {
    let place = Place::new();
    let tables = "[[augmentation]]\nrotate = 15\n\n[[augmentation]]\ncrop = 1\n";
    place.write("tables.toml", [&place.read("tiny.toml"), tables].join("\n"));
    place.succeed(&["--config", "tables.toml", "--run-dir", "tables"]);
    let list = "augmentation=[{ rotate = 15.0 }, { crop = 1 }]";
    place.succeed(&["--config", "tiny.toml", "--set", list, "--run-dir", "list"]);
    assert_same_bits(&place, "tables", "list");
    let none = ["--config", "tables.toml", "--set", "augmentation=[]", "--run-dir", "none"];
    place.succeed(&none);
    place.succeed(&["--config", "tiny.toml", "--run-dir", "plain"]);
    assert_same_bits(&place, "none", "plain");
}

#[test]
fn changes_that_cannot_be_meant_are_refused_at_their_place() {
    for (list, words) in [
        (
            r#"["flip_horizontal", { rotate = 200.0 }]"#,
            &[":1:47", "augmentation.1.rotate", "180"][..],
        ),
        (r#"[{ mixup = 0.2 }, { crop = 1 }]"#, &["augmentation.0.mixup", "the last of the list"]),
        (r#"["flip_sideways"]"#, &[":1:17", "did you mean `flip_"]),
        (r#"[{ rotate = 1, crop = 1 }]"#, &["choose exactly one"]),
        (r#"[{ rotate = "far" }]"#, &["expected a number"]),
        (r#"[{ cutout = 6 }]"#, &["cutout = 6", "6 x 6", "`augmentation`"]),
    ] {
        let place = Place::new();
        let config = format!("augmentation = {list}\n{}", place.read("tiny.toml"));
        place.write("tiny.toml", config);
        place.trainer(&["--config", "tiny.toml"]).refused(2, words);
    }
    let place = Place::new();
    let points = place.read("tiny.toml").replace(
        "[dataset.hdf5]\ndirectory = \"data\"\ntrain = \"train.h5\"\ntest = \"test.h5\"\n",
        "[dataset.points]\n",
    );
    place.write("points.toml", format!("augmentation = [\"flip_vertical\"]\n{points}"));
    place.trainer(&["--config", "points.toml"]).refused(2, &["2 features", "`augmentation`"]);
}

#[test]
fn class_weights_are_one_a_class() {
    let place = Place::new();
    let given = |weights| {
        let set = format!("objective.class_weights={weights}");
        place.trainer(&["--config", "tiny.toml", "--set", &set])
    };
    given("[1.0, 2.0]").refused(2, &["2 weights for 3 classes", "balanced"]);
    given("[1.0, 2.0, -1.0]").refused(2, &["objective.class_weights", "-1 is not between"]);
    given("equal").refused(2, &["unknown choice `equal`", "`none`, `balanced`"]);
    given("7").refused(2, &["class_weights", "an array such as"]);
    assert_eq!(given("[1.0, 2.0, 0.5]").code, Some(0));
}
