//! A run directory with one file replaced.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use artifacts::RunDir;
use support::sha256;
use training::{ModelRegistry, Stop, TrainedModel, Ui};

use super::fixture::Fixture;

static FIXTURE: LazyLock<Fixture> = LazyLock::new(Fixture::new);

/// The first byte of an input selects one of these; the rest is its content.
const FILES: [&str; 6] =
    ["model.bpk", "optimizer.bpk", "state.json", "SHA256SUMS", "environment.json", "config.toml"];

/// Uses the run and resumes it, with the rest of `bytes` as the content of one of its files. The
/// checksums of the checkpoint are updated, as an attacker would.
pub fn read(bytes: &[u8]) {
    let Some((&selector, content)) = bytes.split_first() else { return };
    let file = FILES[selector as usize % FILES.len()];
    let run = FIXTURE.path("crafted");
    fs::remove_dir_all(&run).ok();
    copy(&FIXTURE.run(), &run);
    let checkpoint = checkpoint(&run);
    match file {
        "environment.json" | "config.toml" => fs::write(run.join(file), content).unwrap(),
        "SHA256SUMS" => fs::write(checkpoint.join(file), content).unwrap(),
        _ => replace(&checkpoint, file, content),
    }
    TrainedModel::open(&run, Some("flex"), &ModelRegistry::new()).ok();
    if let Ok(directory) = RunDir::open(&run)
        && let Ok(mut run) = FIXTURE.experiment().resume(directory)
    {
        run.train(Ui::silent(Box::new(|| Some(Stop::Interrupted)))).ok();
    }
}

/// Path of the only checkpoint of a run.
fn checkpoint(run: &Path) -> PathBuf {
    let mut entries = fs::read_dir(run.join("checkpoints")).unwrap();
    entries.next().unwrap().unwrap().path()
}

/// Replaces a file of a checkpoint, and updates the checksums and the name of its directory.
fn replace(checkpoint: &Path, file: &str, content: &[u8]) {
    fs::write(checkpoint.join(file), content).unwrap();
    let sum = |file| format!("{}  {file}\n", sha256(&fs::read(checkpoint.join(file)).unwrap()));
    let sums: String = FILES[..3].iter().map(sum).collect();
    fs::write(checkpoint.join("SHA256SUMS"), sums).unwrap();
    if let Some(name) = name(&fs::read(checkpoint.join("state.json")).unwrap()) {
        fs::rename(checkpoint, checkpoint.with_file_name(name)).unwrap();
    }
}

/// Name of the checkpoint of this state.
fn name(state: &[u8]) -> Option<String> {
    let state: serde_json::Value = serde_json::from_slice(state).ok()?;
    let number = |key: &str| state.get(key)?.as_u64();
    Some(format!("epoch-{:06}-step-{:06}", number("epoch")?, number("epoch_step")?))
}

/// Copies a directory recursively.
fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
