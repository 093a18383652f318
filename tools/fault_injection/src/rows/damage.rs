//! Row 5: whatever happens to the bytes of a checkpoint, or to the files around it, is noticed and
//! named; the checkpoint before it is used, and the run ends with the same bits, or is refused.

mod bytes;
mod places;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use training::RunDir;

use crate::Campaign;
use crate::bits::{Bits, names};
use crate::experiment::{Experiment, KEPT, fit};
use crate::tally::{Outcome, Tally};

/// What is damaged: a run stopped on its way, with several checkpoints, and how it must end.
struct Victim {
    experiment: Experiment,
    run: PathBuf,
    whole: Bits,
}

/// The smallest model that there is, so that every bit of its checkpoint has its turn.
/// With a checkpoint every step, the two newest are not that of the best epoch.
const SMALL: [&str; 3] =
    ["model.mlp.hidden=[2]", "training.epochs=4", "training.checkpoint.every_steps=1"];

/// Every byte, then random damages, then the files around.
pub fn run(campaign: &Campaign) -> Outcome {
    let victim = Victim::new()?;
    let mut tally = Tally::default();
    let exhaustive = bytes::every(&victim)?;
    let random = bytes::random(&victim, campaign.seed, campaign.either(2_000, 1_000_000))?;
    let places = places::all(&victim, campaign)?;
    tally.note = format!(
        "{} bits, lengths; {} at random; {} of files",
        exhaustive.tried, random.tried, places.tried
    );
    [exhaustive, random, places].into_iter().for_each(|part| tally.add(part));
    Ok(tally)
}

impl Victim {
    fn new() -> Result<Self, Box<dyn Error>> {
        let experiment = Experiment::new()?;
        let [whole, run] = ["whole", "run"].map(|name| experiment.path(name));
        let small = SMALL.map(String::from);
        fit(experiment.plan("flex", &small)?.start(Some(&whole))?, None)?;
        fit(experiment.plan("flex", &small)?.start(Some(&run))?, Some(14))?;
        Ok(Self { whole: Bits::of(&whole, KEPT)?, experiment, run })
    }

    /// A run like it, but for `overrides`.
    fn other(&self, name: &str, overrides: &[&str]) -> Result<PathBuf, Box<dyn Error>> {
        let directory = self.experiment.path(name);
        let overrides: Vec<_> = SMALL.iter().chain(overrides).map(|key| (*key).into()).collect();
        fit(self.experiment.plan("flex", &overrides)?.start(Some(&directory))?, Some(14))?;
        Ok(directory)
    }

    /// Goes on with the run in `directory` to its end, which must be the right one.
    fn go_on(&self, directory: &Path) -> Result<(), Box<dyn Error>> {
        let run = RunDir::open(directory)?;
        let config = training::RunConfig::read(&run.config(), &[])?;
        let plan = training::Plan::prepare(&config, None, None)?;
        fit(plan.resume(run)?, None)?;
        set_aside(directory)?;
        Ok(Bits::of(directory, KEPT)?.must_equal(&self.whole)?)
    }
}

/// Removes what the trainer has set aside as damaged: it is kept for whom it may help.
fn set_aside(directory: &Path) -> Result<(), Box<dyn Error>> {
    let checkpoints = directory.join("checkpoints");
    for name in names(&checkpoints)?.iter().filter(|name| name.starts_with("damaged-")) {
        remove(&checkpoints.join(name))?;
    }
    Ok(())
}

/// Removes whatever is at `path`.
fn remove(path: &Path) -> std::io::Result<()> {
    match path.symlink_metadata()?.is_dir() {
        true => fs::remove_dir_all(path),
        false => fs::remove_file(path),
    }
}

/// Copies a directory with all in it.
fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for name in names(from)? {
        let (from, to) = (from.join(&name), to.join(&name));
        match from.is_dir() {
            true => copy(&from, &to)?,
            false => drop(fs::copy(&from, &to)?),
        }
    }
    Ok(())
}
