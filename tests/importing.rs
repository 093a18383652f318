//! `trainer data import`, `export` and `split`: files, output and errors.

use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use data::SplitKind;
use data_hdf5::Hdf5File;
use image::RgbImage;

use crate::screen::assert_fits;
use crate::test_dir::{ProgramOutput, TestDir, coloured};
use crate::training::json;

/// Creates a directory with `photos`: the images of `data/train.h5` as files.
fn photos() -> TestDir {
    let dir = TestDir::new();
    dir.succeed(&["data", "export", "data/train.h5", "--out", "photos"]);
    dir
}

pub fn read(dir: &TestDir, file: &str, split: SplitKind) -> Hdf5File {
    data_hdf5::read(&dir.path(file), split).unwrap()
}

/// Asserts that two files have the same examples and classes.
#[track_caller]
pub fn assert_equal_data(one: &Hdf5File, other: &Hdf5File) {
    assert!(one.examples == other.examples, "the examples differ");
    assert_eq!(one.classes, other.classes);
}

#[test]
fn import_reports_the_data_set_and_skipped_files() {
    let dir = photos();
    dir.write("photos/red/notes.txt", "a note");
    dir.write("photos/red/broken.png", "no image");
    fs::remove_file(dir.path("photos/classes.txt")).unwrap();
    let args = ["data", "import", "photos", "--out", "sets/photos", "--validation-fraction", "0.2"];
    let more = ["--size", "8x6", "--fit", "crop", "--skip-corrupt"];
    let output = dir.succeed(&[&args[..], &more].concat());
    insta::assert_snapshot!("data-import", output.stdout);
    assert_fits(&output.stdout);
    assert_eq!(dir.names("sets/photos"), ["manifest.csv", "train.h5", "validation.h5"]);

    let more = ["--size", "8x6", "--skip-corrupt", "--json", "--out", "again.h5"];
    let report = json(&dir.succeed(&[&["data", "import", "photos"], &more[..]].concat()).stdout);
    assert_eq!(report["classes"], json(r#"["blue", "green", "red"]"#));
    assert_eq!((&report["shape"], &report["out"]), (&json("[8, 6, 3]"), &json("\"again.h5\"")));
    assert_eq!(report["parts"][0]["classes"], json("[20, 20, 20]"));
    assert_eq!(report["skipped"][0]["path"], "photos/red/broken.png");
    assert_eq!(report["left_out"][0], "photos/red/notes.txt");
}

#[test]
fn an_export_can_be_imported_without_changes() {
    let dir = TestDir::new();
    let output = dir.succeed(&["data", "export", "tiny.toml", "--out", "images"]);
    insta::assert_snapshot!("data-export", output.stdout);
    assert_fits(&output.stdout);
    assert_eq!(dir.names("images"), ["classes.txt", "test", "train", "validation"]);
    dir.succeed(&["data", "import", "images", "--out", "back"]);
    assert_equal_data(
        &read(&dir, "back/test.h5", SplitKind::Test),
        &read(&dir, "data/test.h5", SplitKind::Test),
    );
    let report =
        dir.succeed(&["data", "export", "data/train.h5", "--out", "flat", "--flat", "--json"]);
    let report = json(&report.stdout);
    assert_eq!(
        (&report["parts"][0]["part"], &report["parts"][0]["count"]),
        (&json("\"train\""), &json("60"))
    );
    assert!(dir.path("flat/green_00004.png").is_file(), "{:?}", dir.names("flat"));
    dir.succeed(&["data", "import", "flat", "--out", "flat.h5"]);
    assert_equal_data(
        &read(&dir, "flat.h5", SplitKind::Train),
        &read(&dir, "data/train.h5", SplitKind::Train),
    );
}

#[test]
fn split_writes_one_file_per_split() {
    let dir = TestDir::new();
    let mut images = coloured(60);
    let copies: Vec<usize> = (0..54).chain([0, 1, 2, 0, 1, 2]).collect();
    images = images.select(&copies);
    let classes = ["red", "green", "blue"].map(String::from);
    data_hdf5::write(&dir.path("all.h5"), SplitKind::Train, &images, &classes).unwrap();
    let fractions = ["--test-fraction", "0.2", "--validation-fraction", "0.1"];
    let output =
        dir.succeed(&[&["data", "split", "all.h5", "--out", "parts"], &fractions[..]].concat());
    insta::assert_snapshot!("data-split", output.stdout);
    assert_fits(&output.stdout);
    assert_eq!(dir.names("parts"), ["manifest.csv", "test.h5", "train.h5", "validation.h5"]);
    let output = dir.succeed(
        &[
            &[
                "data",
                "split",
                "all.h5",
                "--out",
                "independent",
                "--ignore-near-duplicates",
                "--json",
            ],
            &fractions[..],
        ]
        .concat(),
    );
    let report = json(&output.stdout);
    assert_eq!(
        (&report["duplicate_groups"], &report["parts"][2]["count"]),
        (&json("null"), &json("12"))
    );
}

#[test]
fn an_imported_data_set_can_be_trained_on() {
    let dir = photos();
    dir.succeed(&["data", "import", "photos", "--out", "mine", "--test-fraction", "0.2"]);
    let output = dir.succeed(&["config", "init", "mine"]);
    assert!(output.stdout.contains("wrote mine.toml"), "{}", output.stdout);
    let output = dir.succeed(&["--config", "mine.toml", "--set", "training.epochs=3"]);
    assert!(output.stdout.contains("done in"), "{}", output.stdout);
    // Predicted classes are named after the folders.
    let output = dir.succeed(&["predict", "runs/mine", "photos/red/00000.png", "--json"]);
    assert!(
        ["red", "green", "blue"].iter().all(|class| output.stdout.contains(class)),
        "{}",
        output.stdout
    );
}

#[test]
fn import_errors_include_a_remedy() {
    let dir = photos();
    dir.write("photos/red/broken.png", "no image");
    RgbImage::new(9, 5).save(dir.path("photos/blue/wide.png")).unwrap();
    let refuses = |args: &[&str], code, words: &[&str]| {
        dir.refuses(&[&["data", "import"], args].concat(), code, words);
    };
    refuses(&["photos", "--out", "x.h5"], 1, &["2 sizes", "5x9", "--size 6"]);
    refuses(
        &["photos", "--out", "x.h5", "--size", "6"],
        1,
        &["photos/red/broken.png", "--skip-corrupt"],
    );
    refuses(
        &["photos/red", "--out", "x.h5"],
        1,
        &["no class before an underscore", "DIR/<class>/*.png"],
    );
    refuses(&["photo", "--out", "x.h5"], 1, &["cannot read photo", "check the path"]);
    refuses(&["photos", "--out", "data/train.h5"], 2, &["data/train.h5 exists", "--out"]);
    refuses(&["photos", "--out", "data"], 2, &["data is not empty", "--out"]);
    refuses(&["photos", "--out", "x.h5", "--test-fraction", "0.1"], 2, &["one file", "directory"]);
    refuses(&["photos", "--out", "x.h5", "--size", "6x"], 2, &["6x", "64 or 48x64"]);
    refuses(&["photos", "--out", "x.h5", "--fit", "pad"], 2, &["--size"]);
    refuses(&["--out", "x.h5"], 2, &["<DIR>"]);
}

#[test]
fn export_and_split_errors_include_a_remedy() {
    let dir = photos();
    let refuses = |args: &[&str], code, words: &[&str]| {
        dir.refuses(&[&["data"], args].concat(), code, words);
    };
    refuses(&["export", "data/train.h5", "--out", "photos"], 2, &["photos is not empty", "--out"]);
    refuses(&["export", "data/none.h5", "--out", "x"], 1, &["data/none.h5", "check the path"]);
    refuses(&["export", "none.toml", "--out", "x"], 2, &["none.toml"]);
    let split = |file: &str, fractions: &[&str], code, words: &[&str]| {
        refuses(&[&["split", file, "--out", "x"], fractions].concat(), code, words);
    };
    split("data/test.h5", &["--test-fraction", "0.1"], 1, &["a test set only", "training set"]);
    split("data/train.h5", &[], 2, &["--test-fraction <F>", "--validation-fraction <F>"]);
    split("data/train.h5", &["--test-fraction", "1.5"], 2, &["between 0 and 1"]);
    split(
        "data/train.h5",
        &["--test-fraction", "0.001"],
        2,
        &["none of 60", "larger --test-fraction"],
    );
    let both = ["--test-fraction", "0.5", "--validation-fraction", "0.5"];
    split("data/train.h5", &both, 2, &["no training set", "smaller"]);
}

/// Waits until a partial output exists.
fn await_partial(dir: &TestDir) {
    let is_partial = |name: &String| name.ends_with(".partial");
    for _ in 0..1000 {
        if dir.names("").iter().any(is_partial) {
            return;
        }
        sleep(Duration::from_millis(10));
    }
    panic!("no partial output");
}

#[test]
fn a_stopped_import_leaves_no_files() {
    let dir = TestDir::new();
    for class in ["a", "b"] {
        fs::create_dir_all(dir.path("many").join(class)).unwrap();
    }
    RgbImage::new(1500, 1500).save(dir.path("large.png")).unwrap();
    let link = |name: &Path| fs::hard_link(dir.path("large.png"), dir.path("many").join(name));
    for item in 0..2000 {
        link(Path::new(&format!("{}/{item}.png", ["a", "b"][item % 2]))).unwrap();
    }
    let before = dir.names("");
    for (signal, code, out) in [("-INT", 130, "new.h5"), ("-TERM", 143, "new")] {
        let child = dir.start(&["data", "import", "many", "--out", out, "--size", "8"]);
        await_partial(&dir);
        let id = child.id().to_string();
        std::process::Command::new("kill").args([signal, &id]).status().unwrap();
        let output = ProgramOutput::from(child.wait_with_output().unwrap());
        output.refused(code, &["stopped; nothing was written"]);
        assert_eq!(dir.names(""), before);
    }
}
