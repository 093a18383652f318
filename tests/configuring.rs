//! Configs as files: checked, shown, explained, compared and started.

use std::fs;

use dataset::Examples;
use dataset::hdf5::{self, Part};

use crate::place::{Place, TINY, coloured};
use crate::shipped_configs::{configs, root};
use crate::training::json;

/// A place with `base.toml`, and `tiny.toml` that extends it.
fn extended() -> Place {
    let place = Place::new();
    place.write("base.toml", TINY);
    place.write("tiny.toml", "extends = \"base.toml\"\n\n[optimizer.adam]\nbeta_1 = 0.8\n");
    place
}

#[test]
fn a_fine_config_is_said_to_be_fine_without_its_data() {
    let place = extended();
    fs::remove_dir_all(place.path("data")).unwrap();
    let ran = place.succeed(&["config", "check", "tiny.toml", "base.toml"]);
    assert_eq!(ran.stdout, "tiny.toml: fine\nbase.toml: fine\n");
}

#[test]
fn all_that_is_wrong_with_several_configs_is_said_at_once() {
    let place = Place::new();
    let overrides = ["--set", "training.epochs=0", "--set", "training.batch_size=0"];
    let args = ["config", "check", "tiny.toml", "absent.toml"];
    let ran = place.trainer(&[&args[..], &overrides].concat());
    assert_eq!(ran.stdout, "tiny.toml: wrong\nabsent.toml: wrong\n");
    let words = ["2 problems", "training.epochs", "training.batch_size", "absent.toml"];
    ran.refused(2, &words);

    let ran = place.trainer(&[&args[..], &overrides, &["--json"]].concat());
    assert_eq!(ran.code, Some(2));
    let told = json(&ran.stdout);
    assert_eq!(told[0]["problems"][1]["key"], "training.epochs");
    assert_eq!(told[1]["config"], "absent.toml");
    assert!(told[1]["problems"][0]["message"].as_str().unwrap().contains("cannot read"));
}

#[test]
fn every_misspelt_key_is_shown_at_once() {
    let place = Place::new();
    place.write("tiny.toml", TINY.replace("epochs", "epoch").replace("hidden", "hiden"));
    let words = ["tiny.toml:12:1: unknown key `hiden`", "tiny.toml:18:1: unknown key `epoch`"];
    place.trainer(&["config", "check", "tiny.toml"]).refused(2, &words);
    for (text, wrong) in [("[model.mlp]", "[model.mlpp]"), ("[optimizer.adam]", "[optimiser.adam]")]
    {
        place.write("tiny.toml", TINY.replace(text, wrong));
        let ran = place.trainer(&["config", "check", "tiny.toml"]);
        assert!(ran.stderr.contains("the config has a problem\n"), "{}", ran.stderr);
    }
}

#[test]
fn every_shipped_config_is_fine() {
    let configs = configs();
    let configs = configs.iter().map(|path| path.to_str().unwrap());
    let args: Vec<_> = ["config", "check"].into_iter().chain(configs).collect();
    Place::new().succeed(&args);
}

#[test]
fn a_config_is_shown_with_where_each_value_comes_from() {
    let place = extended();
    let args = ["config", "show", "tiny.toml", "--set", "seed=7", "--origins"];
    insta::assert_snapshot!("config-show-origins", place.succeed(&args).stdout);
}

#[test]
fn what_is_shown_of_a_config_is_that_config() {
    let place = extended();
    let shown = place.succeed(&["config", "show", "tiny.toml", "--origins"]).stdout;
    place.write("shown.toml", shown);
    let ran = place.succeed(&["config", "diff", "tiny.toml", "shown.toml"]);
    assert_eq!(ran.stdout, "no differences\n");
    let ran = place.succeed(&["config", "show", "shown.toml", "--json"]);
    assert_eq!(json(&ran.stdout)["optimizer"]["adam"]["beta_1"], 0.8);
}

#[test]
fn keys_that_differ_are_listed_with_both_values() {
    let place = extended();
    place.write("other.toml", TINY.replace("[8]", "[8, 4]").replace("adam", "sgd"));
    let ran = place.succeed(&["config", "diff", "tiny.toml", "other.toml"]);
    insta::assert_snapshot!("config-diff", ran.stdout);
    let ran = place.succeed(&["config", "diff", "tiny.toml", "other.toml", "--json"]);
    let hidden = &json(&ran.stdout)["model.mlp.hidden"];
    assert_eq!(*hidden, serde_json::json!({ "one": [8], "other": [8, 4] }));
}

#[test]
fn a_key_a_choice_and_a_table_are_explained() {
    let place = Place::new();
    for key in
        ["optimizer.adam.beta_1", "optimizer.sgd", "schedule.decay", "training", "augmentation"]
    {
        let ran = place.succeed(&["config", "explain", key]);
        insta::assert_snapshot!(format!("config-explain-{key}"), ran.stdout);
    }
    let all = place.succeed(&["config", "explain"]).stdout;
    for table in ["dataset", "model", "optimizer", "training"] {
        assert!(all.contains(&format!("\n  {table} ")), "{all}");
    }
}

#[test]
fn a_key_that_is_none_is_answered_with_the_one_that_may_be_meant() {
    let place = Place::new();
    let explain = |key| place.trainer(&["config", "explain", key]);
    explain("optimizer.adam.beta1").refused(2, &["did you mean `optimizer.adam.beta_1`?"]);
    explain("beta_2").refused(2, &["`optimizer.adam.beta_2` or `optimizer.adamw.beta_2`"]);
    explain("zzz").refused(2, &["`trainer config explain` lists"]);
}

#[test]
fn the_page_of_all_keys_is_that_of_the_code() {
    let page = Place::new().succeed(&["config", "schema", "--markdown"]).stdout;
    let kept = fs::read_to_string(root().join("docs/config.md")).unwrap();
    assert!(
        page == kept,
        "docs/config.md is not that of the code: scripts/trainer config schema --markdown > docs/config.md"
    );
}

#[test]
fn the_schema_is_one_that_editors_understand() {
    let schema = json(&Place::new().succeed(&["config", "schema"]).stdout);
    assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
    let training = &schema["properties"]["training"]["properties"];
    assert!(training["epochs"]["description"].is_string(), "{training}");
}

#[test]
fn a_first_config_for_files_is_fine_and_trains() {
    let place = Place::new();
    let ran = place.succeed(&["config", "init", "data"]);
    assert!(ran.stdout.contains("next: trainer --config data.toml"), "{}", ran.stdout);
    insta::assert_snapshot!("config-init-small-images", place.read("data.toml"));
    place.succeed(&["config", "check", "data.toml"]);
    place.succeed(&["--config", "data.toml", "--set", "training.epochs=3"]);
}

#[test]
fn a_first_config_for_one_file_of_images_holds_parts_out_and_convolves() {
    let place = Place::new();
    let pixels = |item: usize| (0..16 * 16).map(move |at| (at * (item % 2 + 1) + item) as u8);
    // With 81 of 100 left to train on, batches of 32 leave 17, and of 16 would leave one.
    let labels = (0..100).map(|item| item % 2).collect();
    let images = Examples::images([16, 16, 1], (0..100).flat_map(pixels).collect(), labels);
    let classes = ["a".to_owned(), "b".to_owned()];
    hdf5::write(&place.path("my digits.h5"), Part::Train, &images, &classes).unwrap();
    place.succeed(&["config", "init", "my digits.h5", "--out", "first.toml"]);
    insta::assert_snapshot!("config-init-images", place.read("first.toml"));
    place.succeed(&["--config", "first.toml", "--set", "training.epochs=3"]);
}

#[test]
fn a_first_config_never_leaves_a_batch_of_one() {
    let place = Place::new();
    let classes = ["red", "green", "blue"].map(String::from);
    for (file, part, count) in [("train", Part::Train, 81), ("test", Part::Test, 12)] {
        let path = place.path(format!("data/{file}.h5"));
        hdf5::write(&path, part, &coloured(count), &classes).unwrap();
    }
    place.succeed(&["config", "init", "data"]);
    place.succeed(&["--config", "data.toml", "--set", "training.epochs=3"]);
}

#[test]
fn a_first_config_takes_no_place_of_another_file_and_needs_data() {
    let place = Place::new();
    let ran = place.trainer(&["config", "init", "data", "--out", "tiny.toml"]);
    ran.refused(2, &["tiny.toml exists", "--out"]);
    assert_eq!(place.read("tiny.toml"), TINY);
    fs::create_dir(place.path("empty")).unwrap();
    place.trainer(&["config", "init", "empty"]).refused(2, &["no HDF5 file", "name a .h5 file"]);
    place.succeed(&["data", "synthesize", "--out", "few", "--train", "12", "--test", "6"]);
    place
        .trainer(&["config", "init", "few"])
        .refused(2, &["12 examples are too few", "validation"]);
    place.trainer(&["config", "init", "absent.h5"]).refused(1, &["absent.h5"]);
    fs::copy(place.path("data/train.h5"), place.path("data/train2.h5")).unwrap();
    place.trainer(&["config", "init", "data"]).refused(2, &["2 files hold a training set"]);
}
