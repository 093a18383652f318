//! Export to image folders, and import of the result.

use data::{Examples, Values};

use super::*;
use crate::quality::inspection::InspectedSplit;
use crate::sources::SyntheticConfig;

fn images(shape: [usize; 3], labels: &[u32]) -> Examples {
    let count = labels.len() * shape.iter().product::<usize>();
    let pixels = (0..count).map(|at| ((at * 2_654_435_761) >> 9) as u8);
    Examples::images(shape, pixels.collect(), labels.to_vec())
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

#[test]
fn an_exported_and_imported_data_set_is_bit_identical() {
    let tree = Tree::new();
    // Classes are not sorted, and one has no images.
    let classes = names(&["non-cat", "cat", "a dog"]);
    for (is_flat, channels) in [(false, 3), (true, 1), (true, 3), (false, 1)] {
        let examples = images([5, 4, channels], &[1, 0, 0, 1, 0, 1, 1, 0, 1, 0, 0, 0]);
        let parts = [InspectedSplit::whole(SplitKind::Train, examples.clone())];
        let export = Export {
            parts: &parts,
            classes: &classes,
            synthetic: false,
            is_nested: false,
            is_flat,
        };
        let [folder, file] = ["folder", "file.h5"].map(|name| format!("{is_flat}{channels}{name}"));
        let made = export.apply(&tree.path(&folder), &mut proceed).unwrap().parts;
        assert_eq!((made[0].count, &made[0].classes), (12, &vec![7, 5, 0]));
        tree.imported(&Import { grey: channels == 1, ..tree.import(&folder) }, &file);
        let back = tree.read(&file, SplitKind::Train);
        assert_eq!(
            (back.examples, back.classes, back.synthetic),
            (examples, classes.clone(), false)
        );
    }
    assert_eq!(tree.names("false3folder"), ["cat", "classes.txt", "non-cat"]);
    assert!(tree.names("true3folder").contains(&"cat_00003.png".to_owned()));
}

#[test]
fn splits_are_exported_to_subfolders_and_images_named_by_index() {
    let tree = Tree::new();
    let (train, test) = (images([3, 3, 3], &[0, 1, 0]), images([3, 3, 3], &[1]));
    let parts = [
        InspectedSplit {
            split: SplitKind::Train,
            examples: train.clone(),
            indices: vec![4, 7, 123_456],
        },
        InspectedSplit::whole(SplitKind::Test, test.clone()),
    ];
    let classes = names(&["0", "1"]);
    let export = Export {
        parts: &parts,
        classes: &classes,
        synthetic: true,
        is_nested: true,
        is_flat: false,
    };
    export.apply(&tree.path("out"), &mut proceed).unwrap();
    assert_eq!(tree.names("out"), ["classes.txt", "drawn_by_trainer", "test", "train"]);
    assert_eq!(tree.names("out/train/0"), ["000004.png", "123456.png"]);
    tree.imported(&tree.import("out"), "back");
    let [one, other] = [("back/train.h5", SplitKind::Train), ("back/test.h5", SplitKind::Test)]
        .map(|(file, part)| tree.read(file, part));
    assert_eq!((one.examples, other.examples), (train, test));
    assert!(one.synthetic && other.synthetic, "synthetic images are marked as real");
}

#[test]
fn class_names_that_are_not_file_names_and_points_are_errors() {
    let tree = Tree::new();
    let refused = |parts: &[InspectedSplit], classes: &[&str], is_flat| {
        let classes = names(classes);
        let export =
            Export { parts, classes: &classes, synthetic: false, is_nested: false, is_flat };
        let error = export.apply(&tree.path("new/out"), &mut proceed).unwrap_err().to_string();
        assert_eq!(tree.names(""), Vec::<String>::new());
        error
    };
    let parts = [InspectedSplit::whole(SplitKind::Train, images([2, 2, 3], &[0, 1]))];
    assert_contains(
        &refused(&parts, &["hot_dog", "b"], true),
        &["\"hot_dog\"", "first underscore"],
    );
    assert_contains(&refused(&parts, &["a", "and/or"], false), &["\"and/or\"", "no slashes"]);
    assert_contains(&refused(&parts, &["a", "../a"], false), &["\"../a\""]);
    let points = Examples::features(2, vec![0.0; 4], vec![0, 1]);
    assert!(matches!(points.values, Values::Features(_)));
    let points = [InspectedSplit::whole(SplitKind::Train, points)];
    assert_contains(&refused(&points, &["a", "b"], false), &["points"]);
}

#[test]
fn a_folder_that_is_not_empty_is_not_changed() {
    let tree = Tree::with(&["out/a/1.png"]);
    let data = SyntheticConfig { train: 6, test: 6, ..SyntheticConfig::default() }.load().unwrap();
    let parts = [InspectedSplit::whole(SplitKind::Train, data.train)];
    let export = Export {
        parts: &parts,
        classes: &data.classes,
        synthetic: true,
        is_nested: false,
        is_flat: false,
    };
    let error = export.apply(&tree.path("out"), &mut proceed).unwrap_err().to_string();
    assert_contains(&error, &["out is not empty", "another output path"]);
    assert_eq!(tree.names("out"), ["a"]);
    fs::create_dir(tree.path("empty")).unwrap();
    export.apply(&tree.path("empty"), &mut proceed).unwrap();
    assert_eq!(tree.names("empty").len(), 8);
}
