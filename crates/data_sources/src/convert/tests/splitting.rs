//! Split of one file into several.

use data::{Examples, LoadedDataset, SplitConfig, Values};

use super::*;
use crate::quality::{MissingClass, Splitting};
use crate::sources::SyntheticConfig;

fn partition(test: f64, validation: f64, keep_duplicates_together: bool) -> Partition {
    let (test_fraction, validation_fraction) = (test, validation);
    let split = SplitConfig { test_fraction, validation_fraction, ..SplitConfig::default() };
    Partition { split, seed: 3, keep_duplicates_together }
}

/// 60 synthetic hands. Every third of the first 30 has a darker copy at its index plus 30.
fn hands_with_copies() -> Examples {
    let config = SyntheticConfig { train: 60, test: 6, ..SyntheticConfig::default() };
    let mut examples = config.load().unwrap().train;
    let width = examples.width();
    let Values::Pixels(pixels) = &mut examples.values else { panic!("no pixels") };
    for item in (0..30).step_by(3) {
        let darker = pixels[item * width..][..width].iter();
        let darker: Vec<u8> = darker.map(|&pixel| (f32::from(pixel) * 0.9) as u8).collect();
        pixels[(item + 30) * width..][..width].copy_from_slice(&darker);
        examples.labels[item + 30] = examples.labels[item];
    }
    examples
}

fn digits() -> Vec<String> {
    (0..6).map(|digit: u32| digit.to_string()).collect()
}

/// Index of each example of `part` in `all`.
fn indices(part: &Examples, all: &Examples) -> Vec<usize> {
    let row = |examples: &Examples, item| examples.gather(&[item]).unwrap();
    let index = |item| (0..all.len()).find(|&index| row(all, index) == row(part, item)).unwrap();
    (0..part.len()).map(index).collect()
}

#[test]
fn near_duplicates_stay_in_one_split_and_no_example_is_lost() {
    let (tree, all) = (Tree::new(), hands_with_copies());
    data_hdf5::write_synthetic(&tree.path("all.h5"), SplitKind::Train, &all, &digits()).unwrap();
    let made = partition(0.2, 0.2, true)
        .apply(&tree.path("all.h5"), &tree.path("out"), &mut proceed)
        .unwrap();
    let statistics = made.duplicate_groups.unwrap().statistics;
    assert_eq!((statistics.groups, statistics.examples, statistics.largest), (10, 20, 2));
    assert_eq!(tree.names("out"), ["test.h5", "train.h5", "validation.h5"]);
    let parts = [
        ("train.h5", SplitKind::Train),
        ("validation.h5", SplitKind::Train),
        ("test.h5", SplitKind::Test),
    ];
    let parts = parts.map(|(file, part)| tree.read(&format!("out/{file}"), part));
    assert!(parts.iter().all(|part| part.synthetic && part.classes == digits()));
    let parts = parts.map(|part| indices(&part.examples, &all));
    let mut found = parts.concat();
    found.sort_unstable();
    assert_eq!(found, (0..60).collect::<Vec<_>>());
    for item in (0..30).step_by(3) {
        assert!(
            parts.iter().any(|part| part.contains(&item) && part.contains(&(item + 30))),
            "{item}"
        );
    }
    assert!(parts.iter().all(|part| part.is_sorted() && part.len() > 5), "{parts:?}");
}

#[test]
fn the_splits_are_those_of_a_run() {
    let (tree, all) = (Tree::new(), hands_with_copies());
    data_hdf5::write(&tree.path("all.h5"), SplitKind::Train, &all, &digits()).unwrap();
    let partition = partition(0.2, 0.1, true);
    partition.apply(&tree.path("all.h5"), &tree.path("out"), &mut proceed).unwrap();
    let source = LoadedDataset::of_training_set(all, digits());
    let (run, _) = Splitting::of_run(&partition.split, partition.seed).apply(source).unwrap();
    let read = |file: &str, part| tree.read(&format!("out/{file}"), part).examples;
    assert_eq!(read("train.h5", SplitKind::Train), run.train);
    assert_eq!(read("validation.h5", SplitKind::Train), run.validation.unwrap());
    assert_eq!(read("test.h5", SplitKind::Test), run.test.unwrap());
}

#[test]
fn without_groups_every_example_is_on_its_own() {
    let (tree, all) = (Tree::new(), hands_with_copies());
    data_hdf5::write(&tree.path("all.h5"), SplitKind::Train, &all, &digits()).unwrap();
    let partition = partition(0.5, 0.0, false);
    let made = partition.apply(&tree.path("all.h5"), &tree.path("out"), &mut proceed).unwrap();
    assert_eq!(made.duplicate_groups, None);
    let test = indices(&tree.read("out/test.h5", SplitKind::Test).examples, &all);
    let cut = (0..30).step_by(3).filter(|item| test.contains(item) != test.contains(&(item + 30)));
    assert!(cut.count() > 0, "{test:?}");
}

#[test]
fn equal_points_stay_in_one_split() {
    let tree = Tree::new();
    let values = (0..40).flat_map(|item| [(item % 20) as f32 / 3.0, -1.5]).collect();
    let points = Examples::features(2, values, (0..40).map(|item| item % 2).collect());
    let classes = ["a", "b"].map(String::from);
    data_hdf5::write(&tree.path("all.h5"), SplitKind::Train, &points, &classes).unwrap();
    let made = partition(0.0, 0.25, true)
        .apply(&tree.path("all.h5"), &tree.path("out"), &mut proceed)
        .unwrap();
    assert_eq!(made.duplicate_groups.unwrap().statistics.groups, 20);
    let counts: Vec<_> = made.parts.iter().map(|part| (part.part, part.count)).collect();
    // A quarter of the twenty of a class is five, or two groups of two.
    assert_eq!(counts, [(SplitKind::Train, 32), (SplitKind::Validation, 8)]);
    let xs = |file| {
        let part = tree.read(file, SplitKind::Train).examples;
        let values = part.gather(&(0..part.len()).collect::<Vec<_>>()).unwrap();
        values.into_iter().step_by(2).collect::<Vec<_>>()
    };
    let (train, validation) = (xs("out/train.h5"), xs("out/validation.h5"));
    assert!(!validation.iter().any(|x| train.contains(x)), "{train:?} {validation:?}");
}

#[test]
fn a_class_missing_from_a_split_is_reported() {
    let tree = Tree::new();
    // All of class 0 are equal.
    let values = (0..40).map(|item| if item % 2 == 0 { 0.5 } else { item as f32 }).collect();
    let points = Examples::features(1, values, (0..40).map(|item| item % 2).collect());
    let classes = ["same", "other"].map(String::from);
    data_hdf5::write(&tree.path("all.h5"), SplitKind::Train, &points, &classes).unwrap();
    let made = partition(0.2, 0.0, true)
        .apply(&tree.path("all.h5"), &tree.path("out"), &mut proceed)
        .unwrap();
    assert_eq!(made.parts[1].classes, [0, 4]);
    let missing_classes = MissingClass { part: SplitKind::Test, class: "same".to_owned() };
    assert_eq!(made.duplicate_groups.unwrap().missing_classes, [missing_classes]);
}

#[test]
fn an_import_and_a_file_are_split_in_the_same_way() {
    let (tree, all) = (Tree::new(), hands_with_copies());
    data_hdf5::write(&tree.path("all.h5"), SplitKind::Train, &all, &digits()).unwrap();
    let parts = [crate::quality::inspection::InspectedSplit::whole(SplitKind::Train, all)];
    let classes = digits();
    let export = Export {
        parts: &parts,
        classes: &classes,
        synthetic: false,
        is_nested: false,
        is_flat: false,
    };
    export.apply(&tree.path("folder"), &mut proceed).unwrap();
    let partition = partition(0.2, 0.1, true);
    partition.apply(&tree.path("all.h5"), &tree.path("one"), &mut proceed).unwrap();
    let import = Import { partition: Some(partition), ..tree.import("folder") };
    let made = tree.imported(&import, "other").dataset;
    assert_eq!(made.parts.iter().map(|part| part.part).collect::<Vec<_>>(), SplitKind::ALL);
    assert_eq!(tree.names("other"), ["test.h5", "train.h5", "validation.h5"]);
    for file in tree.names("one") {
        let [one, other] =
            ["one", "other"].map(|out| fs::read(tree.path(out).join(&file)).unwrap());
        assert!(one == other, "{file}");
    }
    let error = tree.refused(&Import { folders: vec![tree.path("folder")], ..import }, "x.h5");
    assert_contains(&error, &["one file, but there are several splits"]);
}

#[test]
fn files_that_cannot_be_split_are_errors_and_leave_no_files() {
    let (tree, all) = (Tree::new(), hands_with_copies());
    data_hdf5::write(&tree.path("test.h5"), SplitKind::Test, &all, &digits()).unwrap();
    data_hdf5::write(&tree.path("train.h5"), SplitKind::Train, &all, &digits()).unwrap();
    let refused = |file, partition: Partition| {
        let error = partition.apply(&tree.path(file), &tree.path("out"), &mut proceed).unwrap_err();
        assert_eq!(tree.names(""), ["test.h5", "train.h5"]);
        error.to_string()
    };
    assert_contains(
        &refused("test.h5", partition(0.2, 0.0, true)),
        &["a test set only", "training set"],
    );
    assert_contains(&refused("train.h5", partition(0.001, 0.0, true)), &["test fraction of 0.001"]);
    assert_contains(&refused("none.h5", partition(0.1, 0.0, true)), &["none.h5"]);
    let mut stop = |_: &'static str, _: usize, _: usize| ControlFlow::Break(());
    let stopped =
        partition(0.2, 0.0, true).apply(&tree.path("train.h5"), &tree.path("out"), &mut stop);
    assert!(matches!(stopped, Err(ConvertError::Stopped)));
    assert_eq!(tree.names(""), ["test.h5", "train.h5"]);
}
