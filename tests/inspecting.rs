//! `trainer data inspect`: text, JSON, page and exit code.

use std::fs;

use data::{Examples, SplitKind, Values};
use data_sources::SyntheticConfig;

use crate::reporting::external_references;
use crate::test_dir::{TINY, TestDir};
use crate::training::json;

/// 60 training and 12 test images of synthetic hands.
fn hands() -> [Examples; 2] {
    let config = SyntheticConfig { train: 60, test: 12, ..SyntheticConfig::default() };
    let data = config.load().unwrap();
    [data.train, data.test.unwrap()]
}

/// Creates a directory with these images in the files of `tiny.toml`.
fn test_dir([train, test]: &[Examples; 2]) -> TestDir {
    let dir = TestDir::new();
    let classes = ["0", "1", "2", "3", "4", "5"].map(String::from);
    for (file, part, images) in
        [("train", SplitKind::Train, train), ("test", SplitKind::Test, test)]
    {
        let path = dir.path(format!("data/{file}.h5"));
        data_hdf5::write(&path, part, images, &classes).unwrap();
    }
    dir
}

/// Pixels of the image at `item`.
fn pixels(images: &mut Examples, item: usize) -> &mut [u8] {
    let width = images.width();
    let Values::Pixels(pixels) = &mut images.values else { panic!("no pixels") };
    &mut pixels[item * width..][..width]
}

/// Creates a directory where test image 5 is training image 17, slightly darker.
fn leaking() -> TestDir {
    let [mut train, mut test] = hands();
    let darker = pixels(&mut train, 17).iter().map(|&pixel| (f32::from(pixel) * 0.93) as u8);
    let darker: Vec<u8> = darker.collect();
    pixels(&mut test, 5).copy_from_slice(&darker);
    test.labels[5] = train.labels[17];
    test_dir(&[train, test])
}

#[test]
fn data_without_problems_succeed() {
    let dir = test_dir(&hands());
    let output = dir.succeed(&["data", "inspect", "tiny.toml"]);
    let text =
        output.stdout.replace(&dir.path("").canonicalize().unwrap().display().to_string(), "");
    let text = text.replace(&dir.path("").display().to_string(), "/");
    insta::assert_snapshot!(text);
    assert!(
        output.stdout.lines().skip(4).all(|line| line.chars().count() <= 80),
        "{}",
        output.stdout
    );
}

#[test]
fn near_duplicates_across_splits_fail_and_are_listed_by_index() {
    let dir = leaking();
    let output = dir.trainer(&["data", "inspect", "tiny.toml"]);
    assert_eq!((output.code, output.stderr.as_str()), (Some(1), ""));
    assert!(
        output.stdout.contains("PROBLEMS\n  1 test example has a near-duplicate in the "),
        "{}",
        output.stdout
    );
    let output = dir.trainer(&["data", "inspect", "tiny.toml", "--json"]);
    let report = json(&output.stdout);
    assert_eq!(output.code, Some(1));
    let pair = &report["near_duplicates"][0];
    assert_eq!(
        (&pair["example"]["part"], &pair["example"]["index"]),
        (&json("\"test\""), &json("5"))
    );
    assert_eq!(
        (&pair["of"]["index"], &pair["of"]["class"]),
        (&json("17"), &pair["example"]["class"])
    );
    let distance = pair["distance"].as_f64().unwrap();
    assert!(distance > 0.0 && distance < 0.17, "{distance}");
    assert_eq!(report["problems"].as_array().unwrap().len(), 1);
}

#[test]
fn equal_images_with_different_labels_fail() {
    let [mut train, test] = hands();
    let image = pixels(&mut train, 0).to_vec();
    pixels(&mut train, 9).copy_from_slice(&image);
    train.labels[9] = (train.labels[0] + 1) % 6;
    let class = train.labels[9];
    let dir = test_dir(&[train, test]);
    let output = dir.trainer(&["data", "inspect", "data/train.h5"]);
    assert_eq!(output.code, Some(1));
    assert!(output.stdout.contains(&format!("train 9 (class {class})")), "{}", output.stdout);
    assert!(output.stdout.contains("CONFLICTING LABELS"), "{}", output.stdout);
    assert!(output.stdout.contains("conflicting labels"), "{}", output.stdout);
}

#[test]
fn a_file_is_inspected_with_its_splits() {
    let dir = test_dir(&hands());
    for (file, split, count) in [("data/train.h5", "train", 60), ("data/test.h5", "test", 12)] {
        let report = json(&dir.succeed(&["data", "inspect", file, "--json"]).stdout);
        let parts = report["parts"].as_array().unwrap();
        assert_eq!(parts.len(), 1, "{file}");
        assert_eq!(
            (&parts[0]["part"], &parts[0]["count"]),
            (&json(&format!("\"{split}\"")), &json(&count.to_string()))
        );
        assert_eq!(report["sha256"][split].as_str().unwrap().len(), 64);
    }
    let text = dir.succeed(&["data", "inspect", "data/test.h5"]).stdout;
    assert!(text.contains("not searched: only one split"), "{text}");
}

#[test]
fn the_page_shows_the_problems_with_images_and_is_self_contained() {
    let dir = leaking();
    let output = dir.trainer(&["data", "inspect", "tiny.toml", "--out", "seen/here"]);
    assert_eq!(output.code, Some(1), "{output:#?}");
    assert!(output.stdout.contains("wrote seen/here/inspection.html\n"), "{}", output.stdout);
    assert_eq!(dir.names("seen/here"), ["inspection.html"]);
    let page = dir.read("seen/here/inspection.html");
    assert_eq!(external_references(&page), [""; 0]);
    assert_eq!(page.matches("<img").count(), 6 * 8 + 2);
    for part in [
        "1 test example has a near-duplicate in the ",
        "<a href=\"#near-duplicates-across-splits\">",
        "<h2>Near-duplicates across splits</h2><p>1 found.",
        "<div>test 5</div><div>class",
        " 17</div><div>class",
        "Remove them from the test set",
        "SHA-256, train",
        "Values of channel 2",
    ] {
        assert!(page.contains(part), "no {part}");
    }
}

#[test]
fn the_page_shows_blank_images_and_conflicting_labels() {
    let [mut train, test] = hands();
    let image = pixels(&mut train, 0).to_vec();
    pixels(&mut train, 9).copy_from_slice(&image);
    train.labels[9] = (train.labels[0] + 1) % 6;
    pixels(&mut train, 20).fill(77);
    let (one, other) = (train.labels[9], train.labels[0]);
    let dir = test_dir(&[train, test]);
    dir.trainer(&["data", "inspect", "data/train.h5", "--out", "seen"]);
    let page = dir.read("seen/inspection.html");
    for part in [
        &format!("conflicting labels: {one} and {other}"),
        "<h2>Conflicting labels</h2><p>1 found.",
        "<h2>Blank images</h2><p>1 found.",
        "<div>train 20</div><div>class",
        "not searched: only one split",
    ] {
        assert!(page.contains(part), "no {part}");
    }
}

#[test]
fn points_are_inspected_and_plotted() {
    let dir = TestDir::new();
    let points = TINY.split_once("[dataset.hdf5]").unwrap().0.to_owned()
        + "[dataset.points]\nshape = \"moons\"\n\n[model.mlp]\n\n[optimizer.adam]\n\n[training]\nepochs = 1\n";
    dir.write("points.toml", points);
    let text = dir.succeed(&["data", "inspect", "points.toml", "--out", "seen"]).stdout;
    assert!(text.contains("points of 2 features in 2 classes"), "{text}");
    assert!(text.contains("wrote seen/inspection.html\n"), "{text}");
    assert_eq!(dir.names("seen"), ["inspection.html"]);
    let page = dir.read("seen/inspection.html");
    assert!(page.contains("second feature") && page.matches("<circle").count() > 100);
    assert!(page.contains("Values of feature 1") && !page.contains("Blank images"));
}

#[test]
fn synthetic_data_are_marked() {
    let dir = TestDir::new();
    let synthetic = TINY.replace(
        "[dataset.hdf5]\ndirectory = \"data\"\ntrain = \"train.h5\"\ntest = \"test.h5\"\n",
        "[dataset.synthetic]\ntrain = 60\ntest = 12\n",
    );
    dir.write("synthetic.toml", synthetic);
    let text = dir.succeed(&["data", "inspect", "synthetic.toml"]).stdout;
    assert!(text.starts_with("SYNTHETIC DATA"), "{text}");
}

#[test]
fn inspect_errors_include_a_remedy() {
    let dir = TestDir::new();
    let refuses = |input: &str, code, words: &[&str]| {
        dir.refuses(&["data", "inspect", input], code, words);
    };
    refuses("data/none.h5", 1, &["data/none.h5", "check the path"]);
    fs::create_dir(dir.path("empty")).unwrap();
    refuses(
        "empty",
        1,
        &["empty: contains no images", "put the images of each class into a folder"],
    );
    refuses("none.toml", 2, &["none.toml"]);
    dir.write("text.h5", "red, green, blue");
    refuses("text.h5", 1, &["text.h5", "expected an HDF5 file", "check the path"]);
    let bytes = fs::read(dir.path("data/train.h5")).unwrap();
    dir.write("cut.h5", &bytes[..bytes.len() / 2]);
    refuses("cut.h5", 1, &["cut.h5", "download"]);
    dir.write("bad.toml", TINY.replace("hidden", "hiden"));
    refuses("bad.toml", 2, &["bad.toml", "`hiden`", "`hidden`"]);
    fs::remove_file(dir.path("data/test.h5")).unwrap();
    refuses("tiny.toml", 1, &["data/test.h5 is missing", "put it there"]);
}

#[test]
fn evaluate_and_the_report_show_the_deduplicated_score() {
    let dir = leaking();
    dir.succeed(&["--config", "tiny.toml", "--set", "split.validation_fraction=0.0"]);
    let evaluation = json(&dir.read("runs/tiny/evaluation-test.json"));
    let page = dir.read("runs/tiny/report.html");
    let evaluated = json(&dir.succeed(&["evaluate", "runs/tiny", "--json"]).stdout);
    let score = &evaluated["deduplicated"];
    assert_eq!((&score["near_duplicates"], &score["count"]), (&json("[5]"), &json("11")));
    assert_eq!(evaluation["deduplicated"], *score);
    let correct = score["correct"].as_u64().unwrap();
    let share = 100.0 * correct as f64 / 11.0;
    let line = format!(
        "Without 1 test image that has a near-duplicate in the training set: {share:.1} % ({correct} of 11)."
    );
    assert!(page.contains(&line), "no {line}");
    let of_all = (evaluated["accuracy"].as_f64().unwrap() * 12.0).round() as u64;
    assert!(correct == of_all || correct + 1 == of_all, "{evaluated}");
    let text = dir.succeed(&["evaluate", "runs/tiny"]).stdout;
    let line = "without 1 image with a near-duplicate in the training set: ";
    assert!(text.lines().nth(1).unwrap().starts_with(line), "{text}");
    assert!(text.contains(&format!("({correct} of 11)")), "{text}");

    let args = ["evaluate", "runs/tiny", "--split", "train", "--json"];
    let train = json(&dir.succeed(&args).stdout);
    assert!(train.get("deduplicated").is_none(), "{train}");
}

#[test]
fn several_files_a_directory_and_a_run_are_inspected_as_a_run_reads_them() {
    let dir = leaking();
    dir.succeed(&["--config", "tiny.toml"]);
    let inputs: [(&[&str], usize); 4] = [
        (&["data/train.h5", "data/test.h5"], 2),
        (&["data"], 2),
        (&["runs/tiny"], 3),
        (&["tiny"], 3),
    ];
    for (input, parts) in inputs {
        let output = dir.trainer(&[&["data", "inspect", "--json"], input].concat());
        let report = json(&output.stdout);
        assert_eq!(output.code, Some(1), "{input:?}");
        assert_eq!(report["parts"].as_array().unwrap().len(), parts, "{input:?}");
        assert_eq!(report["near_duplicates"].as_array().unwrap().len(), 1, "{input:?}");
    }
}

#[test]
fn what_training_refuses_is_a_problem_of_the_data() {
    let [train, test] = hands();
    let dir = test_dir(&[train, test]);
    let small = Examples::images([2, 2, 3], (0..24).collect(), vec![0, 1]);
    fs::remove_file(dir.path("data/test.h5")).unwrap();
    let classes = ["0", "1"].map(String::from);
    data_hdf5::write(&dir.path("data/test.h5"), SplitKind::Test, &small, &classes).unwrap();
    let trained = dir.trainer(&["--config", "tiny.toml"]);
    let inspected = dir.trainer(&["data", "inspect", "data/train.h5", "data/test.h5"]);
    assert_eq!((trained.code, inspected.code), (Some(1), Some(1)));
    assert!(inspected.stderr.contains("[2, 2, 3]"), "{}", inspected.stderr);
}

#[test]
fn findings_are_written_as_csv_and_cleaned() {
    let dir = leaking();
    dir.trainer(&["data", "inspect", "tiny.toml", "--csv", "findings.csv"]);
    let findings = dir.read("findings.csv");
    let mut lines = findings.lines();
    assert!(
        lines.next().unwrap().starts_with("part,index,file,class,problem,other_part,other_index")
    );
    assert!(lines.next().unwrap().starts_with("test,5,,"), "{findings}");
    let clean = ["data", "clean", "data/train.h5", "data/test.h5", "--out", "clean"];
    let text = dir.succeed(&clean).stdout;
    assert!(text.contains("near-duplicates of another split: 1"), "{text}");
    assert_eq!(dir.names("clean"), ["manifest.csv", "removed.csv", "test.h5", "train.h5"]);
    dir.succeed(&["data", "inspect", "clean"]);
}
