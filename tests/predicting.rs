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
