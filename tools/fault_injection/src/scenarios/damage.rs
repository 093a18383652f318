//! Scenario 5: any damage to the bytes of a checkpoint, or to the files around it, is detected and
//! reported. The checkpoint before it is used, and the run ends with the same bits or is refused.

mod checkpoint_bytes;
mod run_files;

use std::fs;
use std::path::{Path, PathBuf};

use artifacts::RunDir;
use training::{Experiment, RunConfig};

use super::injected::Undisturbed;
use crate::Settings;
use crate::fixture::{Fixture, KEEP_LAST, train};
use crate::snapshot::{Snapshot, Tree, list_names, read_tree, write_tree};
use crate::tally::{CaseResult, ScenarioResult, Tally};

/// A stopped run with several checkpoints that is to be damaged, and the result it must reach.
struct StoppedRun {
    fixture: Fixture,
    directory: PathBuf,
    reference: Snapshot,
}

/// The smallest possible model, so that every bit of its checkpoint can be flipped. With a
/// checkpoint after every step, the two newest are not that of the best epoch.
const SMALL: [&str; 3] =
    ["model.mlp.hidden=[2]", "training.epochs=4", "training.checkpoint.every_steps=1"];

/// Steps before the stop.
const STEPS: usize = 14;

/// Damages every byte, then bytes at random, then whole files.
pub fn run(settings: &Settings) -> ScenarioResult {
    let fixture = Fixture::new()?;
    let reference = Undisturbed::new(&fixture, "flex", &SMALL.map(String::from))?.files;
    let directory = stopped_run(&fixture, "stopped", None)?;
    let stopped = StoppedRun { fixture, directory, reference };
    let every = checkpoint_bytes::every(&stopped)?;
    let count = settings.choose(2_000, 1_000_000);
    let random = checkpoint_bytes::random(&stopped, settings.seed, count);
    let files = run_files::all(&stopped, settings)?;
    let note = format!(
        "{} bits and lengths; {} at random; {} files",
        every.cases, random.cases, files.cases
    );
    let mut tally = Tally { note, ..Tally::default() };
    [every, random, files].into_iter().for_each(|part| tally.merge(part));
    Ok(tally)
}

impl StoppedRun {
    /// Resumes the run in `directory`, which must end like the reference. Checkpoints that the
    /// trainer renamed as damaged, which it keeps for inspection, are removed.
    fn resume(&self, directory: &Path) -> CaseResult {
        let run = RunDir::open(directory)?;
        let config = RunConfig::read(&run.config(), &[])?;
        train(Experiment::prepare(&config, None, None)?.resume(run)?, None)?;
        let checkpoints = directory.join("checkpoints");
        for name in list_names(&checkpoints)?.iter().filter(|name| name.starts_with("damaged-")) {
            remove(&checkpoints.join(name))?;
        }
        Snapshot::read(directory, KEEP_LAST)?.require_equal(&self.reference)
    }
}

/// Trains a run, perhaps with a further override, in the new directory `name` and stops it.
fn stopped_run(fixture: &Fixture, name: &str, changed: Option<&str>) -> CaseResult<PathBuf> {
    let directory = fixture.path(name);
    let overrides: Vec<_> = SMALL.into_iter().chain(changed).map(String::from).collect();
    let run = fixture.experiment("flex", &overrides)?.start_at(&directory)?;
    train(run, Some(STEPS))?;
    Ok(directory)
}

/// Removes the file or directory at `path`.
fn remove(path: &Path) -> std::io::Result<()> {
    if path.symlink_metadata()?.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }
}

/// Copies a directory recursively.
fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    let mut tree = Tree::new();
    read_tree(from, "", &mut tree)?;
    write_tree(&tree, to)
}
