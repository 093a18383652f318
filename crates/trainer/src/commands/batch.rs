//! Many runs in one directory, which a later call can continue.

use std::path::{Path, PathBuf};

use training::{Plan, Run, RunDir, Summary};

use crate::error::Failure;

/// How far a run is.
pub enum Standing {
    /// It was finished by an earlier call.
    Finished(RunDir, Box<Summary>),
    /// It is to be started, or to go on.
    Open(Box<Run>),
}

/// The directory of all runs: that of an earlier call, or a new one, which is the one named or else
/// called `name`, and into which `save` puts what a later call needs.
pub fn directory(
    resume: Option<&Path>,
    out: Option<&Path>,
    name: &str,
    save: impl FnOnce(&Path) -> Result<(), Failure>,
) -> Result<PathBuf, Failure> {
    if let Some(directory) = resume {
        return Ok(directory.to_owned());
    }
    if let Some(taken) = out.filter(|out| out.exists()) {
        return Err(Failure::usage(format!(
            "{} exists\n  continue what was stopped there with --resume, or name another one with --out",
            taken.display()
        )));
    }
    let (directory, _lock) = RunDir::create(out, name)?;
    save(directory.path())?;
    Ok(directory.path().to_owned())
}

/// Takes what is at `path` of an earlier call, goes on where that was stopped, or starts anew.
pub fn standing(plan: Plan, path: &Path) -> Result<Standing, Failure> {
    Ok(match RunDir::open(path) {
        Err(_) => Standing::Open(Box::new(plan.start(Some(path))?)),
        Ok(earlier) => match plan.finished(&earlier)? {
            Some(summary) => Standing::Finished(earlier, Box::new(summary)),
            None => Standing::Open(Box::new(plan.resume(earlier)?)),
        },
    })
}
