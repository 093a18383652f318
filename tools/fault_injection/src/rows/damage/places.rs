//! The files and directories around: swapped, lost, strange, and those of other runs.

use std::error::Error;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use training::caught;

use super::{Victim, copy, remove};
use crate::Campaign;
use crate::bits::{CHECKPOINT, names};
use crate::cores;
use crate::tally::Tally;

/// A damage, done to the run in a directory.
struct Damage {
    what: String,
    does: Box<Does>,
    /// Whether what it takes away can be made again.
    is_repaired: bool,
}

/// Does a damage to a run.
type Does = dyn Fn(&Run) -> io::Result<()> + Sync + Send;

/// A run and the names of its checkpoints: the newest, the one before, and that of the best epoch.
struct Run {
    directory: PathBuf,
    newest: String,
    before: String,
    best: String,
}

/// Does each damage to a copy of the run, and goes on with it.
pub fn all(victim: &Victim, campaign: &Campaign) -> Result<Tally, Box<dyn Error>> {
    let mut damages = of_files();
    damages.extend(of_directories());
    damages.extend(foreign(victim)?);
    damages.extend(around(victim, campaign.either(16, 1))?);
    Ok(cores::on_all(|number| {
        let damage = damages.get(number)?;
        let mut tally = Tally::default();
        let directory = victim.experiment.path(format!("damaged-{number}"));
        let outcome = caught(|| go_on(victim, damage, &directory));
        let outcome = outcome.unwrap_or_else(|_| Err("a panic".to_owned()));
        tally.count(outcome.map_err(|reason| format!("{}: {reason}", damage.what)));
        Some(tally)
    }))
}

fn go_on(victim: &Victim, damage: &Damage, directory: &Path) -> Result<(), String> {
    let told = |error: io::Error| error.to_string();
    copy(&victim.run, directory).map_err(told)?;
    let names = names(&directory.join("checkpoints")).map_err(told)?;
    let [best, before, newest] = names.as_slice() else { return Err(format!("{names:?}")) };
    let [newest, before, best] = [newest, before, best].map(String::clone);
    (damage.does)(&Run { directory: directory.to_owned(), newest, before, best }).map_err(told)?;
    let ended = victim.go_on(directory).map_err(|error| error.to_string());
    fs::remove_dir_all(directory).map_err(told)?;
    match ended {
        // A refusal names what is damaged.
        Err(reason) if !damage.is_repaired && reason.contains(&*directory.to_string_lossy()) => {
            Ok(())
        }
        ended => ended,
    }
}

impl Damage {
    /// One after which the run must go on.
    fn repaired(
        what: impl Into<String>,
        does: impl Fn(&Run) -> io::Result<()> + Sync + Send + 'static,
    ) -> Self {
        Self { what: what.into(), does: Box::new(does), is_repaired: true }
    }

    /// One after which it must go on or be refused.
    fn noticed(
        what: impl Into<String>,
        does: impl Fn(&Run) -> io::Result<()> + Sync + Send + 'static,
    ) -> Self {
        Self { is_repaired: false, ..Self::repaired(what, does) }
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
}

/// Files of the newest checkpoint gone, empty, a directory, or those of the one before.
fn of_files() -> Vec<Damage> {
    let of = |file: &'static str| {
        [
            Damage::repaired(format!("{file} gone"), move |run| remove(&run.newest().join(file))),
            Damage::repaired(format!("{file} empty"), move |run| {
                fs::write(run.newest().join(file), "")
            }),
            Damage::repaired(format!("{file} a directory"), move |run| {
                remove(&run.newest().join(file))?;
                fs::create_dir(run.newest().join(file))
            }),
            Damage::repaired(format!("{file} of the one before"), move |run| {
                fs::copy(run.before().join(file), run.newest().join(file)).map(drop)
            }),
            Damage::noticed(format!("{file} swapped"), move |run| {
                swap(&run.newest().join(file), &run.before().join(file))
            }),
        ]
    };
    CHECKPOINT.into_iter().flat_map(of).collect()
}

/// The newest checkpoint, and the one before, as something else than a directory of its own.
fn of_directories() -> Vec<Damage> {
    let of = |which: &'static str, path: fn(&Run) -> PathBuf, other: fn(&Run) -> PathBuf| {
        [
            Damage::repaired(format!("{which} gone"), move |run| remove(&path(run))),
            Damage::repaired(format!("{which} empty"), move |run| {
                remove(&path(run))?;
                fs::create_dir(path(run))
            }),
            Damage::repaired(format!("{which} a file"), move |run| {
                remove(&path(run))?;
                fs::write(path(run), "a file")
            }),
            Damage::repaired(format!("{which} a link to the other"), move |run| {
                remove(&path(run))?;
                symlink(other(run), path(run))
            }),
            Damage::repaired(format!("{which} a link to itself"), move |run| {
                remove(&path(run))?;
                symlink(path(run), path(run))
            }),
            Damage::repaired(format!("{which} also under a later name"), move |run| {
                copy(&path(run), &run.checkpoint("epoch-000999-step-000000"))
            }),
            Damage::repaired(format!("{which} also under an earlier name"), move |run| {
                copy(&path(run), &run.checkpoint("epoch-000001-step-000001"))
            }),
        ]
    };
    let mut all: Vec<_> = of("newest", Run::newest, Run::before).into();
    all.extend(of("the one before", Run::before, Run::newest));
    // What only it can tell, nobody can make again.
    let best = of("the best", Run::best, Run::newest).into_iter();
    all.extend(best.map(|damage| Damage { is_repaired: false, ..damage }));
    all.push(Damage::noticed("both under each other's name", |run| {
        swap(&run.newest(), &run.before())
    }));
    all.push(Damage::repaired("leftovers", |run| {
        fs::create_dir(run.checkpoint(".epoch-000009-step-000000"))?;
        fs::create_dir(run.checkpoint(".removed-epoch-000001-step-000000"))
    }));
    all
}

/// Checkpoints of other runs in the place of the newest, of the one before, and later.
fn foreign(victim: &Victim) -> Result<Vec<Damage>, Box<dyn Error>> {
    let others: [(&str, &[&str]); 4] = [
        ("seed", &["seed=2"]),
        ("model", &["model.mlp.hidden=[3]"]),
        ("rate", &["optimizer.adam.learning_rate=2e-2"]),
        ("optimiser", &["optimizer.adam.beta_1=0.8"]),
    ];
    let mut all = Vec::new();
    for (what, overrides) in others {
        let other = victim.other(&format!("other-{what}"), overrides)?.join("checkpoints");
        let from = names(&other)?.pop().ok_or("no checkpoint")?;
        let from = other.join(from);
        let of = |place: &str, path: fn(&Run) -> PathBuf| {
            let from = from.clone();
            let does = move |run: &Run| {
                remove(&path(run)).ok();
                copy(&from, &path(run))
            };
            (format!("another {what} {place}"), does)
        };
        let (what_newest, newest) = of("as the newest", Run::newest);
        let (what_before, before) = of("as the one before", Run::before);
        let (what_best, best) = of("as the best", Run::best);
        let (what_later, later) = of("later", |run| run.checkpoint("epoch-000999-step-000000"));
        all.push(Damage::repaired(what_newest, newest));
        all.push(Damage::repaired(what_before, before));
        all.push(Damage::noticed(what_best, best));
        all.push(Damage::repaired(what_later, later));
        let all_others = other.clone();
        all.push(Damage::noticed(format!("all of another {what}"), move |run| {
            remove(&run.directory.join("checkpoints"))?;
            copy(&all_others, &run.directory.join("checkpoints"))
        }));
    }
    Ok(all)
}

/// The other files of the run: every so many bytes of each damaged, and each as something else.
fn around(victim: &Victim, every: usize) -> Result<Vec<Damage>, Box<dyn Error>> {
    let mut all = Vec::new();
    for file in ["config.toml", "environment.json", "metrics.csv", "metrics.jsonl", "lock"] {
        let whole = fs::read(victim.run.join(file))?;
        for at in (0..whole.len()).step_by(every) {
            let mut flipped = whole.clone();
            flipped.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << (at % 8));
            all.push(write(format!("{file}, byte {at}"), file, flipped));
            let (cut, _) = whole.split_at(at);
            all.push(write(format!("{file} cut at {at}"), file, cut.to_vec()));
        }
        all.push(write(format!("{file} longer"), file, [&whole[..], b"more\n"].concat()));
        all.push(Damage::noticed(format!("{file} gone"), move |run| {
            remove(&run.directory.join(file))
        }));
        all.push(Damage::noticed(format!("{file} a directory"), move |run| {
            remove(&run.directory.join(file))?;
            fs::create_dir(run.directory.join(file))
        }));
    }
    for file in ["best_model.bpk", "summary.json", "evaluation-test.json"] {
        all.push(Damage::repaired(format!("a damaged {file}"), move |run| {
            fs::write(run.directory.join(file), "damaged")
        }));
    }
    Ok(all)
}

fn write(what: String, file: &'static str, bytes: Vec<u8>) -> Damage {
    Damage::noticed(what, move |run| fs::write(run.directory.join(file), &bytes))
}

fn swap(one: &Path, other: &Path) -> io::Result<()> {
    let aside = one.with_extension("aside");
    fs::rename(one, &aside)?;
    fs::rename(other, one)?;
    fs::rename(&aside, other)
}
