//! Files that are not HDF5, truncated, or without the requested part.

use super::*;

fn assert_refused(bytes: &[u8], words: &[&str]) {
    assert_says(&Place::holding(bytes).refusal(), words);
}

#[test]
fn a_missing_file_is_named() {
    assert_says(&Place::new().refusal(), &["no such file", "check the path"]);
}

#[test]
fn a_folder_is_named() {
    let place = Place::new();
    let error = read(place.folder.path(), SplitKind::Train).unwrap_err().to_string();
    assert_says(&error, &["a folder", "another data source"]);
}

#[test]
fn special_files_are_never_opened() {
    let error = read(Path::new("/dev/null"), SplitKind::Train).unwrap_err().to_string();
    assert_says(&error, &["/dev/null", "neither a file nor a folder"]);
}

#[test]
fn an_empty_file_is_named() {
    assert_refused(b"", &["an empty file"]);
}

#[test]
fn other_file_types_are_named() {
    assert_refused(b"\n<!DOCTYPE html><html>", &["an HTML page", "download the file itself"]);
    assert_refused(b"<html lang=en>", &["an HTML page"]);
    let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n";
    assert_refused(pointer, &["a Git LFS pointer", "git lfs pull"]);
    assert_refused(b"\x1f\x8b\x08\0", &["a gzip archive", "unpack"]);
    assert_refused(b"PK\x03\x04\0", &["a zip archive", "unpack"]);
    assert_refused(b"\x89PNG\r\n\x1a\n", &["a PNG image"]);
    assert_refused(b"\xff\xd8\xff\xe0", &["a JPEG image"]);
    assert_refused(&[0; 4096], &["zero bytes"]);
    assert_refused(b"label,pixel", &["without an HDF5 signature"]);
}

#[test]
fn a_signature_without_contents_is_damage() {
    assert_refused(b"\x89HDF\r\n\x1a\n", &["damaged", "download it again"]);
}

#[test]
fn the_file_of_the_other_part_is_named() {
    let place = Place::new();
    put(&place.create(), "test_set_x", &[1, 1, 1, 1], &[0_u8]);
    let words = ["no training set", "`/test_set_x`", "another part", "swap"];
    assert_says(&place.refusal(), &words);
}

#[test]
fn the_objects_of_another_file_are_listed() {
    let place = Place::new();
    put(&place.create(), "images", &[1], &[0_u8]);
    assert_says(
        &place.refusal(),
        &["no labels of the training set", "`/images`", "name it in `[dataset.hdf5]`"],
    );
    let place = Place::new();
    drop(place.create());
    assert_says(&place.refusal(), &["no images of the training set", "no object at all"]);
}

#[test]
fn a_truncated_file_is_refused() {
    let place = Place::new();
    let file = place.create();
    put_training_set(&file);
    file.close().unwrap();
    let bytes = std::fs::read(place.path()).unwrap();
    for length in (1..bytes.len()).step_by(37) {
        assert!(Place::holding(&bytes[..length]).read().is_err(), "{length} of {}", bytes.len());
    }
}

#[test]
#[ignore = "needs the data of the course"]
fn a_truncated_course_file_is_damage() {
    let path = course_data("signs/test_signs.h5");
    let bytes = std::fs::read(path).unwrap();
    let place = Place::holding(&bytes[..bytes.len() / 2]);
    let error = read(&place.path(), SplitKind::Test).unwrap_err().to_string();
    assert_says(&error, &["damaged", "download it again"]);
}

#[cfg(unix)]
#[test]
fn a_name_that_is_not_utf_8_is_named() {
    use std::os::unix::ffi::OsStrExt;
    let place = Place::new();
    let path = place.folder.path().join(std::ffi::OsStr::from_bytes(b"\xff.h5"));
    drop(place.create());
    std::fs::rename(place.path(), &path).unwrap();
    let error = read(&path, SplitKind::Train).unwrap_err().to_string();
    assert_says(&error, &["not UTF-8", "rename the file"]);
}
