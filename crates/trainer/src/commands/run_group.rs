//! A directory with several runs, which a later call can continue.

use std::path::{Path, PathBuf};

use artifacts::{RunDir, Summary};
use training::{Experiment, Run};

use super::RUNS_DIR;
use crate::error::Failure;

/// A run of the group.
pub enum GroupRun {
    /// An earlier call finished it.
    Finished(RunDir, Box<Summary>),
    /// It starts now, or continues.
    Open(Box<Run>),
}

/// Directory of the group: `resume`, or a new one at `out`, by default named after `name`. `save`
/// writes what a later call needs into a new one.
pub fn directory(
    resume: Option<&Path>,
    out: Option<&Path>,
    name: &str,
    save: impl FnOnce(&Path) -> Result<(), Failure>,
) -> Result<PathBuf, Failure> {
    if let Some(directory) = resume {
        return Ok(directory.to_owned());
    }
    if let Some(existing) = out.filter(|out| out.exists()) {
        return Err(Failure::usage(format!(
            "{} exists\n  continue it with --resume, or choose another directory with --out",
            existing.display()
        )));
    }
    let (directory, _lock) = match out {
        Some(out) => RunDir::create(out)?,
        None => RunDir::create_numbered(Path::new(RUNS_DIR), name)?,
    };
    save(directory.path())?;
    Ok(directory.path().to_owned())
}

/// Opens the run at `path`: finished, resumed or new.
pub fn open(experiment: Experiment, path: &Path) -> Result<GroupRun, Failure> {
    let Ok(earlier) = RunDir::open(path) else {
        return Ok(GroupRun::Open(Box::new(experiment.start_at(path)?)));
    };
    Ok(match experiment.finished(&earlier)? {
        Some(summary) => GroupRun::Finished(earlier, Box::new(summary)),
        None => GroupRun::Open(Box::new(experiment.resume(earlier)?)),
    })
}
