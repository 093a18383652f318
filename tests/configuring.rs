//! `trainer config`: check, show, explain, diff and init.

use std::fs;

use data::{Examples, SplitKind};

use crate::shipped_configs::{configs, root};
use crate::test_dir::{TINY, TestDir, coloured};
use crate::training::json;

/// Creates a directory with `base.toml`, and `tiny.toml` that extends it.
fn extended() -> TestDir {
    let dir = TestDir::new();
    dir.write("base.toml", TINY);
    dir.write("tiny.toml", "extends = \"base.toml\"\n\n[optimizer.adam]\nbeta_1 = 0.8\n");
    dir
}

#[test]
fn check_accepts_a_valid_config_without_its_data() {
    let dir = extended();
    fs::remove_dir_all(dir.path("data")).unwrap();
    let output = dir.succeed(&["config", "check", "tiny.toml", "base.toml"]);
    assert_eq!(output.stdout, "tiny.toml: valid\nbase.toml: valid\n");
}

#[test]
fn check_lists_all_problems_of_several_configs() {
    let dir = TestDir::new();
    let overrides = ["--set", "training.epochs=0", "--set", "training.batch_size=0"];
    let args = ["config", "check", "tiny.toml", "absent.toml"];
    let output = dir.trainer(&[&args[..], &overrides].concat());
    assert_eq!(output.stdout, "tiny.toml: invalid\nabsent.toml: invalid\n");
    let words = ["2 problems", "training.epochs", "training.batch_size", "absent.toml"];
    output.refused(2, &words);

    let output = dir.trainer(&[&args[..], &overrides, &["--json"]].concat());
    assert_eq!(output.code, Some(2));
    let problems = json(&output.stdout);
    assert_eq!(problems[0]["problems"][1]["key"], "training.epochs");
    assert_eq!(problems[1]["config"], "absent.toml");
    assert!(problems[1]["problems"][0]["message"].as_str().unwrap().contains("cannot read"));
}

#[test]
fn check_lists_all_misspelt_keys() {
    let dir = TestDir::new();
    dir.write("tiny.toml", TINY.replace("epochs", "epoch").replace("hidden", "hiden"));
    let words =
        ["tiny.toml:12:1\n", "^ unknown key `hiden`", "18 | epoch", "^ unknown key `epoch`"];
    dir.trainer(&["config", "check", "tiny.toml"]).refused(2, &words);
    for (text, wrong) in [("[model.mlp]", "[model.mlpp]"), ("[optimizer.adam]", "[optimiser.adam]")]
    {
        dir.write("tiny.toml", TINY.replace(text, wrong));
        let output = dir.trainer(&["config", "check", "tiny.toml"]);
        assert!(output.stderr.contains("error: invalid config\n"), "{}", output.stderr);
    }
}

#[test]
fn every_shipped_config_is_valid() {
    let configs = configs();
    let configs = configs.iter().map(|path| path.to_str().unwrap());
    let args: Vec<_> = ["config", "check"].into_iter().chain(configs).collect();
    TestDir::new().succeed(&args);
}

#[test]
fn show_prints_the_origin_of_each_value() {
    let dir = extended();
    let args = ["config", "show", "tiny.toml", "--set", "seed=7", "--origins"];
    insta::assert_snapshot!("config-show-origins", dir.succeed(&args).stdout);
}

#[test]
fn the_output_of_show_is_an_equal_config() {
    let dir = extended();
    let shown = dir.succeed(&["config", "show", "tiny.toml", "--origins"]).stdout;
    dir.write("shown.toml", shown);
    let output = dir.succeed(&["config", "diff", "tiny.toml", "shown.toml"]);
    assert_eq!(output.stdout, "no differences\n");
    let output = dir.succeed(&["config", "show", "shown.toml", "--json"]);
    assert_eq!(json(&output.stdout)["optimizer"]["adam"]["beta_1"], 0.8);
}

#[test]
fn diff_lists_keys_with_both_values() {
    let dir = extended();
    dir.write("other.toml", TINY.replace("[8]", "[8, 4]").replace("adam", "sgd"));
    let output = dir.succeed(&["config", "diff", "tiny.toml", "other.toml"]);
    insta::assert_snapshot!("config-diff", output.stdout);
    let output = dir.succeed(&["config", "diff", "tiny.toml", "other.toml", "--json"]);
    let hidden = &json(&output.stdout)["model.mlp.hidden"];
    assert_eq!(*hidden, serde_json::json!({ "one": [8], "other": [8, 4] }));
}

#[test]
fn explain_prints_keys_choices_and_tables() {
    let dir = TestDir::new();
    for key in
        ["optimizer.adam.beta_1", "optimizer.sgd", "schedule.decay", "training", "augmentation"]
    {
        let output = dir.succeed(&["config", "explain", key]);
        insta::assert_snapshot!(format!("config-explain-{key}"), output.stdout);
    }
    let all = dir.succeed(&["config", "explain"]).stdout;
    for table in ["dataset", "model", "optimizer", "training"] {
        assert!(all.contains(&format!("\n  {table} ")), "{all}");
    }
}

#[test]
fn explain_suggests_similar_keys_for_an_unknown_key() {
    let dir = TestDir::new();
    let explain = |key| dir.trainer(&["config", "explain", key]);
    explain("optimizer.adam.beta1").refused(2, &["did you mean `optimizer.adam.beta_1`?"]);
    explain("beta_2").refused(2, &["`optimizer.adam.beta_2` or `optimizer.adamw.beta_2`"]);
    explain("zzz").refused(2, &["`trainer config explain` lists"]);
}

#[test]
fn the_committed_config_reference_is_up_to_date() {
    let page = TestDir::new().succeed(&["config", "schema", "--markdown"]).stdout;
    let kept = fs::read_to_string(root().join("docs/config.md")).unwrap();
    assert!(
        page == kept,
        "docs/config.md is outdated: run scripts/trainer config schema --markdown > docs/config.md"
    );
}

#[test]
fn the_schema_is_json_schema_draft_7() {
    let schema = json(&TestDir::new().succeed(&["config", "schema"]).stdout);
    assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
    let training = &schema["properties"]["training"]["properties"];
    assert!(training["epochs"]["description"].is_string(), "{training}");
}

#[test]
fn init_writes_a_valid_config_that_trains() {
    let dir = TestDir::new();
    let output = dir.succeed(&["config", "init", "data"]);
    assert!(output.stdout.contains("next: trainer --config data.toml"), "{}", output.stdout);
    insta::assert_snapshot!("config-init-small-images", dir.read("data.toml"));
    dir.succeed(&["config", "check", "data.toml"]);
    dir.succeed(&["--config", "data.toml", "--set", "training.epochs=3"]);
}

#[test]
fn init_for_one_file_of_images_holds_out_splits_and_uses_a_cnn() {
    let dir = TestDir::new();
    let pixels = |item: usize| (0..16 * 16).map(move |at| (at * (item % 2 + 1) + item) as u8);
    // With 81 of 100 left to train on, batches of 32 leave 17, and of 16 would leave one.
    let labels = (0..100).map(|item| item % 2).collect();
    let images = Examples::images([16, 16, 1], (0..100).flat_map(pixels).collect(), labels);
    let classes = ["a".to_owned(), "b".to_owned()];
    data_hdf5::write(&dir.path("my digits.h5"), SplitKind::Train, &images, &classes).unwrap();
    dir.succeed(&["config", "init", "my digits.h5", "--out", "first.toml"]);
    insta::assert_snapshot!("config-init-images", dir.read("first.toml"));
    dir.succeed(&["--config", "first.toml", "--set", "training.epochs=3"]);
}

#[test]
fn init_never_leaves_a_last_batch_of_one_example() {
    let dir = TestDir::new();
    let classes = ["red", "green", "blue"].map(String::from);
    for (file, part, count) in [("train", SplitKind::Train, 81), ("test", SplitKind::Test, 12)] {
        let path = dir.path(format!("data/{file}.h5"));
        data_hdf5::write(&path, part, &coloured(count), &classes).unwrap();
    }
    dir.succeed(&["config", "init", "data"]);
    dir.succeed(&["--config", "data.toml", "--set", "training.epochs=3"]);
}

#[test]
fn init_does_not_overwrite_files_and_rejects_missing_data() {
    let dir = TestDir::new();
    let output = dir.trainer(&["config", "init", "data", "--out", "tiny.toml"]);
    output.refused(2, &["tiny.toml already exists", "--out"]);
    assert_eq!(dir.read("tiny.toml"), TINY);
    fs::create_dir(dir.path("empty")).unwrap();
    dir.trainer(&["config", "init", "empty"]).refused(1, &["empty: contains no images"]);
    dir.succeed(&["data", "synthesize", "--out", "few", "--train", "12", "--test", "6"]);
    dir.succeed(&["config", "init", "few"]);
    dir.succeed(&["config", "check", "few.toml"]);
    dir.trainer(&["config", "init", "absent.h5"]).refused(1, &["absent.h5"]);
    fs::copy(dir.path("data/train.h5"), dir.path("data/train2.h5")).unwrap();
    dir.trainer(&["config", "init", "data"]).refused(2, &["2 files contain a training set"]);
}
