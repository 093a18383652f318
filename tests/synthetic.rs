//! Synthetic data in place of missing files.

use std::fs;

use crate::place::Place;
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

fn place() -> Place {
    let place = Place::new();
    place.write("generated.toml", CONFIG);
    place
}

#[test]
fn every_output_of_a_run_on_synthetic_data_has_a_notice() {
    let place = place();
    let ran = place.succeed(&["--config", "generated.toml"]);
    assert_eq!(ran.stdout.matches("SYNTHETIC DATA").count(), 2, "{}", ran.stdout);
    let warnings = ran.stdout.lines().filter(|line| line.starts_with("SYNTHETIC"));
    assert!(warnings.into_iter().all(|line| line.chars().count() <= 80), "{}", ran.stdout);
    assert!(place.succeed(&["evaluate", "runs/generated"]).stdout.contains("SYNTHETIC DATA"));
    let evaluation = place.succeed(&["evaluate", "runs/generated", "--json"]).stdout;
    assert_eq!(json(&evaluation)["synthetic"], true);
    image::RgbImage::new(64, 64).save(place.path("a.png")).unwrap();
    assert!(
        place.succeed(&["predict", "runs/generated", "a.png"]).stdout.contains("SYNTHETIC DATA")
    );
    let predictions = place.succeed(&["predict", "runs/generated", "a.png", "--json"]).stdout;
    assert_eq!(json(&predictions)["synthetic"], true);
    assert_eq!(json(&place.read("runs/generated/summary.json"))["synthetic"], true);
    assert_eq!(json(&place.read("runs/generated/environment.json"))["data"]["synthetic"], true);
    assert!(place.read("runs/generated/config.toml").contains("[dataset.synthetic]"));
    assert!(place.read("runs/generated/run.log").contains("SYNTHETIC DATA"));
}

#[test]
fn synthesized_files_have_the_layout_of_the_course_and_can_be_trained_on() {
    let place = place();
    let size = ["--train", "30", "--test", "6", "--seed", "5"];
    place.succeed(&[&["data", "synthesize", "--out", "data/signs"], &size[..]].concat());
    let ran = place.succeed(&["--config", "generated.toml"]);
    assert!(ran.stdout.contains("\n30 train, 6 test\n"), "{}", ran.stdout);
    assert!(ran.stdout.contains("SYNTHETIC DATA"), "{}", ran.stdout);
    let again = ["data", "synthesize", "--out", "data/signs"];
    place.trainer(&again).refused(2, &["train_signs.h5 already exists", "--out"]);
}

#[test]
fn the_same_seed_generates_the_same_files() {
    let place = place();
    for (directory, seed) in [("a", "5"), ("b", "5"), ("c", "6")] {
        let size = ["--train", "12", "--test", "6", "--seed", seed];
        place.succeed(&[&["data", "synthesize", "--out", directory], &size[..]].concat());
    }
    let file = |directory: &str| fs::read(place.path(directory).join("train_signs.h5")).unwrap();
    assert!(file("a") == file("b"), "the same seed generated other images");
    assert!(file("a") != file("c"), "another seed generated the same images");
}

#[test]
fn the_directory_in_signs_dir_overrides_that_of_the_config() {
    let place = place();
    let size = ["--train", "30", "--test", "6"];
    place.succeed(&[&["data", "synthesize", "--out", "mine"], &size[..]].concat());
    let output = place.command(&["--config", "generated.toml"]).env("SIGNS_DIR", "mine").output();
    let ran = crate::place::Ran::from(output.unwrap());
    assert!(ran.stdout.contains("30 train, 6 test"), "{ran:#?}");
}

#[test]
fn a_hidden_layer_helps_on_synthetic_data() {
    let place = place();
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
        place.succeed(&[&["--config", "generated.toml", "--run-dir", run], &sets[..]].concat());
        json(&place.read(format!("{run}/summary.json")))["test_accuracy"].as_f64().unwrap()
    };
    let (regression, perceptron) = (accuracy("[]", "regression"), accuracy("[128, 64]", "mlp"));
    println!("softmax regression {regression}, perceptron {perceptron}");
    assert!((0.35..0.65).contains(&regression), "{regression}");
    assert!(perceptron > regression + 0.08, "{regression} {perceptron}");
}
