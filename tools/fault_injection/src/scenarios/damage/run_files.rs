//! Damage to the files and directories around the checkpoints: swapped, lost, replaced, or of
//! another run.

mod checkpoints;
mod other_files;

use std::error::Error;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use support::panics;

use super::{StoppedRun, copy};
use crate::Settings;
use crate::parallel::run_on_all_cores;
use crate::snapshot::list_names;
use crate::tally::{CaseResult, Tally};

/// A damage to a run.
struct Damage {
    description: String,
    inflict: Box<Inflict>,
    /// Whether the run must still finish. Otherwise it may also be refused.
    is_recoverable: bool,
}

/// Inflicts a damage.
type Inflict = dyn Fn(&Run) -> io::Result<()> + Sync + Send;

/// A run with three checkpoints: the newest, the one before, and that of the best epoch.
struct Run {
    directory: PathBuf,
    newest: String,
    before: String,
    best: String,
}

/// Inflicts each damage on a copy of the run, and resumes it.
pub fn all(stopped: &StoppedRun, settings: &Settings) -> Result<Tally, Box<dyn Error>> {
    let mut damages = checkpoints::files();
    damages.extend(checkpoints::directories());
    damages.extend(checkpoints::of_other_runs(stopped)?);
    damages.extend(other_files::all(stopped, settings.choose(16, 1))?);
    Ok(run_on_all_cores(|number| {
        let damage = damages.get(number)?;
        let mut tally = Tally::default();
        let directory = stopped.fixture.path(format!("damaged-files-{number}"));
        let result = panics::catch(|| damage_and_resume(stopped, damage, &directory));
        let result = result.unwrap_or_else(|_| Err("a panic".into()));
        tally.record(&damage.description, result);
        Some(tally)
    }))
}

fn damage_and_resume(stopped: &StoppedRun, damage: &Damage, directory: &Path) -> CaseResult {
    copy(&stopped.directory, directory)?;
    let names = list_names(&directory.join("checkpoints"))?;
    let [best, before, newest] = names.as_slice() else { return Err(format!("{names:?}").into()) };
    let [newest, before, best] = [newest, before, best].map(String::clone);
    (damage.inflict)(&Run { directory: directory.to_owned(), newest, before, best })?;
    let result = stopped.resume(directory);
    fs::remove_dir_all(directory)?;
    let path = directory.to_string_lossy();
    match result {
        // A refusal gives the path of the damaged file.
        Err(error) if !damage.is_recoverable && error.to_string().contains(&*path) => Ok(()),
        result => result,
    }
}

impl Damage {
    /// A damage after which the run must finish.
    fn recoverable(
        description: impl Into<String>,
        inflict: impl Fn(&Run) -> io::Result<()> + Sync + Send + 'static,
    ) -> Self {
        let (description, inflict) = (description.into(), Box::new(inflict));
        Self { description, inflict, is_recoverable: true }
    }

    /// A damage after which the run must finish or be refused.
    fn detectable(
        description: impl Into<String>,
        inflict: impl Fn(&Run) -> io::Result<()> + Sync + Send + 'static,
    ) -> Self {
        Self { is_recoverable: false, ..Self::recoverable(description, inflict) }
    }
}

impl Run {
    fn checkpoint(&self, name: &str) -> PathBuf {
        self.directory.join("checkpoints").join(name)
    }

    fn newest(&self) -> PathBuf {
        self.checkpoint(&self.newest)
    }

    fn before(&self) -> PathBuf {
        self.checkpoint(&self.before)
    }

    fn best(&self) -> PathBuf {
        self.checkpoint(&self.best)
    }

    fn later(&self) -> PathBuf {
        self.checkpoint("epoch-000999-step-000000")
    }
}
