use std::collections::BTreeMap;

use data::SplitKind;
use regex::Regex;

use super::*;

/// Classes, and the names and classes of the images of each part.
type Found = (Vec<String>, BTreeMap<SplitKind, Vec<(String, String)>>);

fn found(tree: &Tree, labelling: &Labelling) -> Found {
    let list = tree.scan(labelling).unwrap();
    let image = |file: &ImageFile| {
        let name = file.path.strip_prefix(tree.0.path()).unwrap().display().to_string();
        (name, list.classes[file.label as usize].clone())
    };
    let parts = list.parts.iter();
    let parts = parts.map(|(split, files)| (*split, files.iter().map(image).collect())).collect();
    (list.classes.clone(), parts)
}

fn by_names(images: &[&str]) -> Found {
    found(&Tree::with(images), &Labelling::default())
}

fn error(images: &[&str], labelling: &Labelling) -> String {
    Tree::with(images).scan(labelling).unwrap_err().to_string()
}

#[test]
fn folders_inside_a_class_folder_belong_to_the_class() {
    let (classes, parts) =
        by_names(&["cat/s1/0.png", "cat/s2/x/0.png", "dog/s1/0.png", "dog/1.png"]);
    assert_eq!(classes, ["cat", "dog"]);
    let labels = parts[&SplitKind::Train].iter();
    assert!(labels.clone().all(|(name, class)| name.starts_with(class)), "{parts:?}");
    assert_eq!(labels.count(), 4);
}

#[test]
fn a_folder_around_the_data_set_is_ignored() {
    for images in [
        ["archive/photos/cat/1.png", "archive/photos/dog/1.png"],
        ["archive/train/cat/1.png", "archive/train/dog/1.png"],
    ] {
        assert_eq!(by_names(&images).0, ["cat", "dog"]);
    }
    assert_eq!(
        by_names(&["x/seg_train/a/1.png", "x/seg_train/b/1.png", "x/seg_test/b/2.png"]).1.len(),
        2
    );
}

#[test]
fn parts_are_found_by_their_names() {
    for (train, validation, test) in
        [("train", "val", "test"), ("Training", "valid", "Testing"), ("TRAIN", "dev", "test_set")]
    {
        let images = [
            format!("{train}/a/1.png"),
            format!("{train}/b/1.png"),
            format!("{validation}/b/1.png"),
            format!("{test}/a/1.png"),
        ];
        let images: Vec<&str> = images.iter().map(String::as_str).collect();
        let parts = by_names(&images).1;
        let counts: Vec<_> = parts.iter().map(|(split, files)| (*split, files.len())).collect();
        assert_eq!(
            counts,
            [(SplitKind::Train, 2), (SplitKind::Validation, 1), (SplitKind::Test, 1)]
        );
    }
}

#[test]
fn a_test_folder_without_labels_and_folders_beside_the_parts_are_left_out() {
    let tree = Tree::with(&["train/cat.0.png", "train/dog.0.png", "test1/1.png", "test1/2.png"]);
    tree.image("extra/x/1.png");
    let list = tree.scan(&Labelling::default()).unwrap();
    assert_eq!(list.classes, ["cat", "dog"]);
    assert_eq!(list.parts.keys().collect::<Vec<_>>(), [&SplitKind::Train]);
    assert!(list.notes[0].ends_with("test1 have no labels: left out"), "{:?}", list.notes);
    assert_eq!(list.left_out, [tree.path("extra"), tree.path("test1")]);
}

#[test]
fn a_class_folder_named_like_a_word_of_a_part_stays_a_class() {
    let (classes, parts) = by_names(&["train/1.png", "bus/2.png", "car/3.png"]);
    assert_eq!((classes.len(), parts.len()), (3, 1));
}

#[test]
fn classes_of_file_names_may_have_several_words() {
    let names = ["traffic_light_0.png", "traffic_cone_1.png", "dog_2.png"];
    let more = ["traffic_light_3.png", "traffic_cone_4.png", "dog_5.png"];
    assert_eq!(by_names(&[names, more].concat()).0, ["dog", "traffic_cone", "traffic_light"]);
}

#[test]
fn a_pattern_labels_the_paths_in_the_folder_of_a_part() {
    let labelling = |pattern| Labelling { pattern: Some(Regex::new(pattern).unwrap()), csv: None };
    let images = ["train/2020/x-cat-1.png", "train/2021/y-dog-1.png", "test/z-cat-1.png"];
    let (classes, parts) = found(&Tree::with(&images), &labelling(r"-([a-z]+)-\d"));
    assert_eq!(classes, ["cat", "dog"]);
    assert_eq!(parts[&SplitKind::Test], [("test/z-cat-1.png".to_owned(), "cat".to_owned())]);
    let error = error(&images, &labelling(r"-(cat)-"));
    assert!(
        error.contains("1 of 2 images do not match the pattern `-(cat)-` (2021/y-dog-1.png)"),
        "{error}"
    );
}

#[test]
fn a_table_labels_images_with_or_without_extension_and_may_have_parts() {
    let tables = [
        "\u{feff}filename,label,split\r\nimages/1.png,cat,train\r\n2,dog,train\r\n3.png,cat,Testing\r\n",
        "Id;Breed;set\nimages/1;cat;train\nimages/2;dog;train\n3;cat;test\n",
    ];
    for table in tables {
        let tree = Tree::with(&["images/1.png", "images/2.png", "images/3.png"]);
        // Relative to the table, or to the directory.
        tree.image("2.png");
        tree.image("3.png");
        tree.write("labels.csv", table);
        let labelling = Labelling { pattern: None, csv: Some(tree.path("labels.csv")) };
        let (classes, parts) = found(&tree, &labelling);
        assert_eq!(classes, ["cat", "dog"]);
        let first = ("images/1.png".to_owned(), "cat".to_owned());
        assert!(parts[&SplitKind::Train].contains(&first), "{parts:?}");
        assert_eq!(parts[&SplitKind::Test], [("3.png".to_owned(), "cat".to_owned())]);
    }
}

#[test]
fn an_unusable_table_is_an_error_with_its_line() {
    let cases = [
        ("a,b\n1,2\n", "no column of paths or none of labels among a, b"),
        ("path,label\n1.png,\n", "line 2 has no path or no label"),
        ("path,label,split\n1.png,cat,here\n", "line 2 has the split \"here\""),
    ];
    for (table, expected) in cases {
        let tree = Tree::with(&["1.png"]);
        tree.write("labels.csv", table);
        let labelling = Labelling { pattern: None, csv: Some(tree.path("labels.csv")) };
        let error = tree.scan(&labelling).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn a_table_or_an_image_that_never_ends_is_an_error() {
    let tree = Tree::with(&["1.png"]);
    let labelling = Labelling { pattern: None, csv: Some("/dev/zero".into()) };
    let error = tree.scan(&labelling).unwrap_err();
    assert!(format!("{error:?}").contains("it is not a file"), "{error:?}");
    assert_eq!(
        DecodedImage::open(Path::new("/dev/zero")).unwrap_err().to_string(),
        "it is not a file"
    );
}

#[test]
fn classes_txt_may_start_with_a_byte_order_mark() {
    let tree = Tree::with(&["cat/1.png", "dog/1.png"]);
    tree.write("classes.txt", "\u{feff}dog\r\ncat\r\n");
    assert_eq!(tree.scan(&Labelling::default()).unwrap().classes, ["dog", "cat"]);
}

#[test]
fn composed_and_decomposed_accents_are_the_same_class() {
    let images = ["train/caf\u{e9}/1.png", "train/the/1.png", "test/cafe\u{301}/1.png"];
    let (classes, parts) = by_names(&images);
    assert_eq!(classes, ["caf\u{e9}", "the"]);
    assert_eq!(parts[&SplitKind::Test][0].1, "caf\u{e9}");
}
