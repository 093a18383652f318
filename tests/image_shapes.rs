//! Images of one channel, and of any height and width.

use std::fs;

use data::{Examples, SplitKind};
use image::{GrayImage, Luma, Rgb, RgbImage};

use crate::test_dir::TestDir;

/// Creates `count` images of `shape` in two classes: dark and bright, with some texture.
fn images(shape: [usize; 3], count: usize) -> Examples {
    let width: usize = shape.iter().product();
    let value = |at: usize| (40 + 140 * (at / width % 2) + at * 7 % 23) as u8;
    let labels = (0..count as u32).map(|item| item % 2).collect();
    Examples::images(shape, (0..count * width).map(value).collect(), labels)
}

/// Creates a directory whose data are images of `shape`.
fn test_dir(shape: [usize; 3]) -> TestDir {
    let dir = TestDir::new();
    let classes = ["dark", "bright"].map(String::from);
    for (file, part, count) in [("train", SplitKind::Train, 40), ("test", SplitKind::Test, 10)] {
        let path = dir.path(format!("data/{file}.h5"));
        fs::remove_file(&path).unwrap();
        data_hdf5::write(&path, part, &images(shape, count), &classes).unwrap();
    }
    dir
}

#[test]
fn images_of_any_size_are_learnt_and_predictions_resize_their_input() {
    let list =
        r#"augmentation=[{ rotate = 10 }, { crop = 2 }, { contrast = 0.1 }, { cutout = 4 }]"#;
    for shape in [[28, 28, 1], [100, 80, 1], [28, 28, 3], [80, 100, 3], [9, 31, 1]] {
        let dir = test_dir(shape);
        let train = ["--config", "tiny.toml", "--set", "training.epochs=20", "--set", list];
        let output = dir.succeed(&train);
        assert!(output.stdout.contains("test accuracy 100.0 %"), "{shape:?}: {}", output.stdout);

        RgbImage::from_pixel(50, 37, Rgb([190; 3])).save(dir.path("bright.png")).unwrap();
        GrayImage::from_pixel(64, 64, Luma([50])).save(dir.path("dark.png")).unwrap();
        let text = dir.succeed(&["predict", "runs/tiny", "bright.png", "dark.png"]).stdout;
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[0].starts_with("bright.png: bright ("), "{shape:?}: {text}");
        assert!(lines[1].starts_with("dark.png: dark ("), "{shape:?}: {text}");
    }
}

#[test]
fn coloured_images_are_converted_by_luma_for_grey_data() {
    let dir = test_dir([28, 28, 1]);
    dir.succeed(&["--config", "tiny.toml", "--set", "training.epochs=20"]);
    // Pure blue has a low luma, green a high one.
    RgbImage::from_pixel(28, 28, Rgb([0, 0, 255])).save(dir.path("blue.png")).unwrap();
    RgbImage::from_pixel(28, 28, Rgb([60, 255, 60])).save(dir.path("green.png")).unwrap();
    let text = dir.succeed(&["predict", "runs/tiny", "blue.png", "green.png"]).stdout;
    assert!(text.contains("blue.png: dark (") && text.contains("green.png: bright ("), "{text}");
}

#[test]
fn hdf5_images_are_resized_to_the_size_of_the_config_and_in_evaluation_and_prediction_too() {
    let dir = test_dir([40, 30, 3]);
    // Parts of different sizes become alike.
    let classes = ["dark", "bright"].map(String::from);
    data_hdf5::write(
        &dir.path("data/test.h5"),
        SplitKind::Test,
        &images([24, 24, 3], 10),
        &classes,
    )
    .unwrap();
    let size = ["--set", "dataset.hdf5.size=[12, 10]", "--set", "training.epochs=20"];
    for (run, in_memory) in [("memory", "true"), ("file", "false")] {
        let in_memory = format!("dataset.hdf5.in_memory={in_memory}");
        let train = ["--config", "tiny.toml", "--run-dir", run, "--set", &in_memory];
        let output = dir.succeed(&[&train[..], &size].concat()).stdout;
        assert!(output.contains("images of 12x10x3"), "{output}");
        assert!(output.contains("test accuracy 100.0 %"), "{output}");
    }
    let best = |run: &str| fs::read(dir.path(format!("{run}/best_model.bpk"))).unwrap();
    assert!(best("memory") == best("file"), "the location of the images changed the run");
    let other = dir.succeed(&["evaluate", "memory", "--data", "data/test.h5"]).stdout;
    assert!(other.contains("accuracy 100.0 %"), "{other}");
    GrayImage::from_pixel(64, 64, Luma([50])).save(dir.path("dark.png")).unwrap();
    let text = dir.succeed(&["predict", "memory", "dark.png"]).stdout;
    assert!(text.starts_with("dark.png: dark ("), "{text}");
    // Another size is other data.
    let resumed = ["--resume", "memory", "--set", "dataset.hdf5.size=8"];
    dir.trainer(&resumed).refused(1, &["set differs", "start a new run"]);
}

#[test]
fn a_fixed_normalization_is_used_by_the_saved_model_and_after_a_resume() {
    let dir = test_dir([12, 12, 3]);
    let train = |run: &str, epochs: &str| {
        let epochs = format!("training.epochs={epochs}");
        let fixed = ["input.mean=[0.5, 0.4, 0.3]", "input.deviation=[0.2, 0.3, 0.25]", &epochs];
        let sets = fixed.iter().flat_map(|set| ["--set", set]);
        let args = ["--config", "tiny.toml", "--run-dir", run];
        dir.succeed(&args.into_iter().chain(sets).collect::<Vec<_>>())
    };
    train("whole", "20");
    train("resumed", "10");
    dir.succeed(&["--resume", "resumed", "--set", "training.epochs=20"]);
    let best = |run: &str| fs::read(dir.path(format!("{run}/best_model.bpk"))).unwrap();
    assert!(best("whole") == best("resumed"), "the resumed run has another model");
    let text = dir.succeed(&["evaluate", "whole"]).stdout;
    assert!(text.contains("accuracy 100.0 %"), "{text}");
    let grey = test_dir([12, 12, 1]);
    let imagenet = ["--config", "tiny.toml", "--set", "input.normalization=imagenet"];
    grey.trainer(&imagenet).refused(1, &["3 channels", "the examples have one channel"]);
}
