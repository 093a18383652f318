use std::fs;
use std::sync::Barrier;
use std::thread;

use tempfile::TempDir;

use super::*;

/// A directory left by a start that was killed after it had written `files`.
fn leftover(files: &[&str]) -> (TempDir, PathBuf) {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("runs/one");
    fs::create_dir_all(&path).unwrap();
    for file in files {
        fs::write(path.join(file), "process 1").unwrap();
    }
    (directory, path)
}

#[test]
fn leftovers_of_a_killed_start_are_reused_by_the_next_one() {
    let staged = ["lock", "environment.json", "config.7.tmp", "environment.12345.tmp"];
    for files in [&[][..], &["lock"], &["lock", "environment.json"], &staged] {
        let (_directory, path) = leftover(files);
        let (run, _lock) = RunDir::create(&path).unwrap();
        let mut names = file_names(run.path()).unwrap();
        names.retain(|name| name != "environment.json");
        assert_eq!(names, ["lock"], "{files:?}");
    }
}

#[test]
fn a_directory_with_any_other_file_is_left_unchanged() {
    for file in ["config.toml", "notes", "run.7.tmp", "config.tmp", "checkpoints"] {
        let (_directory, path) = leftover(&[file]);
        assert!(matches!(RunDir::create(&path), Err(ArtifactError::Exists { .. })), "{file}");
        assert_eq!(file_names(&path).unwrap(), [file]);
        assert_eq!(fs::read(path.join(file)).unwrap(), b"process 1");
    }
}

#[test]
fn of_concurrent_starts_one_gets_the_directory_and_the_others_learn_its_owner() {
    for _ in 0..50 {
        let (_directory, path) = leftover(&["lock"]);
        let barrier = Barrier::new(8);
        let start = || {
            barrier.wait();
            RunDir::create(&path)
        };
        let results: Vec<_> = thread::scope(|scope| {
            let starts: Vec<_> = (0..8).map(|_| scope.spawn(start)).collect();
            starts.into_iter().map(|start| start.join().unwrap()).collect()
        });
        let us = format!("process {}", std::process::id());
        let names_us =
            |result: &_| matches!(result, Err(ArtifactError::Locked { owner, .. }) if *owner == us);
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
        assert_eq!(results.iter().filter(|result| names_us(result)).count(), 7, "{results:?}");
    }
}

#[test]
fn a_lock_whose_directory_was_recreated_is_not_shared() {
    let (_directory, path) = leftover(&[]);
    let (_run, _old) = RunDir::create(&path).unwrap();
    fs::remove_dir_all(&path).unwrap();
    let (run, _new) = RunDir::create(&path).unwrap();
    assert!(matches!(run.lock(), Err(ArtifactError::Locked { .. })));
}

#[test]
fn the_error_names_a_directory_that_cannot_be_created() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("long".repeat(100));
    let error = RunDir::create(&path).unwrap_err().to_string();
    assert!(error.contains(&format!("cannot write {}", path.display())), "{error}");
}

#[test]
fn the_error_names_a_result_that_cannot_be_removed() {
    let (_directory, path) = leftover(&[]);
    let (run, _lock) = RunDir::create(&path).unwrap();
    run.remove_results().unwrap();
    fs::create_dir(run.summary()).unwrap();
    let error = run.remove_results().unwrap_err().to_string();
    assert!(error.contains("runs/one/summary.json"), "{error}");
}

#[test]
fn a_run_of_another_format_is_refused_with_the_version_that_wrote_it() {
    let (_directory, path) = leftover(&[]);
    let (run, _lock) = RunDir::create(&path).unwrap();
    run.write_config("name = \"one\"\n").unwrap();
    for (header, found) in
        [("\"trainer\":\"0.1.0\"", 1), ("\"format\":99,\"trainer\":\"9.0.0\"", 99)]
    {
        fs::write(run.environment(), format!("{{{header}}}")).unwrap();
        let error = RunDir::open(&path).unwrap_err();
        assert!(matches!(error, ArtifactError::UnsupportedFormat { found: it, .. } if it == found));
    }
    fs::write(run.environment(), format!("{{\"format\":{FORMAT},\"trainer\":\"\"}}")).unwrap();
    RunDir::open(&path).unwrap();
}
