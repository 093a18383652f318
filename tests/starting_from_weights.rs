//! Runs that start from the weights of another run: `init_from`.

use std::fs;

use data::{Examples, SplitKind};

use crate::resuming::assert_same_bits;
use crate::test_dir::{TINY, TestDir, coloured};
use crate::training::json;

/// A trained run, `runs/tiny`, and `two.toml`, which starts from it with two of its three classes.
fn trained() -> TestDir {
    let dir = TestDir::new();
    dir.succeed(&["--config", "tiny.toml", "--set", "training.epochs=20"]);
    let classes = ["red", "green"].map(String::from);
    let all = coloured(72);
    for (file, part, items) in
        [("train", SplitKind::Train, 0..60), ("test", SplitKind::Test, 60..72)]
    {
        let items: Vec<usize> = items.filter(|item| item % 3 < 2).collect();
        let two: Examples = all.select(&items);
        data_hdf5::write(&dir.path(format!("data/two-{file}.h5")), part, &two, &classes).unwrap();
    }
    let text = TINY.replace("train.h5", "two-train.h5").replace("test.h5", "two-test.h5");
    dir.write("two.toml", text.replace("\"tiny\"", "\"two\"\ninit_from = \"tiny\""));
    dir
}

#[test]
fn another_head_batch_size_and_optimizer_start_from_the_weights_of_a_run() {
    let dir = trained();
    let text = dir.read("two.toml").replace("adam", "sgd").replace("= 16", "= 8");
    dir.write("two.toml", text);
    let output = dir.succeed(&["--config", "two.toml", "--set", "training.epochs=1"]);
    for words in ["starts from ", "runs/tiny: loaded ", "; new: model.", "output.bias [1]"] {
        assert!(output.stdout.contains(words), "no {words} in {}", output.stdout);
    }
    let environment = json(&dir.read("runs/two/environment.json"));
    let summary = json(&dir.read("runs/tiny/summary.json"));
    assert_eq!(environment["init_from"]["sha256"], summary["model_sha256"]);
    assert!(dir.succeed(&["runs", "show", "two"]).stdout.contains("start       "));
    assert!(dir.read("runs/two/report.html").contains("started from"));
}

#[test]
fn a_run_a_file_a_checkpoint_and_an_export_give_the_same_start() {
    let dir = trained();
    let best = json(&dir.read("runs/tiny/summary.json"))["best"]["checkpoint"].clone();
    let checkpoint = format!("runs/tiny/checkpoints/{}", best.as_str().unwrap());
    for (path, run) in
        [("runs/tiny", "a"), ("runs/tiny/best_model.bpk", "b"), (checkpoint.as_str(), "c")]
    {
        let from = format!("init_from={path}");
        dir.succeed(&["--config", "tiny.toml", "--set", &from, "--run-dir", run]);
    }
    assert_same_bits(&dir, "a", "b");
    dir.succeed(&["export", "tiny", "--to", "safetensors"]);
    let exported = "init_from=tiny-pytorch/model.safetensors";
    dir.succeed(&["--config", "tiny.toml", "--set", exported, "--run-dir", "d"]);
    assert_eq!(dir.read("a/metrics.jsonl"), dir.read("d/metrics.jsonl"));
    // The checkpoint has no temperature, so that its SHA-256, which is part of the run, is another one.
    for file in ["metrics.jsonl", "best_model.bpk"] {
        assert_eq!(
            fs::read(dir.path("a").join(file)).unwrap(),
            fs::read(dir.path("c").join(file)).unwrap()
        );
    }
    let first_loss = |run: &str| {
        crate::training::column(&dir.read(format!("{run}/metrics.jsonl")), "train_loss")[0]
    };
    assert!(first_loss("a") < first_loss("runs/tiny") / 2.0);
    let lr_find = |more: &[&str]| {
        let args = ["lr-find", "--config", "tiny.toml", "--steps", "20", "--json"];
        let test = json(&dir.succeed(&[&args[..], more].concat()).stdout);
        test["losses"][0].as_f64().unwrap()
    };
    assert!(lr_find(&["--set", "init_from=tiny"]) < lr_find(&[]) / 2.0);
    let id = |run: &str| json(&dir.read(format!("{run}/environment.json")))["run"].clone();
    assert_ne!(id("a"), id("runs/tiny"));
}

#[test]
fn a_resumed_run_does_not_need_the_weights_again() {
    let dir = trained();
    let epochs = |epochs| format!("training.epochs={epochs}");
    dir.succeed(&["--config", "two.toml", "--set", &epochs(4), "--run-dir", "whole"]);
    dir.succeed(&["--config", "two.toml", "--set", &epochs(2)]);
    fs::remove_dir_all(dir.path("runs/tiny")).unwrap();
    let output = dir.succeed(&["--resume", "runs/two", "--set", &epochs(4)]);
    assert!(!output.stderr.contains("can no longer be reproduced"), "{}", output.stderr);
    assert_same_bits(&dir, "runs/two", "whole");
    dir.succeed(&["evaluate", "runs/two"]);
}

#[test]
fn a_run_without_a_checkpoint_needs_the_same_weights_again() {
    let dir = trained();
    dir.succeed(&["--config", "two.toml", "--run-dir", "whole"]);
    dir.succeed(&["--config", "two.toml"]);
    let restart = || {
        fs::remove_dir_all(dir.path("runs/two/checkpoints")).unwrap();
        for file in ["summary.json", "best_model.bpk", "metrics.jsonl", "metrics.csv"] {
            fs::remove_file(dir.path("runs/two").join(file)).ok();
        }
    };
    restart();
    dir.succeed(&["--resume", "runs/two"]);
    assert_same_bits(&dir, "runs/two", "whole");

    restart();
    fs::remove_dir_all(dir.path("runs/tiny")).unwrap();
    dir.succeed(&["--config", "tiny.toml", "--set", "training.epochs=1"]);
    let words = ["no longer", "that the run started from", "restore it"];
    dir.trainer(&["--resume", "runs/two"]).refused(1, &words);
}

#[test]
fn weights_of_another_model_are_refused_with_the_differences() {
    let dir = trained();
    let wider = ["--config", "two.toml", "--set", "model.mlp.hidden=[9]"];
    let words =
        ["another model", "[108, 9] in the model, [108, 8] in the file", "only the last layer"];
    dir.trainer(&wider).refused(2, &words);
    dir.write("notes.txt", "no weights");
    for (path, words) in [
        ("notes.txt", ["notes.txt", "not a file of weights"]),
        ("nothing", ["nothing", "cannot be read"]),
        ("data", ["data", "`init_from` is the directory of a run"]),
    ] {
        let from = format!("init_from={path}");
        dir.trainer(&["--config", "tiny.toml", "--set", &from]).refused(1, &words);
    }
    assert_eq!(dir.names("runs"), ["tiny"]);
}

#[test]
fn a_resume_with_another_batch_size_is_refused_and_names_init_from() {
    let dir = trained();
    let args = ["--resume", "runs/tiny", "--set", "training.batch_size=8"];
    dir.trainer(&args).refused(2, &["batch_size", "`init_from`", "--set init_from=runs/tiny"]);
}

#[test]
fn the_best_model_alone_predicts_evaluates_and_starts_a_run() {
    let dir = trained();
    fs::remove_dir_all(dir.path("runs/tiny/checkpoints")).unwrap();
    let best = dir.succeed(&["evaluate", "runs/tiny", "--json"]).stdout;
    assert_eq!(json(&best)["accuracy"], 1.0);
    image::RgbImage::from_pixel(9, 9, image::Rgb([150, 60, 60])).save(dir.path("red.png")).unwrap();
    let predict = ["predict", "runs/tiny", "red.png"];
    assert!(dir.succeed(&predict).stdout.contains("red.png: red ("));
    dir.succeed(&["--config", "two.toml"]);

    let path = dir.path("runs/tiny/best_model.bpk");
    let mut bytes = fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&path, bytes).unwrap();
    dir.trainer(&predict)
        .refused(1, &["best_model.bpk is damaged", "differs from that in summary"]);
    fs::remove_file(dir.path("runs/tiny/summary.json")).unwrap();
    dir.succeed(&predict);
    fs::remove_file(path).unwrap();
    dir.trainer(&predict).refused(1, &["no checkpoint yet"]);
}

#[test]
fn a_last_layer_of_other_classes_is_loaded_with_a_warning() {
    let dir = trained();
    let classes = ["blue", "red", "green"].map(String::from);
    for (file, part) in [("train", SplitKind::Train), ("test", SplitKind::Test)] {
        let path = dir.path(format!("data/{file}.h5"));
        fs::remove_file(&path).unwrap();
        data_hdf5::write(&path, part, &coloured(24 + file.len()), &classes).unwrap();
    }
    let from = ["--config", "tiny.toml", "--set", "init_from=tiny"];
    let output = dir.succeed(&from);
    assert!(output.stdout.contains("loaded all "), "{}", output.stdout);
    assert!(output.stderr.contains("was trained on other classes"), "{}", output.stderr);
}
