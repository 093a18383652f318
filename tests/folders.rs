//! `[dataset.folder]`: training from folders of images.

use std::fs;

use image::{Rgb, RgbImage};

use crate::test_dir::TestDir;
use crate::training::json;

const REST: &str = "[model.mlp]\nhidden = [8]\n[optimizer.adam]\nlearning_rate = 1e-2\n[training]\nepochs = 2\nbatch_size = 16\n";

/// Writes an image in the colour of class `class`, different for each `item`.
fn image(dir: &TestDir, path: &str, class: usize, item: u32) {
    let path = dir.path(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let pixel = |x: u32, y: u32| {
        let noise = (x * 31 + y * 17 + item * 101 + (x * y * item) % 7) % 120;
        let mut pixel = [noise as u8; 3];
        pixel[class] += 130;
        Rgb(pixel)
    };
    RgbImage::from_fn(12, 12, pixel).save(path).unwrap();
}

/// `photos/<class>/<item>.png`, 20 images of each of three classes.
fn photos() -> TestDir {
    let dir = TestDir::new();
    for (class, name) in ["red", "green", "blue"].iter().enumerate() {
        (0..20).for_each(|item| image(&dir, &format!("photos/{name}/{item}.png"), class, item));
    }
    dir
}

fn config(dir: &TestDir, name: &str, dataset: &str) {
    dir.write(
        &format!("{name}.toml"),
        format!("name = \"{name}\"\n[dataset.folder]\n{dataset}\n{REST}"),
    );
}

#[test]
fn one_command_trains_a_folder_of_photos_and_leaves_a_report() {
    let dir = photos();
    let output = dir.succeed(&["train", "photos", "--epochs", "2"]);
    for words in ["[dataset.folder]", "directory = \"photos\"", "size = 12", "test accuracy"] {
        assert!(output.stdout.contains(words) || output.stderr.contains(words), "{output:#?}");
    }
    assert!(dir.path("runs/photos/report.html").exists());
    let config = dir.read("runs/photos/config.toml");
    assert!(config.contains("epochs = 2") && config.contains("[dataset.folder]"), "{config}");
    // The directory of the run is all that is needed.
    assert!(dir.succeed(&["evaluate", "photos"]).stdout.starts_with("test set: accuracy"));
    dir.succeed(&["--resume", "photos", "--epochs", "3"]);
}

#[test]
fn config_init_writes_a_config_for_a_folder() {
    let dir = photos();
    dir.succeed(&["config", "init", "photos"]);
    let text = dir.read("photos.toml");
    assert!(
        text.contains(
            "directory = \"photos\"\n# Images are resized to this height and width. Larger ones show finer details; the time grows with the\n# square.\nsize = 12\n"
        ),
        "{text}"
    );
    dir.succeed(&["config", "check", "photos.toml"]);
    let missing = ["config", "init", "nowhere", "--out", "x.toml"];
    dir.trainer(&missing).refused(1, &["nowhere", "no such file"]);
}

#[test]
fn bits_do_not_depend_on_the_cache_or_on_workers() {
    let dir = photos();
    config(&dir, "one", "directory = \"photos\"\nsize = 8");
    let fractions = ["--set", "split.validation_fraction=0.2", "--set", "split.test_fraction=0.2"];
    let weights = |run: &str, more: &[&str], has_cache: bool| {
        let mut command =
            dir.command(&[&["train", "one.toml", "--run-dir", run], &fractions[..], more].concat());
        if !has_cache {
            // A directory that cannot be created.
            command.env("XDG_CACHE_HOME", "/dev/null/cache");
        }
        assert!(command.output().unwrap().status.success());
        fs::read(dir.path(run).join("best_model.bpk")).unwrap()
    };
    let first = weights("first", &[], true);
    assert_eq!(
        dir.names("cache/trainer/images").iter().filter(|name| name.ends_with(".rows")).count(),
        2
    );
    assert!(weights("cached", &[], true) == first);
    assert!(weights("without", &[], false) == first);
    assert!(weights("workers", &["--set", "training.loader.workers=2"], false) == first);
}

#[test]
fn parts_are_found_or_named_and_a_fraction_for_a_folder_that_exists_is_refused() {
    let dir = TestDir::new();
    for (part, count) in [("Training", 9), ("valid", 3), ("Testing", 4)] {
        for (class, name) in ["a", "b"].iter().enumerate() {
            (0..count).for_each(|item| {
                image(&dir, &format!("set/{part}/{name}/{item}.png"), class, item + 7 * count)
            });
        }
    }
    config(&dir, "found", "directory = \"set\"\nsize = 6");
    let counts = "18 train, 6 validation, 8 test";
    let output = dir.succeed(&["train", "found.toml"]);
    assert!(output.stdout.contains(counts) || output.stderr.contains(counts), "{output:#?}");
    config(&dir, "named", "directory = \"set\"\ntrain = \"Training\"\ntest = \"valid\"\nsize = 6");
    let output = dir.succeed(&["train", "named.toml"]);
    assert!(
        output.stdout.contains("18 train, 6 test") || output.stderr.contains("18 train, 6 test"),
        "{output:#?}"
    );
    dir.trainer(&["train", "found.toml", "--set", "split.test_fraction=0.1"])
        .refused(2, &["split.test_fraction", "test set of its own"]);
}

#[test]
fn labels_come_from_names_a_pattern_or_a_table() {
    let dir = TestDir::new();
    for item in 0..12 {
        let class = ["cat", "dog"][item % 2];
        image(&dir, &format!("flat/{class}.{item}.png"), item % 2, item as u32);
        image(&dir, &format!("odd/{item}-{class}-x.png"), item % 2, item as u32);
    }
    let rows = (0..12)
        .map(|item| format!("{item}-{}-x,{}\n", ["cat", "dog"][item % 2], ["C", "D"][item % 2]));
    dir.write("odd/labels.csv", "id,breed\n".to_owned() + &rows.collect::<String>());
    config(&dir, "names", "directory = \"flat\"\nsize = 6");
    config(&dir, "pattern", "directory = \"odd\"\nsize = 6\nlabel_pattern = '-([a-z]+)-'");
    config(&dir, "table", "directory = \"odd\"\nsize = 6\nlabels = \"labels.csv\"");
    for (name, classes) in
        [("names", ["cat", "dog"]), ("pattern", ["cat", "dog"]), ("table", ["C", "D"])]
    {
        dir.succeed(&["train", &format!("{name}.toml"), "--set", "split.test_fraction=0.2"]);
        let environment = json(&dir.read(format!("runs/{name}/environment.json")));
        assert_eq!(environment["data"]["classes"], json(&format!("{classes:?}")), "{name}");
    }
    config(&dir, "broken", "directory = \"odd\"\nsize = 6\nlabel_pattern = '('");
    dir.trainer(&["config", "check", "broken.toml"])
        .refused(2, &["label_pattern", "unclosed group"]);
    config(&dir, "sizes", "directory = \"odd\"\nsize = [6, 0]");
    dir.trainer(&["config", "check", "sizes.toml"]).refused(2, &["sizes.toml:", "from 1 to 4096"]);
}

#[test]
fn an_unreadable_photo_is_named_and_skipped_on_request() {
    let dir = photos();
    dir.write("photos/red/3.png", "no image");
    dir.write("photos/red/note.txt", "not an image");
    config(&dir, "one", "directory = \"photos\"\nsize = 8");
    let train = ["train", "one.toml", "--set", "split.test_fraction=0.2"];
    dir.trainer(&train).refused(1, &["1 image cannot be read", "photos/red/3.png: "]);
    let output =
        dir.succeed(&[&train[..], &["--set", "dataset.folder.skip_corrupt=true"]].concat());
    for words in ["skipped 1 unreadable image", "left out 1 other file"] {
        assert!(output.stdout.contains(words) || output.stderr.contains(words), "{output:#?}");
    }
}

#[test]
fn a_photo_that_changed_since_the_run_is_noticed() {
    let dir = photos();
    config(&dir, "one", "directory = \"photos\"\nsize = 8");
    dir.succeed(&["train", "one.toml", "--set", "split.test_fraction=0.2"]);
    image(&dir, "photos/red/3.png", 0, 999);
    dir.trainer(&["evaluate", "one"]).refused(1, &["the train set differs", "SHA-256"]);
}

#[test]
fn a_missing_folder_is_an_error_with_its_path() {
    let dir = TestDir::new();
    config(&dir, "one", "directory = \"nowhere\"\nsize = 8");
    dir.trainer(&["train", "one.toml"]).refused(1, &["cannot read", "nowhere", "No such file"]);
    dir.trainer(&["train", "nowhere/"]).refused(2, &["nowhere"]);
}

#[test]
fn a_model_is_evaluated_on_a_folder_whose_classes_are_matched_by_name() {
    let dir = photos();
    config(&dir, "one", "directory = \"photos\"\nsize = 8");
    dir.succeed(&["train", "one.toml", "--epochs", "30", "--set", "split.test_fraction=0.2"]);
    for (class, name) in [(2, "blue"), (0, "red")] {
        (0..6).for_each(|item| image(&dir, &format!("new/{name}/{item}.png"), class, item + 50));
    }
    let evaluation = dir.succeed(&["evaluate", "one", "--data", "new", "--json"]).stdout;
    let evaluation = json(&evaluation);
    assert_eq!((&evaluation["count"], &evaluation["data"]), (&json("12"), &json("\"new\"")));
    assert!(evaluation["accuracy"].as_f64().unwrap() > 0.9, "{evaluation}");
    fs::rename(dir.path("new/red"), dir.path("new/yellow")).unwrap();
    dir.trainer(&["evaluate", "one", "--data", "new"]).refused(1, &["yellow (6 examples)"]);
}

#[test]
fn a_moved_folder_is_named_by_an_override() {
    let dir = photos();
    config(&dir, "moved", "directory = \"photos\"\nsize = 8\n[split]\nvalidation_fraction = 0.2");
    dir.succeed(&["train", "moved.toml"]);
    fs::rename(dir.path("photos"), dir.path("elsewhere")).unwrap();
    let epochs = ["--resume", "runs/moved", "--set", "training.epochs=3"];
    let words = ["photos", "--set dataset.folder.directory=DIR"];
    dir.trainer(&epochs).refused(1, &words);
    let moved = ["--set", "dataset.folder.directory=elsewhere"];
    dir.succeed(&[&epochs[..], &moved].concat());
    dir.succeed(&[&["evaluate", "runs/moved"][..], &moved].concat());
}

#[test]
fn a_folder_and_its_import_give_the_same_weights() {
    let dir = photos();
    dir.succeed(&["data", "import", "photos", "--out", "photos.h5", "--size", "8"]);
    config(&dir, "folder", "directory = \"photos\"\nsize = 8");
    let files = "[dataset.hdf5]\ndirectory = \".\"\ntrain = \"photos.h5\"\n";
    dir.write("files.toml", format!("name = \"files\"\n{files}{REST}"));
    let weights = |name: &str| {
        dir.succeed(&["train", &format!("{name}.toml")]);
        fs::read(dir.path(format!("runs/{name}/best_model.bpk"))).unwrap()
    };
    assert!(weights("folder") == weights("files"), "the runs differ");
}
