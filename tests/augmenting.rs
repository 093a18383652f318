//! Augmentation, label smoothing and class weights.

use std::fs;

use crate::resuming::assert_same_bits;
use crate::test_dir::TestDir;

/// Augmentations as other libraries have them, with their defaults where there are some.
const COMMON: &str = r#"augmentation=["random_resized_crop", "trivial_augment", "flip_horizontal", { saturation = 0.3 }, { contrast = 0.2 }, "random_erasing", { cutmix = 1.0 }]"#;

/// Every other augmentation except `crop`.
const LIST: &str = r#"augmentation=["flip_horizontal", { rotate = 20 }, { scale = [0.9, 1.1] }, { translate = 0.1 }, { brightness = 0.2 }, { contrast = 0.2 }, { hue = 10 }, { cutout = 2 }, { mixup = 0.4 }]"#;

const OBJECTIVE: [&str; 2] = ["objective.label_smoothing=0.1", "objective.class_weights=balanced"];

/// Arguments of a run in the directory `run` with `LIST`, `OBJECTIVE` and the overrides `more`.
fn train<'a>(run: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let sets = [LIST, "training.accumulation=2"].into_iter().chain(OBJECTIVE);
    let sets = sets.chain(more.iter().copied()).flat_map(|set| ["--set", set]);
    ["--config", "tiny.toml", "--run-dir", run].into_iter().chain(sets).collect()
}

#[test]
fn loader_workers_and_resuming_do_not_change_an_augmented_run() {
    for list in [LIST, COMMON] {
        let dir = TestDir::new();
        dir.succeed(&train("whole", &[list, "training.epochs=6"]));
        for workers in ["training.loader.workers=1", "training.loader.workers=3"] {
            dir.succeed(&train("workers", &[list, "training.epochs=6", workers]));
            assert_same_bits(&dir, "workers", "whole");
            fs::remove_dir_all(dir.path("workers")).unwrap();
        }
        dir.succeed(&train("resumed", &[list, "training.epochs=3"]));
        dir.succeed(&["--resume", "resumed", "--set", "training.epochs=6"]);
        // The checkpoints differ: the best epoch may be before or after the resume.
        let metrics = |run: &str| dir.read(format!("{run}/metrics.jsonl"));
        assert_eq!(metrics("resumed"), metrics("whole"));
        let best = |run: &str| fs::read(dir.path(format!("{run}/best_model.bpk"))).unwrap();
        assert!(best("resumed") == best("whole"));
    }
}

#[test]
fn augmentation_applies_to_training_only_and_the_model_still_learns() {
    let dir = TestDir::new();
    let output = dir.succeed(&train("run", &["training.epochs=60"]));
    assert!(output.stdout.contains("test accuracy 100.0 %"), "{}", output.stdout);
    let first = dir.succeed(&["evaluate", "run"]).stdout;
    assert_eq!(first, dir.succeed(&["evaluate", "run"]).stdout);
}

#[test]
fn the_saved_config_of_an_augmented_run_reproduces_it() {
    let dir = TestDir::new();
    dir.succeed(&train("first", &[]));
    let config = dir.read("first/config.toml");
    assert!(config.contains("flip_horizontal") && config.contains("cutout = 2"), "{config}");
    dir.succeed(&["--config", "first/config.toml", "--run-dir", "second"]);
    assert_same_bits(&dir, "second", "first");
}

#[test]
fn augmentations_can_be_written_as_an_array_of_tables() {
    let dir = TestDir::new();
    let tables = "[[augmentation]]\nrotate = 15\n\n[[augmentation]]\ncrop = 1\n";
    dir.write("tables.toml", [&dir.read("tiny.toml"), tables].join("\n"));
    dir.succeed(&["--config", "tables.toml", "--run-dir", "tables"]);
    let list = "augmentation=[{ rotate = 15.0 }, { crop = 1 }]";
    dir.succeed(&["--config", "tiny.toml", "--set", list, "--run-dir", "list"]);
    assert_same_bits(&dir, "tables", "list");
    let none = ["--config", "tables.toml", "--set", "augmentation=[]", "--run-dir", "none"];
    dir.succeed(&none);
    dir.succeed(&["--config", "tiny.toml", "--run-dir", "plain"]);
    assert_same_bits(&dir, "none", "plain");
}

#[test]
fn invalid_augmentations_are_rejected_with_their_location() {
    for (list, words) in [
        (
            r#"["flip_horizontal", { rotate = 200.0 }]"#,
            &[":1:47", "augmentation.1.rotate", "180"][..],
        ),
        (
            r#"[{ mixup = 0.2 }, { crop = 1 }]"#,
            &["augmentation.0.mixup", "put it last in the list"],
        ),
        (r#"["flip_sideways"]"#, &[":1:17", "did you mean `flip_"]),
        (r#"[{ rotate = 1, crop = 1 }]"#, &["choose exactly one"]),
        (r#"[{ rotate = "far" }]"#, &["expected a number"]),
        (r#"[{ cutout = 6 }]"#, &["cutout = 6", "6 x 6", "`augmentation`"]),
    ] {
        let dir = TestDir::new();
        let config = format!("augmentation = {list}\n{}", dir.read("tiny.toml"));
        dir.write("tiny.toml", config);
        dir.trainer(&["--config", "tiny.toml"]).refused(2, words);
    }
    let dir = TestDir::new();
    let points = dir.read("tiny.toml").replace(
        "[dataset.hdf5]\ndirectory = \"data\"\ntrain = \"train.h5\"\ntest = \"test.h5\"\n",
        "[dataset.points]\n",
    );
    dir.write("points.toml", format!("augmentation = [\"flip_vertical\"]\n{points}"));
    dir.trainer(&["--config", "points.toml"]).refused(2, &["2 features", "`augmentation`"]);
}

#[test]
fn class_weights_need_one_weight_per_class() {
    let dir = TestDir::new();
    let train = |weights| {
        let set = format!("objective.class_weights={weights}");
        dir.trainer(&["--config", "tiny.toml", "--set", &set])
    };
    train("[1.0, 2.0]").refused(2, &["2 weights for 3 classes", "balanced"]);
    train("[1.0, 2.0, -1.0]").refused(2, &["objective.class_weights", "-1 is not between"]);
    train("equal").refused(2, &["unknown choice `equal`", "`none`, `balanced`"]);
    train("7").refused(2, &["class_weights", "an array such as"]);
    assert_eq!(train("[1.0, 2.0, 0.5]").code, Some(0));
}
