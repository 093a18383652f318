//! Split of one file into several.

use data::{Examples, LoadedDataset, SplitConfig, Values};

use super::*;
use crate::DatasetConfig;
use crate::quality::inspection::{InspectedSplit, Inspection};
use crate::quality::{MissingClass, Splitting};
use crate::sources::SyntheticConfig;

fn partition(test: f64, validation: f64, keep_groups: bool) -> Splitting {
    let (test_fraction, validation_fraction) = (test, validation);
    let config = SplitConfig { test_fraction, validation_fraction, ..SplitConfig::default() };
    Splitting { config, seed: 3, keep_groups }
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
        .split_file(&tree.path("all.h5"), &tree.path("out"), &mut proceed)
        .unwrap();
    let statistics = made.duplicate_groups.unwrap().statistics;
    assert_eq!((statistics.groups, statistics.examples, statistics.largest), (10, 20, 2));
    assert_eq!(tree.names("out"), ["manifest.csv", "test.h5", "train.h5", "validation.h5"]);
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
    partition.split_file(&tree.path("all.h5"), &tree.path("out"), &mut proceed).unwrap();
    let source = LoadedDataset::of_training_set(all, digits());
    let (run, _) = partition.apply(source).unwrap();
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
    let made = partition.split_file(&tree.path("all.h5"), &tree.path("out"), &mut proceed).unwrap();
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
        .split_file(&tree.path("all.h5"), &tree.path("out"), &mut proceed)
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
        .split_file(&tree.path("all.h5"), &tree.path("out"), &mut proceed)
        .unwrap();
    assert_eq!(made.parts[1].classes, [0, 4]);
    let missing_classes = MissingClass { part: SplitKind::Test, class: "same".to_owned() };
    assert_eq!(made.duplicate_groups.unwrap().missing_classes, [missing_classes]);
}

/// Exports images to a folder of PNG files.
fn export(tree: &Tree, images: Examples, folder: &str) {
    let parts = [InspectedSplit::whole(SplitKind::Train, images)];
    let export = Export {
        parts: &parts,
        classes: &digits(),
        synthetic: false,
        is_nested: false,
        is_flat: false,
    };
    export.apply(&tree.path(folder), &mut proceed).unwrap();
}

#[test]
fn an_import_and_a_file_are_split_in_the_same_way() {
    let tree = Tree::new();
    export(&tree, hands_with_copies(), "folder");
    let partition = partition(0.2, 0.1, true);
    // Another size, and another way.
    let small = Import { size: Some([40, 40]), ..tree.import("folder") };
    tree.imported(&small, "all.h5");
    assert_eq!(tree.names(""), ["all.h5", "all.manifest.csv", "folder"]);
    partition.split_file(&tree.path("all.h5"), &tree.path("one"), &mut proceed).unwrap();
    let import = Import { partition: Some(partition), ..tree.import("folder") };
    let made = tree.imported(&import, "other").dataset;
    assert_eq!(made.parts.iter().map(|part| part.part).collect::<Vec<_>>(), SplitKind::ALL);
    let [one, other] = ["one", "other"]
        .map(|out| fs::read_to_string(tree.path(out).join("manifest.csv")).unwrap());
    assert_eq!(one, other);
    assert_contains(&one, &["part,index,file,label,class,group,sha256", "test,0,"]);
    let error = tree.refused(&Import { folders: vec![tree.path("folder")], ..import }, "x.h5");
    assert_contains(&error, &["one file, but there are several splits"]);
}

#[test]
fn files_that_cannot_be_split_are_errors_and_leave_no_files() {
    let (tree, all) = (Tree::new(), hands_with_copies());
    data_hdf5::write(&tree.path("test.h5"), SplitKind::Test, &all, &digits()).unwrap();
    data_hdf5::write(&tree.path("train.h5"), SplitKind::Train, &all, &digits()).unwrap();
    let refused = |file, partition: Splitting| {
        let error =
            partition.split_file(&tree.path(file), &tree.path("out"), &mut proceed).unwrap_err();
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
        partition(0.2, 0.0, true).split_file(&tree.path("train.h5"), &tree.path("out"), &mut stop);
    assert!(matches!(stopped, Err(ConvertError::Images(ImagesError::Stopped))));
    assert_eq!(tree.names(""), ["test.h5", "train.h5"]);
}

#[test]
fn a_run_on_the_files_knows_the_photos_of_the_examples() {
    let tree = Tree::new();
    export(&tree, hands_with_copies(), "folder");
    let import = Import { partition: Some(partition(0.2, 0.0, true)), ..tree.import("folder") };
    tree.imported(&import, "out");
    let config =
        format!("directory = {:?}\ntrain = 'train.h5'\ntest = 'test.h5'", tree.path("out"));
    let load = || DatasetConfig::Hdf5(toml::from_str(&config).unwrap()).load().unwrap();
    let data = load();
    let (train, test) = (data.train, data.test.unwrap());
    for examples in [&train, &test] {
        for (item, origin) in examples.origins.iter().enumerate() {
            let photo = tree.path("folder").join(&*origin.file);
            let Values::Pixels(values) = &examples.values else { panic!("no pixels") };
            assert_eq!(pixels(&photo), examples.row(values, item), "{}", origin.file);
        }
    }
    let grouped = train.origins.iter().chain(&test.origins).filter(|one| one.group.is_some());
    assert_eq!(grouped.count(), 20);
    assert_eq!(data.warnings, [""; 0]);
    // A manifest of other examples is ignored.
    let manifest = tree.path("out/manifest.csv");
    let lines = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, lines.rsplit_once("test,").unwrap().0).unwrap();
    let data = load();
    assert_contains(&data.warnings.concat(), &["manifest.csv is ignored: it has", "for test.h5"]);
    assert!(data.test.unwrap().origins.is_empty() && !data.train.origins.is_empty());
}

#[test]
fn an_import_warns_of_test_photos_that_are_in_train() {
    let tree = Tree::new();
    let all = hands_with_copies();
    export(&tree, all.select(&(0..30).collect::<Vec<_>>()), "set/train");
    export(&tree, all.select(&(30..60).collect::<Vec<_>>()), "set/test");
    let made = tree.imported(&tree.import("set"), "out");
    let warning = "10 of 30 test images have near-duplicates in the train set, for example test ";
    assert_contains(&made.warnings.concat(), &[warning, "test/", "train/", ".png"]);
    assert_eq!(tree.names("out"), ["manifest.csv", "test.h5", "train.h5"]);
}

#[test]
fn cleaning_removes_what_falsifies_a_score() {
    let (tree, all) = (Tree::new(), hands_with_copies());
    let mut train = all.select(&(0..30).collect::<Vec<_>>());
    let mut test = all.select(&(30..60).collect::<Vec<_>>());
    let width = train.width();
    let image = |images: &Examples, item| images.gather(&[item]).unwrap();
    for (to, from, other_label) in [(10, 1, false), (11, 2, true)] {
        let Values::Pixels(pixels) = &mut train.values else { panic!("no pixels") };
        pixels.copy_within(from * width..(from + 1) * width, to * width);
        train.labels[to] = (train.labels[from] + u32::from(other_label)) % 6;
    }
    let Values::Pixels(pixels) = &mut test.values else { panic!("no pixels") };
    pixels[width..2 * width].fill(9);
    let contradicted = image(&train, 2);
    let copies: Vec<_> = (0..30).step_by(3).map(|item| image(&test, item)).collect();
    let parts = vec![
        InspectedSplit::whole(SplitKind::Train, train),
        InspectedSplit::whole(SplitKind::Test, test),
    ];
    let findings = Inspection::of(&parts, &digits()).unwrap().findings();
    let classes = digits();
    let cleaning = Cleaning { parts, classes: &classes, synthetic: false, fit: None, findings };
    let (made, removed) = cleaning.apply(&tree.path("out"), &mut proceed).unwrap();
    assert_eq!(tree.names("out"), ["manifest.csv", "removed.csv", "test.h5", "train.h5"]);
    // Image 10, both 2 and 11; ten copies and the blank image.
    assert_eq!(made.parts.iter().map(|part| part.count).collect::<Vec<_>>(), [27, 19]);
    assert_eq!(removed.len(), 13);
    let [train, test] = [("train", SplitKind::Train), ("test", SplitKind::Test)]
        .map(|(file, part)| tree.read(&format!("out/{file}.h5"), part).examples);
    assert!((0..27).all(|item| image(&train, item) != contradicted));
    assert!((0..19).all(|item| !copies.contains(&image(&test, item))));
    let list = fs::read_to_string(tree.path("out/removed.csv")).unwrap();
    assert_contains(&list, &["train,11,,", "conflicting_labels,train,2", "test,1,,", "blank"]);
    let parts = vec![
        InspectedSplit::whole(SplitKind::Train, train),
        InspectedSplit::whole(SplitKind::Test, test),
    ];
    let inspection = Inspection::of(&parts, &digits()).unwrap();
    assert_eq!((inspection.problems().len(), inspection.duplicates.len()), (0, 0));
}
