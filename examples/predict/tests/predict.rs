//! The program predicts with the file of a model alone.

use std::process::{Command, Output};
use std::{fs, path::Path};

use image::{Rgb, RgbImage};
use tempfile::TempDir;
use training::{Experiment, ModelRegistry, RunConfig, Ui};

/// Trains a model that separates black from white images, keeps its file `model` in `directory`, and removes
/// its run.
fn model(directory: &Path) {
    for (class, grey) in [("black", 20), ("white", 220)] {
        fs::create_dir_all(directory.join("images").join(class)).unwrap();
        for shade in 0..16 {
            let pixel = |x: u32, y: u32| Rgb([(grey + shade + (x * y) as u8 % 9); 3]);
            let path = directory.join(format!("images/{class}/{shade}.png"));
            RgbImage::from_fn(8, 8, pixel).save(path).unwrap();
        }
    }
    let text = format!(
        "name = \"shades\"\nsplit.test_fraction = 0.25\n[dataset.folder]\ndirectory = {:?}\nsize = 8\n[model.mlp]\n[optimizer.adam]\n[training]\nepochs = 20\n",
        directory.join("images")
    );
    let config = RunConfig::parse(Path::new("config.toml"), &text, &[], &ModelRegistry::new());
    let experiment = Experiment::prepare(&config.unwrap(), None, None).unwrap();
    let mut run = experiment.start_at(&directory.join("run")).unwrap();
    run.train(Ui::silent(Box::new(|| None))).unwrap();
    fs::rename(directory.join("run/best_model.bpk"), directory.join("model")).unwrap();
    fs::remove_dir_all(directory.join("run")).unwrap();
}

fn predict(directory: &Path, args: &[&str]) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_predict"));
    program.args(args).current_dir(directory).output().unwrap()
}

#[test]
fn a_model_predicts_without_its_run() {
    let directory = TempDir::new().unwrap();
    let directory = directory.path();
    model(directory);
    let output = predict(directory, &["model", "images/black/3.png", "images/white/5.png"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert!(lines[0].starts_with("images/black/3.png: black ("), "{text}");
    assert!(lines[1].starts_with("images/white/5.png: white ("), "{text}");

    let mut bytes = fs::read(directory.join("model")).unwrap();
    let last = bytes.len() - 5;
    bytes[last] ^= 1;
    fs::write(directory.join("damaged"), bytes).unwrap();
    for (file, reason) in [("damaged", "checksum"), ("images/black/3.png", "is not a model")] {
        let output = predict(directory, &[file, "images/black/3.png"]);
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && text.contains(reason), "{text}");
    }
}
