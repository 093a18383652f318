//! Files of images that become folders, and are the same when they come back.

use data::{Examples, Values};

use super::*;
use crate::quality::inspection::InspectedPart;
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
fn what_is_exported_and_imported_is_the_same_to_the_bit() {
    let tree = Tree::new();
    // An order of classes that no sorting gives, and one class without images.
    let classes = names(&["non-cat", "cat", "a dog"]);
    for (is_flat, channels) in [(false, 3), (true, 1), (true, 3), (false, 1)] {
        let examples = images([5, 4, channels], &[1, 0, 0, 1, 0, 1, 1, 0, 1, 0, 0, 0]);
        let parts = [InspectedPart::whole(SplitKind::Train, examples.clone())];
        let export = Export {
            parts: &parts,
            classes: &classes,
            synthetic: false,
            is_nested: false,
            is_flat,
        };
        let [folder, file] = ["folder", "file.h5"].map(|name| format!("{is_flat}{channels}{name}"));
        let made = export.apply(&tree.path(&folder), &mut on).unwrap();
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
fn parts_are_exported_side_by_side_with_the_places_in_their_file() {
    let tree = Tree::new();
    let (train, test) = (images([3, 3, 3], &[0, 1, 0]), images([3, 3, 3], &[1]));
    let parts = [
        InspectedPart {
            split: SplitKind::Train,
            examples: train.clone(),
            indices: vec![4, 7, 123_456],
        },
        InspectedPart::whole(SplitKind::Test, test.clone()),
    ];
    let classes = names(&["0", "1"]);
    let export = Export {
        parts: &parts,
        classes: &classes,
        synthetic: true,
        is_nested: true,
        is_flat: false,
    };
    export.apply(&tree.path("out"), &mut on).unwrap();
    assert_eq!(tree.names("out"), ["classes.txt", "drawn_by_trainer", "test", "train"]);
    assert_eq!(tree.names("out/train/0"), ["000004.png", "123456.png"]);
    tree.imported(&tree.import("out"), "back");
    let [one, other] = [("back/train.h5", SplitKind::Train), ("back/test.h5", SplitKind::Test)]
        .map(|(file, part)| tree.read(file, part));
    assert_eq!((one.examples, other.examples), (train, test));
    assert!(one.synthetic && other.synthetic, "drawn images came back as real ones");
}

#[test]
fn what_no_folder_can_hold_is_refused_and_leaves_nothing() {
    let tree = Tree::new();
    let refused = |parts: &[InspectedPart], classes: &[&str], is_flat| {
        let classes = names(classes);
        let export =
            Export { parts, classes: &classes, synthetic: false, is_nested: false, is_flat };
        let error = export.apply(&tree.path("new/out"), &mut on).unwrap_err().to_string();
        assert_eq!(tree.names(""), Vec::<String>::new());
        error
    };
    let parts = [InspectedPart::whole(SplitKind::Train, images([2, 2, 3], &[0, 1]))];
    assert_says(&refused(&parts, &["hot_dog", "b"], true), &["\"hot_dog\"", "leave out --flat"]);
    assert_says(&refused(&parts, &["a", "and/or"], false), &["\"and/or\"", "without slashes"]);
    assert_says(&refused(&parts, &["a", "../a"], false), &["\"../a\""]);
    let points = Examples::features(2, vec![0.0; 4], vec![0, 1]);
    assert!(matches!(points.values, Values::Features(_)));
    let points = [InspectedPart::whole(SplitKind::Train, points)];
    assert_says(&refused(&points, &["a", "b"], false), &["points"]);
}

#[test]
fn a_folder_that_holds_something_is_left_as_it_is() {
    let tree = Tree::with(&["out/a/1.png"]);
    let drawn = SyntheticConfig { train: 6, test: 6, ..SyntheticConfig::default() }.load().unwrap();
    let parts = [InspectedPart::whole(SplitKind::Train, drawn.train)];
    let export = Export {
        parts: &parts,
        classes: &drawn.classes,
        synthetic: true,
        is_nested: false,
        is_flat: false,
    };
    let error = export.apply(&tree.path("out"), &mut on).unwrap_err().to_string();
    assert_says(&error, &["out is not empty", "--out"]);
    assert_eq!(tree.names("out"), ["a"]);
    fs::create_dir(tree.path("empty")).unwrap();
    export.apply(&tree.path("empty"), &mut on).unwrap();
    assert_eq!(tree.names("empty").len(), 8);
}
