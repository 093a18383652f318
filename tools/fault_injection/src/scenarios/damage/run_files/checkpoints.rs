//! Damage to whole checkpoints and their files.

use std::error::Error;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::super::{StoppedRun, copy, remove, stopped_run};
use super::{Damage, Run};
use crate::snapshot::{CHECKPOINT_FILES, list_names};

/// A file of the newest checkpoint missing, empty, a directory, or of the checkpoint before.
pub fn files() -> Vec<Damage> {
    let mut all = Vec::new();
    for file in CHECKPOINT_FILES {
        all.push(Damage::recoverable(format!("{file} missing"), move |run| {
            remove(&run.newest().join(file))
        }));
        all.push(Damage::recoverable(format!("{file} empty"), move |run| {
            fs::write(run.newest().join(file), "")
        }));
        all.push(Damage::recoverable(format!("{file} a directory"), move |run| {
            remove(&run.newest().join(file))?;
            fs::create_dir(run.newest().join(file))
        }));
        all.push(Damage::recoverable(format!("{file} of the checkpoint before"), move |run| {
            fs::copy(run.before().join(file), run.newest().join(file)).map(drop)
        }));
        all.push(Damage::detectable(format!("{file} swapped with the one before"), move |run| {
            swap(&run.newest().join(file), &run.before().join(file))
        }));
    }
    all
}

/// A checkpoint directory missing or replaced.
pub fn directories() -> Vec<Damage> {
    let mut all = replaced_directory("newest", Run::newest, Run::before);
    all.extend(replaced_directory("the one before", Run::before, Run::newest));
    // The model of the best epoch cannot be recovered from other checkpoints.
    let best = replaced_directory("the best", Run::best, Run::newest).into_iter();
    all.extend(best.map(|damage| Damage { is_recoverable: false, ..damage }));
    all.push(Damage::detectable("newest and the one before swapped", |run| {
        swap(&run.newest(), &run.before())
    }));
    all.push(Damage::recoverable("leftovers of interrupted commits", |run| {
        fs::create_dir(run.checkpoint(".epoch-000009-step-000000"))?;
        fs::create_dir(run.checkpoint(".removed-epoch-000001-step-000000"))
    }));
    all
}

fn replaced_directory(
    name: &'static str,
    path: fn(&Run) -> PathBuf,
    other: fn(&Run) -> PathBuf,
) -> Vec<Damage> {
    vec![
        Damage::recoverable(format!("{name} missing"), move |run| remove(&path(run))),
        Damage::recoverable(format!("{name} empty"), move |run| {
            remove(&path(run))?;
            fs::create_dir(path(run))
        }),
        Damage::recoverable(format!("{name} a file"), move |run| {
            remove(&path(run))?;
            fs::write(path(run), "a file")
        }),
        Damage::recoverable(format!("{name} a link to another"), move |run| {
            remove(&path(run))?;
            symlink(other(run), path(run))
        }),
        Damage::recoverable(format!("{name} a link to itself"), move |run| {
            remove(&path(run))?;
            symlink(path(run), path(run))
        }),
        Damage::recoverable(format!("{name} copied to a later name"), move |run| {
            copy(&path(run), &run.later())
        }),
        Damage::recoverable(format!("{name} copied to an earlier name"), move |run| {
            copy(&path(run), &run.checkpoint("epoch-000001-step-000001"))
        }),
    ]
}

/// The newest checkpoint, the one before or the best replaced by one of another run, or followed by it.
pub fn of_other_runs(stopped: &StoppedRun) -> Result<Vec<Damage>, Box<dyn Error>> {
    let others: [(&str, &[&str]); 4] = [
        ("seed", &["seed=2"]),
        ("model", &["model.mlp.hidden=[3]"]),
        ("learning rate", &["optimizer.adam.learning_rate=2e-2"]),
        ("optimizer", &["optimizer.adam.beta_1=0.8"]),
    ];
    let mut all = Vec::new();
    for (difference, overrides) in others {
        let name = format!("other-{difference}");
        let other = stopped_run(&stopped.fixture, &name, overrides)?.join("checkpoints");
        let source = other.join(list_names(&other)?.pop().ok_or("no checkpoint")?);
        let replace = |role: &str, path: fn(&Run) -> PathBuf| {
            let source = source.clone();
            Damage::recoverable(format!("checkpoint of another {difference}, {role}"), move |run| {
                remove(&path(run)).ok();
                copy(&source, &path(run))
            })
        };
        all.push(replace("as the newest", Run::newest));
        all.push(replace("as the one before", Run::before));
        all.push(Damage { is_recoverable: false, ..replace("as the best", Run::best) });
        all.push(replace("after the newest", Run::later));
        all.push(Damage::detectable(format!("all of another {difference}"), move |run| {
            remove(&run.directory.join("checkpoints"))?;
            copy(&other, &run.directory.join("checkpoints"))
        }));
    }
    Ok(all)
}

fn swap(one: &Path, other: &Path) -> io::Result<()> {
    let aside = one.with_extension("aside");
    fs::rename(one, &aside)?;
    fs::rename(other, one)?;
    fs::rename(&aside, other)
}
