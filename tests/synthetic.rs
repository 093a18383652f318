//! Synthetic data that replace missing files.

use std::fs;

use crate::test_dir::TestDir;
use crate::training::json;

const CONFIG: &str = r#"name = "generated"

[dataset.hdf5]
directory = "data/signs"
directory_env = "SIGNS_DIR"
train = "train_signs.h5"
test = "test_signs.h5"
on_missing = "synthesize"

[dataset.hdf5.synthetic]
train = 60
test = 12

[model.mlp]
hidden = [8]

[optimizer.adam]

[training]
epochs = 1
batch_size = 16
"#;

fn test_dir() -> TestDir {
    let dir = TestDir::new();
    dir.write("generated.toml", CONFIG);
    dir
}

#[test]
fn every_output_of_a_run_on_synthetic_data_has_a_notice() {
    let dir = test_dir();
    let output = dir.succeed(&["--config", "generated.toml"]);
    assert_eq!(output.stdout.matches("SYNTHETIC DATA").count(), 2, "{}", output.stdout);
    let warnings = output.stdout.lines().filter(|line| line.starts_with("SYNTHETIC"));
    assert!(warnings.into_iter().all(|line| line.chars().count() <= 80), "{}", output.stdout);
    assert!(dir.succeed(&["evaluate", "runs/generated"]).stdout.contains("SYNTHETIC DATA"));
    let evaluation = dir.succeed(&["evaluate", "runs/generated", "--json"]).stdout;
    assert_eq!(json(&evaluation)["synthetic"], true);
    image::RgbImage::new(64, 64).save(dir.path("a.png")).unwrap();
    assert!(dir.succeed(&["predict", "runs/generated", "a.png"]).stdout.contains("SYNTHETIC DATA"));
    let predictions = dir.succeed(&["predict", "runs/generated", "a.png", "--json"]).stdout;
    assert_eq!(json(&predictions)["synthetic"], true);
    assert_eq!(json(&dir.read("runs/generated/summary.json"))["synthetic"], true);
    assert_eq!(json(&dir.read("runs/generated/environment.json"))["data"]["synthetic"], true);
    assert!(dir.read("runs/generated/config.toml").contains("[dataset.synthetic]"));
    assert!(dir.read("runs/generated/run.log").contains("SYNTHETIC DATA"));
}

#[test]
fn synthesized_files_have_the_layout_of_the_course_and_can_be_trained_on() {
    let dir = test_dir();
    let size = ["--train", "30", "--test", "6", "--seed", "5"];
    dir.succeed(&[&["data", "synthesize", "--out", "data/signs"], &size[..]].concat());
    let output = dir.succeed(&["--config", "generated.toml"]);
    assert!(output.stdout.contains("\n30 train, 6 test\n"), "{}", output.stdout);
    assert!(output.stdout.contains("SYNTHETIC DATA"), "{}", output.stdout);
    let again = ["data", "synthesize", "--out", "data/signs"];
    dir.trainer(&again).refused(2, &["train_signs.h5 already exists", "--out"]);
}

#[test]
fn the_same_seed_generates_the_same_files() {
    let dir = test_dir();
    for (directory, seed) in [("a", "5"), ("b", "5"), ("c", "6")] {
        let size = ["--train", "12", "--test", "6", "--seed", seed];
        dir.succeed(&[&["data", "synthesize", "--out", directory], &size[..]].concat());
    }
    let file = |directory: &str| fs::read(dir.path(directory).join("train_signs.h5")).unwrap();
    assert!(file("a") == file("b"), "the same seed generated different images");
    assert!(file("a") != file("c"), "another seed generated the same images");
}

#[test]
fn the_directory_in_signs_dir_overrides_that_of_the_config() {
    let dir = test_dir();
    let size = ["--train", "30", "--test", "6"];
    dir.succeed(&[&["data", "synthesize", "--out", "mine"], &size[..]].concat());
    let output = dir.command(&["--config", "generated.toml"]).env("SIGNS_DIR", "mine").output();
    let output = crate::test_dir::ProgramOutput::from(output.unwrap());
    assert!(output.stdout.contains("30 train, 6 test"), "{output:#?}");
}

#[test]
fn a_hidden_layer_helps_on_synthetic_data() {
    let dir = test_dir();
    let accuracy = |hidden: &str, run: &str| {
        let sets = [
            format!("model.mlp.hidden={hidden}"),
            "dataset.hdf5.synthetic.train=1080".into(),
            "dataset.hdf5.synthetic.test=600".into(),
            "schedule.decay.cosine={}".into(),
            "training.epochs=15".into(),
            "training.batch_size=64".into(),
        ];
        let sets: Vec<&str> = sets.iter().flat_map(|set| ["--set", set]).collect();
        dir.succeed(&[&["--config", "generated.toml", "--run-dir", run], &sets[..]].concat());
        json(&dir.read(format!("{run}/summary.json")))["test_accuracy"].as_f64().unwrap()
    };
    let (regression, perceptron) = (accuracy("[]", "regression"), accuracy("[128, 64]", "mlp"));
    println!("softmax regression {regression}, perceptron {perceptron}");
    assert!((0.35..0.65).contains(&regression), "{regression}");
    assert!(perceptron > regression + 0.08, "{regression} {perceptron}");
}
