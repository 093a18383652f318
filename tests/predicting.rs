//! `trainer predict` on many images, and the fit that it follows.

use std::fs;
use std::io::Write;
use std::process::Stdio;

use image::{Rgb, RgbImage};

use crate::test_dir::{ProgramOutput, TestDir};
use crate::training::json;

/// A trained run, and a folder with images of the three colours in two folders.
fn trained() -> TestDir {
    let dir = TestDir::new();
    dir.succeed(&["--config", "tiny.toml", "--set", "training.epochs=20"]);
    fs::create_dir_all(dir.path("new/more")).unwrap();
    for (name, colour) in
        [("red", [220, 20, 20]), ("green", [20, 220, 20]), ("more/blue", [20, 20, 220])]
    {
        RgbImage::from_pixel(9, 7, Rgb(colour)).save(dir.path(format!("new/{name}.png"))).unwrap();
    }
    dir
}

/// Runs `predict` with `input` on its standard input.
fn piped(dir: &TestDir, args: &[&str], input: &[u8]) -> ProgramOutput {
    let mut child = dir
        .command(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap().into()
}

#[test]
fn folders_patterns_and_the_standard_input_name_images() {
    let dir = trained();
    let all = "new/green.png: green\nnew/more/blue.png: blue\nnew/red.png: red\n";
    let classes = |text: &str| {
        let lines = text.lines().map(|line| line.split(" (").next().unwrap().to_owned() + "\n");
        lines.collect::<String>()
    };
    assert_eq!(classes(&dir.succeed(&["predict", "tiny", "new"]).stdout), all);
    let pattern = dir.succeed(&["predict", "tiny", "new/**/*.png"]).stdout;
    let mut lines: Vec<_> = pattern.lines().map(|line| line.split(':').next().unwrap()).collect();
    lines.sort_unstable();
    assert_eq!(lines, ["new/green.png", "new/more/blue.png", "new/red.png"]);
    let names = piped(&dir, &["predict", "tiny", "-"], b"new/red.png\r\nnew/green.png\n");
    assert_eq!(classes(&names.stdout), "new/red.png: red\nnew/green.png: green\n");
    let image = fs::read(dir.path("new/more/blue.png")).unwrap();
    assert_eq!(classes(&piped(&dir, &["predict", "tiny", "-"], &image).stdout), "-: blue\n");
    dir.trainer(&["predict", "tiny", "new/*.gif"]).refused(2, &["new/*.gif matches no file"]);
}

#[test]
fn unreadable_images_are_listed_and_the_others_predicted() {
    let dir = trained();
    dir.write("new/bad.png", "");
    dir.write("new/photo.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic");
    let output = dir.trainer(&["predict", "tiny", "new"]);
    output.refused(
        1,
        &["2 of 5 images cannot be read", "new/bad.png: the file is empty", "heif-convert"],
    );
    assert_eq!(output.stdout.lines().count(), 3);
    let output = dir.trainer(&["predict", "tiny", "new", "--json"]);
    let report = json(&output.stdout);
    assert_eq!(output.code, Some(1));
    assert_eq!(report["predictions"].as_array().unwrap().len(), 3);
    assert_eq!(report["unreadable"][0]["input"], "new/bad.png");
}

#[test]
fn csv_has_a_header_and_top_k_classes() {
    let dir = trained();
    fs::rename(dir.path("new/red.png"), dir.path("new/a, b.png")).unwrap();
    let text = dir.succeed(&["predict", "tiny", "new", "--csv"]).stdout;
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "input,class,probability");
    assert!(lines[1].starts_with("\"new/a, b.png\",red,0."), "{text}");
    assert_eq!(lines.len(), 4);
    let text = dir.succeed(&["predict", "tiny", "new", "--csv", "--top-k", "2"]).stdout;
    assert!(text.starts_with("input,class,probability,class_2,probability_2\n"), "{text}");
    assert_eq!(text.lines().nth(1).unwrap().matches(',').count(), 5);
    let text = dir.succeed(&["predict", "tiny", "new", "--top-k", "1"]).stdout;
    assert!(!text.contains("then"), "{text}");
    let report = json(&dir.succeed(&["predict", "tiny", "new", "--json", "--top-k", "2"]).stdout);
    assert_eq!(report["predictions"][0]["probabilities"].as_array().unwrap().len(), 2);
}

/// Images of 16 x 8 whose middle half shows the class: red, green or blue, between grey borders.
fn wide_images(dir: &TestDir, folder: &str, count: usize) {
    let colours = [("red", [250, 40, 40]), ("green", [40, 250, 40]), ("blue", [40, 40, 250])];
    for (class, colour) in colours {
        fs::create_dir_all(dir.path(format!("{folder}/{class}"))).unwrap();
        for item in 0..count {
            let image = RgbImage::from_fn(16, 8, |x, y| {
                let noise = ((x * 7 + y * 13 + item as u32 * 29) % 40) as u8;
                let inside = (4..12).contains(&x);
                // The borders have the colours of another class.
                let [red, green, blue] =
                    if inside { colour } else { [colour[2], colour[0], colour[1]] };
                Rgb([red - noise, green - noise, blue - noise])
            });
            image.save(dir.path(format!("{folder}/{class}/{item}.png"))).unwrap();
        }
    }
}

#[test]
fn predictions_follow_the_fit_of_an_import_and_of_a_folder() {
    let dir = TestDir::new();
    wide_images(&dir, "photos/train", 12);
    wide_images(&dir, "photos/test", 4);
    dir.succeed(&["data", "import", "photos", "--out", "sets", "--size", "8", "--fit", "crop"]);
    dir.succeed(&["config", "init", "sets", "--out", "imported.toml"]);
    assert!(dir.read("imported.toml").contains("fit = \"crop\""));
    let folder = "[dataset.folder]\ndirectory = \"photos\"\nsize = 8\nfit = \"crop\"\n";
    let rest = "[model.mlp]\nhidden = [8]\n[optimizer.adam]\nlearning_rate = 1e-2\n[training]\nepochs = 30\nbatch_size = 9\n";
    dir.write("folder.toml", format!("name = \"folder\"\n{folder}{rest}"));
    let files = "[dataset.hdf5]\ndirectory = \"sets\"\ntrain = \"train.h5\"\ntest = \"test.h5\"\n";
    dir.write("files.toml", format!("name = \"files\"\n{files}{rest}"));
    for name in ["folder", "files"] {
        dir.succeed(&["--config", &format!("{name}.toml")]);
        let predicted = dir.succeed(&["predict", name, "photos/test"]).stdout;
        for line in predicted.lines() {
            let class = line.split('/').nth(2).unwrap();
            assert!(line.contains(&format!(": {class} (")), "{name}: {predicted}");
        }
    }
}

#[test]
fn answers_below_the_threshold_are_unsure_in_every_format() {
    let dir = trained();
    RgbImage::from_pixel(9, 7, Rgb([120, 120, 120])).save(dir.path("new/grey.png")).unwrap();
    let all = dir.succeed(&["predict", "tiny", "new", "--csv"]).stdout;
    let mut probabilities: Vec<(f32, &str)> = all
        .lines()
        .skip(1)
        .map(|line| {
            (line.rsplit(',').next().unwrap().parse().unwrap(), line.split(',').next().unwrap())
        })
        .collect();
    probabilities.sort_by(|one, other| one.0.total_cmp(&other.0));
    let [(lowest, input), (next, _), ..] = probabilities[..] else { panic!("{all}") };
    assert_eq!(input, "new/grey.png", "{all}");
    let threshold = f32::midpoint(lowest, next).to_string();
    let args = ["predict", "tiny", "new", "--threshold", &threshold];

    let text = dir.succeed(&args).stdout;
    let unsure: Vec<&str> = text.lines().filter(|line| line.contains(": unsure  ")).collect();
    assert!(unsure.len() == 1 && unsure[0].starts_with("new/grey.png: unsure  "), "{text}");
    assert_eq!(unsure[0].matches(" %)").count(), 3, "{text}");
    let csv = dir.succeed(&[&args[..], &["--csv", "--top-k", "2"]].concat()).stdout;
    assert!(csv.contains(&format!("new/grey.png,unsure,{lowest},")), "{csv}");
    assert_eq!(csv.matches("unsure").count(), 1, "{csv}");
    let report = json(&dir.succeed(&[&args[..], &["--json"]].concat()).stdout);
    for prediction in report["predictions"].as_array().unwrap() {
        let is_grey = prediction["input"] == "new/grey.png";
        assert_eq!(prediction["class"] == "unsure", is_grey, "{prediction}");
        assert_eq!(prediction["probabilities"].as_array().unwrap().len(), 3);
    }
    for wrong in ["1.5", "-0.1", "nan", "80%"] {
        let args = ["predict", "tiny", "new", &format!("--threshold={wrong}")];
        dir.trainer(&args).refused(2, &["--threshold", "from 0 to 1"]);
    }
}

#[test]
fn probabilities_have_the_temperature_that_was_fitted_on_the_validation_set() {
    let dir = trained();
    let predicted = || json(&dir.succeed(&["predict", "tiny", "new", "--json"]).stdout);
    let with = predicted()["predictions"].clone();
    let summary = json(&dir.read("runs/tiny/summary.json"));
    let temperature = summary["calibration"]["temperature"].as_f64().unwrap();
    assert!(summary["calibration"]["error_after"].is_number(), "{summary}");
    for file in ["summary.json", "checkpoints"] {
        let path = dir.path("runs/tiny").join(file);
        if path.is_dir() {
            fs::remove_dir_all(path).unwrap()
        } else {
            fs::remove_file(path).unwrap()
        }
    }
    assert_eq!(predicted()["predictions"], with, "the temperature is in the model");

    // A model of the same weights without a temperature, as earlier versions saved it.
    dir.succeed(&["--config", "tiny.toml", "--set", "training.epochs=20", "--run-dir", "runs/old"]);
    fs::remove_file(dir.path("runs/old/best_model.bpk")).unwrap();
    let output = dir.succeed(&["predict", "old", "new", "--json", "--threshold", "0"]);
    assert!(output.stderr.contains("not calibrated"), "{}", output.stderr);
    let without = json(&output.stdout)["predictions"].clone();
    let odds = |predictions: &serde_json::Value, item: usize| {
        let probability = |class: usize| {
            predictions[item]["probabilities"][class]["probability"].as_f64().unwrap()
        };
        (probability(0) / probability(1)).ln()
    };
    for item in 0..3 {
        assert_eq!(with[item]["class"], without[item]["class"]);
        let difference = odds(&without, item) / temperature - odds(&with, item);
        assert!(difference.abs() < 1e-3 * odds(&with, item).abs().max(1.0), "{item}: {difference}");
    }
}

#[test]
fn evaluations_and_the_report_have_the_calibration_error_before_and_after() {
    let dir = trained();
    let summary = json(&dir.read("runs/tiny/summary.json"));
    let validation = dir.succeed(&["evaluate", "tiny", "--split", "validation", "--json"]).stdout;
    assert_eq!(json(&validation)["calibration"], summary["calibration"]);
    let test = json(&dir.read("runs/tiny/evaluation-test.json"))["calibration"].clone();
    assert_eq!(test["temperature"], summary["calibration"]["temperature"]);
    let text = dir.succeed(&["evaluate", "tiny"]).stdout;
    let percent = |key: &str| format!("{:.1} %", 100.0 * test[key].as_f64().unwrap());
    let (before, after) = (percent("error_before"), percent("error_after"));
    assert!(text.contains(&format!("calibration error {before} before, {after} after")), "{text}");
    let page = dir.read("runs/tiny/report.html");
    assert!(page.contains(&format!("on the test set: {before} before and {after} after")));
    assert!(page.contains("On the validation set, by cross-fitting: "));

    let args = ["--config", "tiny.toml", "--set", "split.validation_fraction=0"];
    dir.succeed(&[&args[..], &["--run-dir", "runs/whole"]].concat());
    assert!(json(&dir.read("runs/whole/summary.json"))["calibration"].is_null());
    assert!(dir.succeed(&["evaluate", "whole"]).stdout.contains("no temperature"));
    assert!(dir.read("runs/whole/report.html").contains("no temperature"));
}

#[test]
fn the_file_of_a_model_predicts_and_is_exported_alone() {
    let dir = TestDir::new();
    dir.succeed(&["train", "tiny.toml"]);
    dir.succeed(&["data", "export", "tiny.toml", "--out", "pictures"]);
    let of_run = dir.succeed(&["predict", "tiny", "pictures", "--csv"]).stdout;
    dir.succeed(&["export", "tiny", "--to", "safetensors"]);
    fs::rename(dir.path("runs/tiny/best_model.bpk"), dir.path("shades.bpk")).unwrap();
    fs::remove_dir_all(dir.path("runs")).unwrap();
    assert_eq!(dir.succeed(&["predict", "shades.bpk", "pictures", "--csv"]).stdout, of_run);
    dir.succeed(&["export", "shades.bpk", "--to", "safetensors"]);
    let tensors = |name: &str| fs::read(dir.path(name).join("model.safetensors")).unwrap();
    assert!(tensors("shades-pytorch") == tensors("tiny-pytorch"));

    let mut bytes = fs::read(dir.path("shades.bpk")).unwrap();
    let last = bytes.len() - 3;
    bytes[last] ^= 1;
    fs::write(dir.path("damaged.bpk"), bytes).unwrap();
    for (file, reason) in [("damaged.bpk", "checksum"), ("tiny.toml", "is not a model")] {
        dir.trainer(&["predict", file, "pictures"]).refused(1, &[reason, "best_model.bpk"]);
    }
}
