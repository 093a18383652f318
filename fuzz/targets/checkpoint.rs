//! A run directory of which one file is not what the trainer wrote.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use dataset::sha256;
use training::{RunDir, Stop, Trained, Ui};

use super::experiment::Experiment;

static EXPERIMENT: LazyLock<Experiment> = LazyLock::new(Experiment::new);

/// The first byte of an input chooses one; the rest is its content.
const FILES: [&str; 6] =
    ["model.bpk", "optimizer.bpk", "state.json", "SHA256SUMS", "environment.json", "config.toml"];

/// Uses the run and resumes it, with the rest of `bytes` in place of one of its files. The sums
/// of the checkpoint are made to fit, as whoever crafts one would.
pub fn read(bytes: &[u8]) {
    let Some((&choice, content)) = bytes.split_first() else { return };
    let file = FILES[choice as usize % FILES.len()];
    let run = EXPERIMENT.path("crafted");
    fs::remove_dir_all(&run).ok();
    copy(&EXPERIMENT.run(), &run);
    let checkpoint = checkpoint(&run);
    match file {
        "environment.json" | "config.toml" => fs::write(run.join(file), content).unwrap(),
        "SHA256SUMS" => fs::write(checkpoint.join(file), content).unwrap(),
        _ => craft(&checkpoint, file, content),
    }
    Trained::open(&run, Some("flex")).ok();
    let resumed = RunDir::open(&run).and_then(|directory| EXPERIMENT.plan().resume(directory));
    if let Ok(mut run) = resumed {
        run.fit(Ui::silent(Box::new(|| Some(Stop::Interrupted)))).ok();
    }
}

/// The one checkpoint of a run.
fn checkpoint(run: &Path) -> PathBuf {
    let mut entries = fs::read_dir(run.join("checkpoints")).unwrap();
    entries.next().unwrap().unwrap().path()
}

fn craft(checkpoint: &Path, file: &str, content: &[u8]) {
    fs::write(checkpoint.join(file), content).unwrap();
    let sum = |file| format!("{}  {file}\n", sha256(&fs::read(checkpoint.join(file)).unwrap()));
    let sums: String = FILES[..3].iter().map(sum).collect();
    fs::write(checkpoint.join("SHA256SUMS"), sums).unwrap();
    if let Some(name) = name(&fs::read(checkpoint.join("state.json")).unwrap()) {
        fs::rename(checkpoint, checkpoint.with_file_name(name)).unwrap();
    }
}

/// What a checkpoint of this state is called.
fn name(state: &[u8]) -> Option<String> {
    let state: serde_json::Value = serde_json::from_slice(state).ok()?;
    let number = |key: &str| state.get(key)?.as_u64();
    Some(format!("epoch-{:06}-step-{:06}", number("epoch")?, number("epoch_step")?))
}

/// Copies the files of the directory `from`, and those of its directories, to a new one, `to`.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let copied = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &copied),
            false => drop(fs::copy(entry.path(), copied).unwrap()),
        }
    }
}
