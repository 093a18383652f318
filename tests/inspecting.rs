//! `trainer data inspect`: what is told of data, what is drawn, and the exit code for CI.

use std::fs;

use dataset::hdf5::{self, Part};
use dataset::{Examples, StandInConfig, Values};

use crate::place::{Place, TINY};
use crate::reporting::references;
use crate::training::json;

/// 60 training and 12 test images of drawn hands.
fn hands() -> [Examples; 2] {
    let drawn = StandInConfig { train: 60, test: 12, ..StandInConfig::default() };
    let drawn = drawn.draw().unwrap();
    [drawn.train, drawn.test.unwrap()]
}

/// A place with these images in the files of `tiny.toml`.
fn place([train, test]: &[Examples; 2]) -> Place {
    let place = Place::new();
    let classes = ["0", "1", "2", "3", "4", "5"].map(String::from);
    for (file, part, images) in [("train", Part::Train, train), ("test", Part::Test, test)] {
        let path = place.path(format!("data/{file}.h5"));
        hdf5::write(&path, part, images, &classes).unwrap();
    }
    place
}

/// The pixels of the image at `item`.
fn pixels(images: &mut Examples, item: usize) -> &mut [u8] {
    let width = images.width();
    let Values::Pixels(pixels) = &mut images.values else { panic!("no pixels") };
    &mut pixels[item * width..][..width]
}

/// A place where test image 5 is training image 17, a little darker.
fn leaking() -> Place {
    let [mut train, mut test] = hands();
    let darker = pixels(&mut train, 17).iter().map(|&pixel| (f32::from(pixel) * 0.93) as u8);
    let darker: Vec<u8> = darker.collect();
    pixels(&mut test, 5).copy_from_slice(&darker);
    test.labels[5] = train.labels[17];
    place(&[train, test])
}

#[test]
fn sound_data_are_told_and_succeed() {
    let place = place(&hands());
    let ran = place.succeed(&["data", "inspect", "tiny.toml"]);
    let text =
        ran.stdout.replace(&place.path("").canonicalize().unwrap().display().to_string(), "");
    let text = text.replace(&place.path("").display().to_string(), "/");
    insta::assert_snapshot!(text);
    assert!(ran.stdout.lines().skip(4).all(|line| line.chars().count() <= 80), "{}", ran.stdout);
}

#[test]
fn twins_across_parts_fail_and_are_named_by_their_places_in_the_files() {
    let place = leaking();
    let ran = place.trainer(&["data", "inspect", "tiny.toml"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(1), ""));
    assert!(ran.stdout.contains("PROBLEMS\n  1 test example has a twin in the "), "{}", ran.stdout);
    let ran = place.trainer(&["data", "inspect", "tiny.toml", "--json"]);
    let told = json(&ran.stdout);
    assert_eq!(ran.code, Some(1));
    let twin = &told["twins"][0];
    assert_eq!(
        (&twin["example"]["part"], &twin["example"]["index"]),
        (&json("\"test\""), &json("5"))
    );
    assert_eq!(
        (&twin["of"]["index"], &twin["of"]["class"]),
        (&json("17"), &twin["example"]["class"])
    );
    let distance = twin["distance"].as_f64().unwrap();
    assert!(distance > 0.0 && distance < 0.17, "{distance}");
    assert_eq!(told["problems"].as_array().unwrap().len(), 1);
}

#[test]
fn one_image_with_two_labels_fails() {
    let [mut train, test] = hands();
    let image = pixels(&mut train, 0).to_vec();
    pixels(&mut train, 9).copy_from_slice(&image);
    train.labels[9] = (train.labels[0] + 1) % 6;
    let class = train.labels[9];
    let place = place(&[train, test]);
    let ran = place.trainer(&["data", "inspect", "data/train.h5"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stdout.contains(&format!("train 9 (class {class})")), "{}", ran.stdout);
    assert!(ran.stdout.contains("TWO LABELS"), "{}", ran.stdout);
    assert!(ran.stdout.contains("has two labels"), "{}", ran.stdout);
}

#[test]
fn a_file_is_inspected_with_the_parts_that_it_has() {
    let place = place(&hands());
    for (file, part, count) in [("data/train.h5", "train", 60), ("data/test.h5", "test", 12)] {
        let told = json(&place.succeed(&["data", "inspect", file, "--json"]).stdout);
        let parts = told["parts"].as_array().unwrap();
        assert_eq!(parts.len(), 1, "{file}");
        assert_eq!(
            (&parts[0]["part"], &parts[0]["count"]),
            (&json(&format!("\"{part}\"")), &json(&count.to_string()))
        );
        assert_eq!(told["sha256"]["file"].as_str().unwrap().len(), 64);
    }
    let text = place.succeed(&["data", "inspect", "data/test.h5"]).stdout;
    assert!(text.contains("not looked for: a single part"), "{text}");
}

#[test]
fn pictures_show_some_images_of_each_class_and_the_twins() {
    let place = leaking();
    let ran = place.trainer(&["data", "inspect", "tiny.toml", "--out", "seen/here"]);
    assert_eq!(ran.code, Some(1), "{ran:#?}");
    let drawn =
        ["inspection.html", "preview.png", "twins.png"].map(|file| format!("seen/here/{file}"));
    assert!(ran.stdout.contains(&format!("drawn: {}", drawn.join(", "))), "{}", ran.stdout);
    assert_eq!(
        place.names("seen/here"),
        ["inspection.html", "preview.png", "preview.svg", "twins.png", "twins.svg"]
    );
    let images = |name: &str| place.read(format!("seen/here/{name}.svg")).matches("<image").count();
    assert_eq!((images("preview"), images("twins")), (6 * 8, 2));
    for name in ["preview", "twins"] {
        let picture = image::open(place.path(format!("seen/here/{name}.png"))).unwrap();
        assert!(picture.width() > 600 && picture.height() > 200, "{name}");
    }
}

#[test]
fn the_page_shows_what_is_wrong_with_its_images_and_needs_nothing_beside_it() {
    let place = leaking();
    place.trainer(&["data", "inspect", "tiny.toml", "--out", "seen"]);
    let page = place.read("seen/inspection.html");
    let foreign: Vec<_> =
        references(&page).into_iter().filter(|part| !part.contains("=\"#")).collect();
    assert_eq!(foreign, [""; 0]);
    assert_eq!(page.matches("<img").count(), 6 * 8 + 2);
    for part in [
        "1 test example has a twin in the ",
        "<a href=\"#twins-across-parts\">",
        "<h2>Twins across parts (1)</h2>",
        "<div>test 5</div><div>class",
        " 17</div><div>class",
        "Take them out",
        "SHA-256, train",
        "Values of channel 2",
    ] {
        assert!(page.contains(part), "no {part}");
    }
}

#[test]
fn a_blank_image_and_one_with_two_labels_have_their_place_on_the_page() {
    let [mut train, test] = hands();
    let image = pixels(&mut train, 0).to_vec();
    pixels(&mut train, 9).copy_from_slice(&image);
    train.labels[9] = (train.labels[0] + 1) % 6;
    pixels(&mut train, 20).fill(77);
    let (one, other) = (train.labels[9], train.labels[0]);
    let place = place(&[train, test]);
    place.trainer(&["data", "inspect", "data/train.h5", "--out", "seen"]);
    let page = place.read("seen/inspection.html");
    for part in [
        &format!("two labels: {one} and {other}"),
        "<h2>Two labels (1)</h2>",
        "<h2>Blank images (1)</h2>",
        "<div>train 20</div><div>class",
        "not looked for: a single part",
    ] {
        assert!(page.contains(part), "no {part}");
    }
}

#[test]
fn points_are_inspected_too_and_drawn_over_their_plane() {
    let place = Place::new();
    let points = TINY.split_once("[dataset.hdf5]").unwrap().0.to_owned()
        + "[dataset.points]\nshape = \"moons\"\n\n[model.mlp]\n\n[optimizer.adam]\n\n[training]\nepochs = 1\n";
    place.write("points.toml", points);
    let text = place.succeed(&["data", "inspect", "points.toml", "--out", "seen"]).stdout;
    assert!(text.contains("points of 2 features in 2 classes"), "{text}");
    assert!(text.contains("drawn: seen/inspection.html\n"), "{text}");
    assert_eq!(place.names("seen"), ["inspection.html"]);
    let page = place.read("seen/inspection.html");
    assert!(page.contains("second feature") && page.matches("<circle").count() > 100);
    assert!(page.contains("Values of feature 1") && !page.contains("Blank images"));
}

#[test]
fn the_stand_in_is_named_as_such() {
    let place = Place::new();
    let drawn = TINY.replace(
        "[dataset.hdf5]\ndirectory = \"data\"\ntrain = \"train.h5\"\ntest = \"test.h5\"\n",
        "[dataset.stand_in]\ntrain = 60\ntest = 12\n",
    );
    place.write("drawn.toml", drawn);
    let text = place.succeed(&["data", "inspect", "drawn.toml"]).stdout;
    assert!(text.starts_with("STAND-IN DATA"), "{text}");
}

#[test]
fn what_cannot_be_inspected_is_refused_with_what_to_do() {
    let place = Place::new();
    let refuses = |input: &str, code, words: &[&str]| {
        place.refuses(&["data", "inspect", input], code, words);
    };
    refuses("data/none.h5", 1, &["data/none.h5", "check the path"]);
    refuses("data", 1, &["data", "found a folder", "give the path of an `.h5` file"]);
    refuses("none.toml", 2, &["none.toml"]);
    place.write("text.h5", "red, green, blue");
    refuses("text.h5", 1, &["text.h5", "expected an HDF5 file", "check the path"]);
    let bytes = fs::read(place.path("data/train.h5")).unwrap();
    place.write("cut.h5", &bytes[..bytes.len() / 2]);
    refuses("cut.h5", 1, &["cut.h5", "download"]);
    place.write("bad.toml", TINY.replace("hidden", "hiden"));
    refuses("bad.toml", 2, &["bad.toml", "`hiden`", "`hidden`"]);
    fs::remove_file(place.path("data/test.h5")).unwrap();
    refuses("tiny.toml", 1, &["data/test.h5 is missing", "put it there"]);
}

#[test]
fn runs_reports_and_evaluate_tell_the_score_without_the_images_that_the_training_set_has() {
    let place = leaking();
    place.succeed(&["--config", "tiny.toml", "--set", "split.validation_fraction=0.0"]);
    let at_the_end = json(&place.read("runs/tiny/evaluation-test.json"));
    let page = place.read("runs/tiny/report.html");
    let told = json(&place.succeed(&["evaluate", "runs/tiny", "--json"]).stdout);
    let without = &told["without_twins"];
    assert_eq!((&without["twins"], &without["count"]), (&json("[5]"), &json("11")));
    assert_eq!(at_the_end["without_twins"], *without);
    let right = without["correct"].as_u64().unwrap();
    let share = 100.0 * right as f64 / 11.0;
    let line = format!(
        "Without 1 test image that has a twin in the training set: {share:.1} % ({right} of 11)."
    );
    assert!(page.contains(&line), "no {line}");
    let of_all = (told["accuracy"].as_f64().unwrap() * 12.0).round() as u64;
    assert!(right == of_all || right + 1 == of_all, "{told}");
    let text = place.succeed(&["evaluate", "runs/tiny"]).stdout;
    let line = "without 1 image with a twin in the training set: ";
    assert!(text.lines().nth(1).unwrap().starts_with(line), "{text}");
    assert!(text.contains(&format!("({right} of 11)")), "{text}");

    let args = ["evaluate", "runs/tiny", "--split", "train", "--json"];
    let train = json(&place.succeed(&args).stdout);
    assert!(train.get("without_twins").is_none(), "{train}");
}
