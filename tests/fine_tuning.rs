//! Fine-tuning, by the configs of docs/fine-tuning.md.

use std::{env, fs};

use crate::shipped_configs::root;
use crate::test_dir::TestDir;
use crate::training::json;

/// The configs of the page, by their names.
fn configs() -> Vec<(String, String)> {
    let page = fs::read_to_string(root().join("docs/fine-tuning.md")).unwrap();
    let blocks = page.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let named = blocks.filter_map(|text| {
        let name = text.strip_prefix("name = \"")?.split('"').next()?;
        Some((name.to_owned(), text.to_owned()))
    });
    named.collect()
}

const DATA: [&str; 4] =
    ["--set", "dataset.hdf5.train=train.h5", "--set", "dataset.hdf5.test=test.h5"];

#[test]
fn the_configs_of_the_page_run_with_weights_of_their_network() {
    let dir = TestDir::new();
    let small = ["--set", "dataset.hdf5.size=32", "--set", "training.epochs=3"];
    let start = "name = \"start\"\n[dataset.hdf5]\ndirectory = \"data\"\ntrain = \"train.h5\"\nsize = 32\n[model.efficientnet_lite]\n[optimizer.adam]\n[training]\nepochs = 1\nbatch_size = 32\n";
    dir.write("start.toml", start);
    dir.succeed(&["--config", "start.toml"]);
    dir.succeed(&["export", "start", "--to", "safetensors"]);
    let configs = configs();
    assert_eq!(
        configs.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
        ["cats", "signs"]
    );
    for (name, text) in configs {
        let file = format!("{name}.toml");
        dir.write(&file, text);
        for from in ["start-pytorch/model.safetensors", "start"] {
            let init_from = format!("init_from={from}");
            let args = [&["--config", &file, "--set", &init_from], &DATA[..], &small].concat();
            let output = dir.succeed(&args);
            assert!(output.stdout.contains("done in"), "{output:#?}");
        }
    }
    let stopped = ["--config", "cats.toml", "--set", "init_from=start", "--set", "name=none"];
    for (freeze, words) in [
        ("10", ["10 stages", "the last one is always trained"]),
        ("head", ["use `backbone` or a number of stages", "fine_tuning.freeze"]),
    ] {
        let freeze = format!("fine_tuning.freeze={freeze}");
        let args = [&stopped[..], &DATA, &small, &["--set", &freeze]].concat();
        dir.trainer(&args).refused(2, &words);
    }
}

/// `scripts/test` sets the variable to the weights that `scripts/pretrained` has downloaded.
#[test]
#[ignore = "needs the files of the courses"]
fn pretrained_features_tell_cats_from_other_pictures() {
    let Some(weights) = env::var_os("PRETRAINED") else {
        eprintln!("NOT RUN: PRETRAINED is not set to the path that scripts/pretrained prints");
        return;
    };
    let dir = TestDir::new();
    let (_, text) = configs().remove(0);
    let data = root().join("../shared/data/cat");
    dir.write("cats.toml", text.replace("\"data\"", &format!("{:?}", data.to_str().unwrap())));
    let init_from = format!("init_from={}", weights.to_str().unwrap());
    dir.succeed(&["--config", "cats.toml", "--set", &init_from, "--set", "dataset.hdf5.size=128"]);
    let accuracy = json(&dir.read("runs/cats/summary.json"))["test_accuracy"].as_f64().unwrap();
    assert!(accuracy >= 0.9, "{accuracy}");
}
