use std::fs;
use std::path::Path;
use std::sync::Barrier;
use std::thread;

use tempfile::TempDir;

use super::*;

fn claim(path: &Path) -> Result<(RunDir, RunLock), RunError> {
    RunDir::create(Some(path), "unused")
}

/// A directory that a start has left that was killed after it had written `files`.
fn left(files: &[&str]) -> (TempDir, PathBuf) {
    let place = TempDir::new().unwrap();
    let path = place.path().join("runs/one");
    fs::create_dir_all(&path).unwrap();
    for file in files {
        fs::write(path.join(file), "process 1").unwrap();
    }
    (place, path)
}

#[test]
fn what_a_killed_start_has_left_is_taken_by_the_next_one() {
    let staged = ["lock", "environment.json", "config.7.tmp", "environment.12345.tmp"];
    for files in [&[][..], &["lock"], &["lock", "environment.json"], &staged] {
        let (_place, path) = left(files);
        let (run, _lock) = claim(&path).unwrap();
        let mut names = names(run.path()).unwrap();
        names.retain(|name| name != "environment.json");
        assert_eq!(names, ["lock"], "{files:?}");
    }
}

#[test]
fn a_directory_that_holds_anything_else_is_left_as_it_is() {
    for file in ["config.toml", "notes", "run.7.tmp", "config.tmp", "checkpoints"] {
        let (_place, path) = left(&[file]);
        assert!(matches!(claim(&path), Err(RunError::Taken { .. })), "{file}");
        assert_eq!(names(&path).unwrap(), [file]);
        assert_eq!(fs::read(path.join(file)).unwrap(), b"process 1");
    }
}

#[test]
fn of_many_starts_at_once_one_gets_the_directory_and_the_others_are_told_who() {
    for _ in 0..50 {
        let (_place, path) = left(&["lock"]);
        let together = Barrier::new(8);
        let start = || {
            together.wait();
            claim(&path)
        };
        let claims: Vec<_> = thread::scope(|scope| {
            let starts: Vec<_> = (0..8).map(|_| scope.spawn(start)).collect();
            starts.into_iter().map(|start| start.join().unwrap()).collect()
        });
        let us = format!("process {}", std::process::id());
        let told = |claim: &_| matches!(claim, Err(RunError::Locked { owner, .. }) if *owner == us);
        assert_eq!(claims.iter().filter(|claim| claim.is_ok()).count(), 1);
        assert_eq!(claims.iter().filter(|claim| told(claim)).count(), 7, "{claims:?}");
    }
}

#[test]
fn a_lock_whose_directory_was_removed_and_made_again_is_not_shared() {
    let (_place, path) = left(&[]);
    let (_run, _old) = claim(&path).unwrap();
    fs::remove_dir_all(&path).unwrap();
    let (run, _new) = claim(&path).unwrap();
    assert!(matches!(run.lock(), Err(RunError::Locked { .. })));
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let place = TempDir::new().unwrap();
    let path = place.path().join("long".repeat(100));
    let error = claim(&path).unwrap_err().to_string();
    assert!(error.contains(&format!("cannot write {}", path.display())), "{error}");
}

#[test]
fn an_outcome_that_cannot_be_removed_is_named() {
    let (_place, path) = left(&[]);
    let (run, _lock) = claim(&path).unwrap();
    run.remove_outcome().unwrap();
    fs::create_dir(run.summary()).unwrap();
    let error = run.remove_outcome().unwrap_err().to_string();
    assert!(error.contains("runs/one/summary.json"), "{error}");
}
