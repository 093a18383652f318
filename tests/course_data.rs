//! Tests on the data of the courses, which are not part of the repository. They are ignored by
//! default; `scripts/test` runs them if there is a folder `../shared/data` beside the checkout.

use std::fs;
use std::path::PathBuf;

use data::SplitKind;

use crate::courses::shipped;
use crate::importing::{assert_equal_data, read};
use crate::shipped_configs::root;
use crate::test_dir::{ProgramOutput, TestDir};
use crate::training::json;

/// Path of a file or folder below `../shared/data`; panics if it is missing.
fn course_data(name: &str) -> PathBuf {
    let path = root().join("../shared/data").join(name);
    fs::canonicalize(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
#[ignore = "needs the data of the course"]
fn signs_exported_and_imported_are_identical() {
    let signs = course_data("signs");
    let dir = TestDir::new();
    for (file, split) in [("train_signs.h5", SplitKind::Train), ("test_signs.h5", SplitKind::Test)]
    {
        let file = signs.join(file);
        let folder = format!("signs/{split}");
        fs::create_dir_all(dir.path("signs")).unwrap();
        dir.succeed(&["data", "export", file.to_str().unwrap(), "--out", &folder, "--flat"]);
    }
    dir.succeed(&["data", "import", "signs", "--out", "back"]);
    for (file, split) in [("train", SplitKind::Train), ("test", SplitKind::Test)] {
        let original = data_hdf5::read(&signs.join(format!("{file}_signs.h5")), split).unwrap();
        assert_equal_data(&read(&dir, &format!("back/{file}.h5"), split), &original);
    }
}

#[test]
#[ignore = "needs the data of the course"]
fn near_duplicates_in_signs_are_never_split() {
    let signs = course_data("signs");
    let dir = TestDir::new();
    let file = signs.join("train_signs.h5");
    let args = ["data", "split", file.to_str().unwrap(), "--out", "parts"];
    dir.succeed(&[&args[..], &["--test-fraction", "0.1", "--validation-fraction", "0.1"]].concat());
    dir.succeed(&["config", "init", "parts"]);
    let report = dir.succeed(&["data", "inspect", "parts.toml", "--json"]);
    assert_eq!(json(&report.stdout)["near_duplicates"], json("[]"));
}

#[test]
#[ignore = "needs the data of the course"]
fn the_shipped_configs_reproduce_the_accuracies_of_the_courses() {
    let football = || Some(("FOOTBALL_DIR", course_data("course")));
    let cats = || Some(("CAT_DIR", course_data("cat")));
    assert_eq!(shipped("course2/football.toml", football()), ["94.8", "91.5"]);
    assert_eq!(shipped("course2/football_l2.toml", football()), ["93.8", "93.0"]);
    assert_eq!(shipped("course1/cat_logistic.toml", cats()), ["99.0", "70.0"]);
    assert_eq!(shipped("course1/cat_2_layer.toml", cats()), ["100.0", "72.0"]);
}

#[test]
#[ignore = "needs the data of the course"]
fn the_signs_config_reaches_its_score_on_the_real_images() {
    let dir = TestDir::new();
    let config = root().join("configs/signs.toml");
    let mut command = dir.command(&["--config", config.to_str().unwrap()]);
    let output =
        ProgramOutput::from(command.env("SIGNS_DIR", course_data("signs")).output().unwrap());
    assert_eq!(output.code, Some(0), "{output:#?}");
    let accuracy = &json(&dir.read("runs/signs/summary.json"))["test_accuracy"];
    assert!(accuracy.as_f64().unwrap() >= 0.88, "{accuracy}");
}
