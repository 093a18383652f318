#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use data::SplitKind;

use super::answer::{Answer, Broken, receive, send};
use super::parent::read;
use super::{READER, Request};
use crate::classes::ClassNames;
use crate::element::{Number, NumberKind};
use crate::error::{ErrorContext, Hdf5Error};
use crate::part::{ImageLayout, ObjectKeys};
use crate::rows::{Encoding, Layout};
use crate::structure::Structure;

const FLOATS: Encoding =
    Encoding { number: Number { kind: NumberKind::Float, size: 4, big_endian: true }, axes: None };

fn packed(shape: [usize; 3], encoding: Encoding, bytes: Vec<u8>, labels: Vec<u32>) -> Structure {
    Structure {
        objects: ["/x".into(), "/y".into(), String::new()],
        shape,
        count: labels.len(),
        labels,
        classes: vec!["a".into(), "b".into()],
        class_names: ClassNames::Labels,
        synthetic: true,
        fit: Some(data::Fit::Crop),
        notes: ["channels first".into(), String::new()],
        encoding,
        layout: Layout::Packed(bytes),
    }
}

fn images() -> Structure {
    packed([1, 2, 1], Encoding::PIXELS, vec![1, 2, 3, 4], vec![1, 0])
}

fn features(count: usize) -> Structure {
    let bytes = (0..4 * count).map(|at| (at * 31 % 251) as u8).collect();
    packed([1, 1, 1], FLOATS, bytes, vec![0; count])
}

fn lying(layout: Layout) -> Structure {
    Structure { layout, ..images() }
}

fn sent(read: &Result<Structure, Hdf5Error>) -> Vec<u8> {
    sent_answer(&read.clone().map(|read| Answer::Structure(Box::new(read))))
}

fn sent_answer(read: &Result<Answer, Hdf5Error>) -> Vec<u8> {
    let mut answer = Vec::new();
    send(&mut answer, read).unwrap();
    answer
}

fn received(answer: &[u8]) -> Result<Result<Answer, Hdf5Error>, Broken> {
    receive(&mut &answer[..])
}

fn is_invalid(answer: &[u8]) -> bool {
    matches!(received(answer), Err(Broken::Invalid(_)))
}

#[test]
fn a_structure_is_received_as_sent() {
    let chunked = lying(Layout::InFile { rows: 1, offsets: vec![u64::MAX, 7] });
    let contiguous = lying(Layout::InFile { rows: 2, offsets: vec![4096] });
    for file in [images(), features(3), features(40_000), chunked, contiguous] {
        assert_eq!(received(&sent(&Ok(file.clone()))), Ok(Ok(Answer::Structure(Box::new(file)))));
    }
}

#[test]
fn parts_are_received_as_sent() {
    let parts = Answer::Parts(vec![Some(SplitKind::Test), None]);
    assert_eq!(received(&sent_answer(&Ok(parts.clone()))), Ok(Ok(parts)));
    assert!(is_invalid(&sent_answer(&Ok(Answer::Parts(vec![None; 5])))));
}

#[test]
fn an_error_is_received_with_the_path_of_the_request() {
    let of = |path: &str| {
        let context = ErrorContext::new(Path::new(path), "train_set_y");
        let found = "label \"ä\n\" at index 1";
        context.content(found, "a number of digits", "store the labels as integers")
    };
    let error = received(&sent(&Err(of("there.h5")))).unwrap().unwrap_err();
    assert_eq!(error.at(Path::new("here.h5")), of("here.h5"));
}

#[test]
fn an_incomplete_answer_is_refused() {
    let refused = Err(ErrorContext::new(Path::new(""), "").damaged("x"));
    for answer in [sent(&Ok(images())), sent(&Ok(features(3))), sent(&refused)] {
        assert!(received(&answer).is_ok());
        for length in 0..answer.len() {
            assert_eq!(received(&answer[..length]), Err(Broken::Short), "{length}");
        }
        assert!(is_invalid(&[&answer[..], b"x"].concat()));
    }
}

#[test]
fn an_invalid_answer_is_refused() {
    let with = |change: fn(&mut Structure)| {
        let mut file = images();
        change(&mut file);
        file.count = file.labels.len();
        sent(&Ok(file))
    };
    assert!(is_invalid(&with(|file| file.labels = vec![0, 2])));
    assert!(is_invalid(&with(|file| file.classes.clear())));
    assert!(is_invalid(&with(|file| file.classes = vec!["a".into(), "a".into()])));
    assert!(is_invalid(&with(|file| file.shape = [2, 1, 2])));
    assert!(is_invalid(&with(|file| file.shape = [usize::MAX, 2, 1])));
    assert!(is_invalid(&with(|file| file.shape = [1 << 20, 1 << 20, 1])));
    assert!(is_invalid(&with(|file| file.labels.clear())));
    assert!(is_invalid(&with(|file| file.encoding = FLOATS)));
    assert!(is_invalid(&with(|file| file.encoding.number.size = 0)));
    assert!(is_invalid(&with(|file| file.notes[0] = "x".repeat(5000))));
    let chunked = |rows, offsets| sent(&Ok(lying(Layout::InFile { rows, offsets })));
    assert!(is_invalid(&chunked(0, vec![])));
    assert!(is_invalid(&chunked(1, vec![0])));
    assert!(is_invalid(&chunked(2, vec![0, 0])));
    assert!(is_invalid(&[0xff; 64]));
    assert!(is_invalid(&[&3_u32.to_ne_bytes()[..], b"\xff{}"].concat()));
}

#[test]
fn a_process_is_a_reader_only_with_all_arguments() {
    let of = |arguments: &[&str]| {
        Request::from_arguments(arguments.iter().map(|&argument| argument.into()))
    };
    let keys = ObjectKeys {
        images: Some("/a \"x\"".into()),
        layout: Some(ImageLayout::Nchw),
        ..ObjectKeys::default()
    };
    for split in [Some(SplitKind::Test), None] {
        let request = Request { split, keys: keys.clone(), path: "a b.h5".into() };
        let arguments = request.arguments().unwrap();
        let arguments = ["trainer".into()].into_iter().chain(arguments);
        assert_eq!(Request::from_arguments(arguments), Some(request));
    }
    for others in [&["trainer"][..], &["trainer", READER], &["trainer", READER, "{}", "b"]] {
        assert_eq!(of(others), None);
    }
}

#[cfg(target_os = "linux")]
fn request() -> Request {
    let (split, keys) = (Some(SplitKind::Train), ObjectKeys::default());
    Request { split, keys, path: "set.h5".into() }
}

/// Error for a subprocess that runs this script.
#[cfg(target_os = "linux")]
fn without_an_answer(script: &str) -> String {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("program");
    std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    read(&program, &request()).unwrap_err().to_string()
}

#[test]
#[cfg(target_os = "linux")]
fn a_failed_reader_is_an_error_with_its_reason() {
    for (script, says, remedy) in [
        ("kill -SEGV $$", "crashed on it (signal 11)", "the file is damaged"),
        ("kill -XCPU $$", "took more time than a valid file", "the file is damaged"),
        ("kill -KILL $$", "was killed (signal 9)", "try again; free memory"),
        ("exit 3", "ended with exit code 3", "please report it"),
        ("exit 0", "ended with exit code 0", "please report it"),
        ("echo nonsense", "answered with a header that is too long", "please report it"),
        ("yes nonsense", "answered with a header that is too long", "please report it"),
    ] {
        let message = without_an_answer(script);
        let says = format!("set.h5: the process that reads it {says}");
        assert!(message.contains(&says) && message.contains(remedy), "{script}: {message}");
    }
    let folder = tempfile::tempdir().unwrap();
    let answer = folder.path().join("answer");
    std::fs::write(&answer, sent(&Ok(images()))).unwrap();
    let message = without_an_answer(&format!("cat {}; exit 3", answer.display()));
    assert!(message.contains("ended with exit code 3"), "a whole answer: {message}");
    let message = read(Path::new("/nothing"), &request());
    let message = message.unwrap_err().to_string();
    assert!(message.contains("the process that reads it cannot be run (No such file"), "{message}");
}
