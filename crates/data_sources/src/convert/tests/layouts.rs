//! Supported layouts of image folders, and errors of unsupported ones.

use super::*;

fn labels_and_classes(tree: &Tree, folder: &str) -> (Vec<u32>, Vec<String>) {
    let out = "out.h5";
    tree.imported(&tree.import(folder), out);
    let file = tree.read(out, SplitKind::Train);
    fs::remove_file(tree.path(out)).unwrap();
    (file.examples.labels, file.classes)
}

#[test]
fn class_folders_and_images_are_in_natural_order() {
    let tree = Tree::with(&["in/b10/2.png", "in/b9/10.png", "in/b9/1.jpg", "in/b10/3.JPEG"]);
    assert_eq!(
        labels_and_classes(&tree, "in"),
        (vec![0, 1, 1, 0], vec!["b9".to_owned(), "b10".to_owned()])
    );
}

#[test]
fn integer_classes_are_sorted_numerically_and_numbered_from_zero() {
    let tree = Tree::with(&["in/10/1.png", "in/9/2.png", "in/-1/3.png"]);
    let classes = ["-1", "9", "10"].map(String::from).to_vec();
    assert_eq!(labels_and_classes(&tree, "in"), (vec![2, 1, 0], classes));
}

#[test]
fn a_class_may_be_part_of_the_file_name() {
    let tree = Tree::with(&["in/0_IMG_10.jpg", "in/1_IMG_9.jpg", "in/0_IMG_11.jpg"]);
    let classes = ["0", "1"].map(String::from).to_vec();
    assert_eq!(labels_and_classes(&tree, "in"), (vec![1, 0, 0], classes));
}

#[test]
fn classes_txt_sets_the_order_and_may_list_classes_without_images() {
    let tree = Tree::with(&["in/cat/1.png", "in/dog/2.png"]);
    tree.write("in/classes.txt", "dog\ncat\nbird\n");
    let classes = ["dog", "cat", "bird"].map(String::from).to_vec();
    assert_eq!(labels_and_classes(&tree, "in"), (vec![1, 0], classes));
    tree.write("in/classes.txt", "dog\r\n");
    let error = tree.refused(&tree.import("in"), "out.h5");
    assert_contains(&error, &["classes.txt lacks cat", "in the order of the labels"]);
}

#[test]
fn split_folders_are_recognised_in_either_layout() {
    let cases = [
        ["in/train/a/1.png", "in/train/b/1.png", "in/VAL/b/1.png"],
        ["in/train/a_1.png", "in/train/b_1.png", "in/valid/b_1.png"],
    ];
    for images in cases {
        let tree = Tree::with(&images);
        let made = tree.imported(&tree.import("in"), "out").dataset;
        let parts: Vec<_> =
            made.parts.iter().map(|part| (part.part, part.classes.clone())).collect();
        assert_eq!(parts, [(SplitKind::Train, vec![1, 1]), (SplitKind::Validation, vec![0, 1])]);
        assert_eq!(tree.names("out"), ["manifest.csv", "train.h5", "validation.h5"]);
        assert_eq!(tree.read("out/validation.h5", SplitKind::Train).examples.labels, [1]);
    }
}

#[test]
fn a_class_may_have_the_name_of_a_split() {
    let tree = Tree::with(&["in/train/1.png", "in/bus/2.png"]);
    assert_eq!(labels_and_classes(&tree, "in").1, ["bus", "train"]);
}

#[test]
fn several_folders_are_splits_if_named_so_and_otherwise_merged() {
    let images = ["in/train/a/1.png", "in/train/b/1.png", "in/test/a/1.png", "more/b/0.png"];
    let tree = Tree::with(&images);
    let of = |names: &[&str]| Import {
        folders: names.iter().map(|name| tree.path(name)).collect(),
        ..tree.import("")
    };
    let made = tree.imported(&of(&["in/test", "in/train"]), "parts").dataset;
    let counts: Vec<_> = made.parts.iter().map(|part| (part.part, part.count)).collect();
    assert_eq!(counts, [(SplitKind::Train, 2), (SplitKind::Test, 1)]);
    tree.imported(&of(&["in/train", "more"]), "both.h5");
    assert_eq!(tree.read("both.h5", SplitKind::Train).examples.labels, [0, 1, 1]);
    assert_contains(&tree.refused(&of(&["in/train", "in/train/a"]), "x.h5"), &["each folder once"]);
}

#[test]
fn hidden_files_and_other_files_are_skipped_and_links_are_followed() {
    let tree = Tree::with(&["in/a/1.png", "in/b/1.png", "elsewhere/2.png"]);
    for litter in ["in/.git/config", "in/a/._1.png", "in/__MACOSX/1.png", "in/b/Thumbs.db"] {
        tree.write(litter, "no image");
    }
    tree.write("in/a/notes.txt", "a note");
    tree.write("in/README.md", "a note");
    std::os::unix::fs::symlink(tree.path("elsewhere/2.png"), tree.path("in/b/2.png")).unwrap();
    let ImportedDataset { dataset, left_out, .. } = tree.imported(&tree.import("in"), "out.h5");
    assert_eq!(dataset.parts[0].classes, [1, 2]);
    assert_eq!(left_out, [tree.path("in/README.md"), tree.path("in/a/notes.txt")]);
}

#[test]
fn unsupported_layouts_are_errors_with_a_remedy() {
    let cases: &[(&[&str], &[&str])] = &[
        (&["in/a/1.png", "in/2.png"], &["both folders (a) and images (2.png)"]),
        (&["in/1.png", "in/a_2.png"], &["1 of 2 images have no class", "1.png"]),
        (
            &["in/_1.png", "in/a_2.png"],
            &["no class before an underscore or a number at the end (_1.png)"],
        ),
        (&["in/IMG_1.png", "in/IMG_2.png"], &["all images are of the same class, IMG"]),
        (&["in/a/1.png"], &["all images are of the same class, a"]),
        (&["in/val/a/1.png", "in/val/b/1.png"], &["no folder train"]),
        (
            &["in/train/a_1.png", "in/train/b_1.png", "in/test/c_1.png"],
            &["1 class has no training images: c"],
        ),
        (&["in/train/a_1.png", "in/val/a_1.png", "in/valid/a_1.png"], &["the same split"]),
    ];
    for (images, words) in cases {
        let tree = Tree::with(images);
        assert_contains(&tree.refused(&tree.import("in"), "out.h5"), words);
    }
}

#[test]
fn empty_and_missing_folders_are_errors() {
    let tree = Tree::with(&["in/a/1.png", "in/b/1.png"]);
    fs::create_dir(tree.path("in/c")).unwrap();
    fs::create_dir(tree.path("empty")).unwrap();
    let refused = |folder| tree.refused(&tree.import(folder), "out.h5");
    assert_contains(&refused("in"), &["1 class has no training images: c", "remove or fill"]);
    assert_contains(&refused("empty"), &["empty: contains no images"]);
    assert_contains(&refused("absent"), &["cannot read absent: No such file"]);
    assert_contains(&refused("in/a/1.png"), &["cannot read in/a/1.png: Not a directory"]);
}
