//! Files written by `write`.

use super::super::write;
use super::*;

fn round_trip(part: SplitKind, classes: &[&str]) -> Hdf5File {
    let place = Place::new();
    write(&place.path(), part, &small(), &names(classes)).unwrap();
    let files = std::fs::read_dir(place.folder.path()).unwrap().count();
    assert_eq!(files, 1);
    read(&place.path(), part).unwrap()
}

fn refused(examples: &Examples, classes: &[String]) -> String {
    let place = Place::new();
    let error = write(&place.path(), SplitKind::Train, examples, classes).unwrap_err();
    assert_eq!(std::fs::read_dir(place.folder.path()).unwrap().count(), 0);
    error.to_string()
}

#[test]
fn written_examples_are_read_back() {
    for part in [SplitKind::Train, SplitKind::Test] {
        for classes in
            [["0", "1", "2"], ["-7", "10", "3"], ["01", "1", "2"], ["cat", "dög", "no cat"]]
        {
            let file = round_trip(part, &classes);
            assert_eq!((file.examples, file.classes), (small(), names(&classes)));
        }
    }
}

#[test]
fn types_are_those_of_the_course_files() {
    let place = Place::new();
    write(&place.path(), SplitKind::Train, &small(), &names(&["0", "1", "2"])).unwrap();
    let file = File::open(place.path()).unwrap();
    let is = |name: &str, shape: &[usize]| {
        let set = file.dataset(name).unwrap();
        assert_eq!(set.shape(), shape);
        set.dtype().unwrap()
    };
    assert!(is("train_set_x", &[6, 2, 2, 3]).is::<u8>());
    assert!(is("train_set_y", &[6]).is::<i64>());
    assert!(is("list_classes", &[3]).is::<i64>());
}

#[test]
fn equal_data_gives_equal_files_and_replaces_the_earlier_one() {
    let place = Place::new();
    let write =
        || write(&place.path(), SplitKind::Train, &small(), &names(&["a", "b", "c"])).unwrap();
    std::fs::write(place.path(), "earlier").unwrap();
    write();
    let first = std::fs::read(place.path()).unwrap();
    write();
    assert_eq!(std::fs::read(place.path()).unwrap(), first);
}

#[test]
fn a_missing_directory_is_an_error_with_the_path() {
    let place = Place::new();
    let path = place.folder.path().join("missing/set.h5");
    let error =
        write(&path, SplitKind::Train, &small(), &names(&["a", "b", "c"])).unwrap_err().to_string();
    assert_says(&error, &["missing/set.h5", "cannot be written", "permissions"]);
}

#[test]
fn unreadable_examples_are_not_written() {
    let classes = names(&["a", "b", "c"]);
    assert_says(&refused(&small(), &classes[..2]), &["label 2 at index 2", "0 to 1"]);
    assert_says(&refused(&small(), &names(&["a", "b", "a"])), &["\"a\" at index 2", "different"]);
    assert_says(&refused(&small(), &names(&["a", "b", ""])), &["\"\" at index 2"]);
    assert_says(
        &refused(&small(), &names(&["a", "b ", "c"])),
        &["\"b \" at index 1", "end in a blank"],
    );
    for name in ["b".repeat(257), "b\0".to_owned()] {
        let message = refused(&small(), &names(&["a", &name, "c"]));
        assert_says(&message, &["at index 1", "at most 256 bytes without a zero byte"]);
    }
    assert_says(&refused(&small(), &[]), &["a list of 0 names"]);
    let short = Examples::images([2, 2, 3], pixels()[1..].to_vec(), small().labels);
    assert_says(&refused(&short, &classes), &["71 bytes for 6 images"]);
    let empty = Examples::images([2, 2, 3], vec![], vec![]);
    assert_says(&refused(&empty, &classes), &["`/train_set_x`", "0 images"]);
    let narrow = Examples { shape: [2, 3, 2], ..small() };
    assert_says(&refused(&narrow, &classes), &["1 or 3 channels"]);
}
