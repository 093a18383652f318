//! Damage to the files and directories around the checkpoints: swapped, lost, replaced, or of
//! another run.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use support::panics;

use super::{StoppedRun, copy, remove, stopped_run};
use crate::Settings;
use crate::snapshot::{CHECKPOINT_FILES, list_names};
use crate::tally::{CaseResult, Tally};

struct Damage {
    description: String,
    is_recoverable: bool,
    inflict: Box<Inflict>,
}

type Inflict = dyn Fn(&Run) -> io::Result<()> + Sync + Send;

/// A run with three checkpoints: the newest, the one before, and that of the best epoch.
struct Run {
    directory: PathBuf,
    newest: PathBuf,
    before: PathBuf,
    best: PathBuf,
    /// Where a checkpoint after the newest would be.
    later: PathBuf,
}

type Checkpoint = fn(&Run) -> &PathBuf;

/// Inflicts each damage on a copy of the run, and resumes it.
pub fn all(stopped: &StoppedRun, settings: &Settings) -> CaseResult<Tally> {
    let mut damages = Damages(Vec::new());
    damages.files_of_checkpoints();
    damages.checkpoints();
    damages.of_other_runs(stopped)?;
    damages.other_files(stopped, settings.choose(16, 1))?;
    Ok(Tally::on_all_cores(|number, tally| {
        let damage = damages.0.get(number)?;
        let directory = stopped.fixture.path(format!("damaged-files-{number}"));
        let result = panics::catch(|| damage_and_resume(stopped, damage, &directory));
        let result = result.unwrap_or_else(|_| Err("a panic".into()));
        tally.record(&damage.description, result);
        Some(())
    }))
}

fn damage_and_resume(stopped: &StoppedRun, damage: &Damage, directory: &Path) -> CaseResult {
    copy(&stopped.directory, directory)?;
    let checkpoints = directory.join("checkpoints");
    let names = list_names(&checkpoints)?;
    let [best, before, newest] = names.as_slice() else { return Err(format!("{names:?}").into()) };
    let [best, before, newest] = [best, before, newest].map(|name| checkpoints.join(name));
    let later = checkpoints.join("epoch-000999-step-000000");
    (damage.inflict)(&Run { directory: directory.to_owned(), newest, before, best, later })?;
    let result = stopped.resume(directory);
    fs::remove_dir_all(directory)?;
    let path = directory.to_string_lossy();
    match result {
        // A refusal gives the path of the damaged file.
        Err(error) if !damage.is_recoverable && error.to_string().contains(&*path) => Ok(()),
        result => result,
    }
}

/// After such a damage the run must finish.
const RECOVERABLE: bool = true;

/// After such a damage the run must finish or be refused.
const DETECTABLE: bool = false;

struct Damages(Vec<Damage>);

impl Damages {
    fn add(
        &mut self,
        is_recoverable: bool,
        description: impl Into<String>,
        inflict: impl Fn(&Run) -> io::Result<()> + Sync + Send + 'static,
    ) {
        let (description, inflict) = (description.into(), Box::new(inflict));
        self.0.push(Damage { description, is_recoverable, inflict });
    }

    /// A file of the newest checkpoint missing, empty, a directory, or of the checkpoint before.
    fn files_of_checkpoints(&mut self) {
        for file in CHECKPOINT_FILES {
            self.add(RECOVERABLE, format!("{file} missing"), move |run| {
                remove(&run.newest.join(file))
            });
            self.add(RECOVERABLE, format!("{file} empty"), move |run| {
                fs::write(run.newest.join(file), "")
            });
            self.add(RECOVERABLE, format!("{file} a directory"), move |run| {
                replace(&run.newest.join(file), |path| fs::create_dir(path))
            });
            self.add(RECOVERABLE, format!("{file} of the checkpoint before"), move |run| {
                fs::copy(run.before.join(file), run.newest.join(file)).map(drop)
            });
            self.add(DETECTABLE, format!("{file} swapped with the one before"), move |run| {
                swap(&run.newest.join(file), &run.before.join(file))
            });
        }
    }

    /// A checkpoint directory missing or replaced.
    fn checkpoints(&mut self) {
        self.replaced_checkpoint(RECOVERABLE, "newest", |run| &run.newest, |run| &run.before);
        self.replaced_checkpoint(
            RECOVERABLE,
            "the one before",
            |run| &run.before,
            |run| &run.newest,
        );
        // The model of the best epoch cannot be recovered from other checkpoints.
        self.replaced_checkpoint(DETECTABLE, "the best", |run| &run.best, |run| &run.newest);
        self.add(DETECTABLE, "newest and the one before swapped", move |run| {
            swap(&run.newest, &run.before)
        });
        self.add(RECOVERABLE, "leftovers of interrupted commits", move |run| {
            fs::create_dir(run.newest.with_file_name(".epoch-000009-step-000000"))?;
            fs::create_dir(run.newest.with_file_name(".removed-epoch-000001-step-000000"))
        });
    }

    fn replaced_checkpoint(
        &mut self,
        is_recoverable: bool,
        name: &str,
        path: Checkpoint,
        other: Checkpoint,
    ) {
        let mut add = |change: &str, by: fn(&Path, &Path) -> io::Result<()>| {
            self.add(is_recoverable, format!("{name} {change}"), move |run| {
                replace(path(run), |path| by(path, other(run)))
            });
        };
        add("missing", |_, _| Ok(()));
        add("empty", |path, _| fs::create_dir(path));
        add("a file", |path, _| fs::write(path, "a file"));
        add("a link to another", |path, other| symlink(other, path));
        add("a link to itself", |path, _| symlink(path, path));
        self.add(is_recoverable, format!("{name} copied to a later name"), move |run| {
            copy(path(run), &run.later)
        });
        self.add(is_recoverable, format!("{name} copied to an earlier name"), move |run| {
            copy(path(run), &run.newest.with_file_name("epoch-000001-step-000001"))
        });
    }

    /// The newest checkpoint, the one before or the best replaced by one of another run, or followed
    /// by it.
    fn of_other_runs(&mut self, stopped: &StoppedRun) -> CaseResult {
        for (difference, changed) in [
            ("seed", "seed=2"),
            ("model", "model.mlp.hidden=[3]"),
            ("learning rate", "optimizer.adam.learning_rate=2e-2"),
            ("optimizer", "optimizer.adam.beta_1=0.8"),
        ] {
            let name = format!("other-{difference}");
            let other = stopped_run(&stopped.fixture, &name, Some(changed))?.join("checkpoints");
            let source = other.join(list_names(&other)?.pop().ok_or("no checkpoint")?);
            let places: [(bool, &str, Checkpoint); 4] = [
                (RECOVERABLE, "as the newest", |run| &run.newest),
                (RECOVERABLE, "as the one before", |run| &run.before),
                (DETECTABLE, "as the best", |run| &run.best),
                (RECOVERABLE, "after the newest", |run| &run.later),
            ];
            for (is_recoverable, place, path) in places {
                let source = source.clone();
                let description = format!("checkpoint of another {difference}, {place}");
                self.add(is_recoverable, description, move |run| {
                    remove(path(run)).ok();
                    copy(&source, path(run))
                });
            }
            self.add(DETECTABLE, format!("all of another {difference}"), move |run| {
                replace(&run.directory.join("checkpoints"), |path| copy(&other, path))
            });
        }
        Ok(())
    }

    /// The other files of the run: one of `interval` bytes damaged, truncated there, and replaced.
    fn other_files(&mut self, stopped: &StoppedRun, interval: usize) -> CaseResult {
        for file in ["config.toml", "environment.json", "metrics.csv", "metrics.jsonl", "lock"] {
            let whole = fs::read(stopped.directory.join(file))?;
            let mut overwrite = |change: String, bytes: Vec<u8>| {
                self.add(DETECTABLE, format!("{file} {change}"), move |run| {
                    fs::write(run.directory.join(file), &bytes)
                });
            };
            for index in (0..whole.len()).step_by(interval) {
                let mut flipped = whole.clone();
                flipped.iter_mut().skip(index).take(1).for_each(|byte| *byte ^= 1 << (index % 8));
                overwrite(format!("damaged at byte {index}"), flipped);
                overwrite(format!("truncated to {index}"), whole.split_at(index).0.to_vec());
            }
            overwrite("longer".to_owned(), [&whole[..], b"more\n"].concat());
            self.add(DETECTABLE, format!("{file} missing"), move |run| {
                remove(&run.directory.join(file))
            });
            self.add(DETECTABLE, format!("{file} a directory"), move |run| {
                replace(&run.directory.join(file), |path| fs::create_dir(path))
            });
        }
        for file in ["best_model.bpk", "summary.json", "evaluation-test.json", "status.json"] {
            self.add(RECOVERABLE, format!("damaged {file}"), move |run| {
                fs::write(run.directory.join(file), "damaged")
            });
        }
        Ok(())
    }
}

/// Removes what is at `path`, and creates something else there.
fn replace(path: &Path, create: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
    remove(path)?;
    create(path)
}

fn swap(one: &Path, other: &Path) -> io::Result<()> {
    let aside = one.with_extension("aside");
    fs::rename(one, &aside)?;
    fs::rename(other, one)?;
    fs::rename(&aside, other)
}
