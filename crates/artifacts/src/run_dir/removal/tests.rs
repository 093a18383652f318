use std::os::unix::fs::symlink;

use tempfile::TempDir;

use super::*;

/// A directory `runs/one` with the first files of a run.
fn run() -> (TempDir, PathBuf) {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("runs/one");
    let (run, _lock) = RunDir::create(&path).unwrap();
    run.write_config("name = \"one\"\n").unwrap();
    fs::write(run.environment(), "{}").unwrap();
    fs::create_dir(run.checkpoints()).unwrap();
    fs::write(run.checkpoints().join("model.bpk"), "12345").unwrap();
    (directory, path)
}

fn remove(path: &Path) -> Result<(), ArtifactError> {
    RunDir::removable(path)?.remove()
}

#[test]
fn a_run_is_removed_completely_and_nothing_beside_it() {
    let (_directory, path) = run();
    let beside = path.with_file_name("beside");
    fs::write(&beside, "").unwrap();
    remove(&path).unwrap();
    assert_eq!(children(path.parent().unwrap()), [beside]);
}

#[test]
fn the_target_of_a_link_in_a_run_is_kept() {
    let (directory, path) = run();
    let data = directory.path().join("data");
    fs::create_dir(&data).unwrap();
    fs::write(data.join("train.h5"), "data").unwrap();
    symlink(&data, path.join("data")).unwrap();
    remove(&path).unwrap();
    assert!(data.join("train.h5").exists() && !path.exists());
}

#[test]
fn a_link_to_a_run_is_refused_in_every_notation() {
    let (directory, path) = run();
    let link = directory.path().join("link");
    symlink(&path, &link).unwrap();
    for end in ["", "/", "/.", "//"] {
        let written = PathBuf::from(format!("{}{end}", link.display()));
        assert!(matches!(remove(&written), Err(ArtifactError::IsLink { .. })), "{end}");
    }
    let above = PathBuf::from(format!("{}/checkpoints/..", link.display()));
    assert!(matches!(remove(&above), Err(ArtifactError::NotARun { .. })));
    assert!(RunDir::open(&path).is_ok());
}

#[test]
fn a_directory_with_a_copy_of_a_config_is_refused() {
    let (directory, path) = run();
    for file in ["config.toml", "environment.json", "lock"] {
        let copies = directory.path().join(file);
        fs::create_dir(&copies).unwrap();
        for other in ["config.toml", "environment.json", "lock"] {
            if other == file {
                symlink(path.join(other), copies.join(other)).unwrap();
            } else {
                fs::copy(path.join(other), copies.join(other)).unwrap();
            }
        }
        assert!(matches!(remove(&copies), Err(ArtifactError::OnlyConfig { .. })), "{file}");
        fs::remove_file(copies.join(file)).unwrap();
        assert!(remove(&copies).is_err(), "{file}");
        assert!(copies.exists());
    }
}

#[test]
fn a_directory_that_contains_another_run_is_refused() {
    let (_directory, path) = run();
    let deeper = path.join("a/b/two");
    let (inner, _lock) = RunDir::create(&deeper).unwrap();
    inner.write_config("name = \"two\"\n").unwrap();
    assert!(matches!(remove(&path), Err(ArtifactError::ContainsRun { run, .. }) if run == deeper));
    assert!(RunDir::open(&path).is_ok());
}

#[test]
fn a_running_run_is_refused() {
    let (_directory, path) = run();
    let lock = RunDir::open(&path).unwrap().lock().unwrap();
    let us = format!("process {}", std::process::id());
    assert!(matches!(remove(&path), Err(ArtifactError::Running { owner, .. }) if owner == us));
    drop(lock);
    remove(&path).unwrap();
}

#[test]
fn files_are_listed_with_their_sizes_and_a_link_with_its_own() {
    let (directory, path) = run();
    fs::write(directory.path().join("large"), [0; 5000]).unwrap();
    symlink(directory.path().join("large"), path.join("linked")).unwrap();
    let files = RunDir::open(&path).unwrap().files().unwrap();
    let names: Vec<_> = files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, ["checkpoints", "config.toml", "environment.json", "linked", "lock"]);
    assert_eq!((files[0].bytes, files[2].bytes), (5, 2));
    assert!(files[3].bytes < 5000);
}
