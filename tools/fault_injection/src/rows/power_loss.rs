//! Row 4: the power goes at any call of a run, and the disk keeps of what was not synced as little,
//! as much and in whatever order it likes. What was acknowledged before is there, nothing half is
//! used, and the run can be ended as if nothing had happened.

mod disk;
mod file;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::error::Error;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;

use rand::rngs::ChaCha8Rng;
use rand::{Rng, RngExt, SeedableRng};

use crate::bits::Bits;
use crate::cores;
use crate::experiment::Experiment;
use crate::faults::{Call, Fault, Faults, What, acknowledged};
use crate::tally::{Outcome, Tally};
use crate::trial::{Bench, KEPT, Trial};
use crate::{Campaign, Size};
use disk::{Disk, put_tree, tree_of};
use file::Fate;

/// The power goes before one of the calls of a record, and changes that are not durable meet these
/// fates.
struct Loss<'a> {
    number: usize,
    record: &'a [Call],
    at: usize,
    fates: Vec<Fate>,
}

/// A run that is killed in a commit and goes on, from the checkpoint before to the one after; or
/// all of such runs, one for each commit.
pub fn run(campaign: &Campaign) -> Outcome {
    let (experiment, faults) = (Experiment::new()?, Faults::new()?);
    let bench = Bench { campaign, experiment: &experiment, faults: &faults };
    let whole = Trial::new(&bench, "whole")?;
    whole.go(None)?;
    let bits = Bits::of(&whole.run(), KEPT)?;
    let mut records = killed_and_resumed(&bench, &whole.calls()?)?;
    let most = campaign.either(QUICK, FULL);
    let mut points = 0..usize::MAX;
    if campaign.size == Size::Quick {
        records = records.into_iter().skip(COMMIT).take(1).collect();
        points = around_commit(&records).ok_or("a run of fewer commits")?;
    }
    let losses = losses(&records, &points, most, campaign.seed)?;
    let mut tally = cores::on_all(|number| Some(losses.get(number)?.count(&bench, &bits)));
    let points: HashSet<_> = losses.iter().map(|loss| (loss.record.as_ptr(), loss.at)).collect();
    tally.note = format!("disks after {} calls of {} runs", points.len(), records.len());
    Ok(tally)
}

/// How many different disks are tried.
const QUICK: usize = 800;
const FULL: usize = 10_000;

/// The commit that the small size looks at: there are earlier ones to be cleared away.
const COMMIT: usize = 3;

/// The calls from after the checkpoint before that commit until after the one after.
fn around_commit(records: &[Vec<Call>]) -> Option<Range<usize>> {
    let calls = records.first()?;
    let tells = |at: &usize| acknowledged(calls.get(*at..=*at).unwrap_or_default()).is_some();
    // The first one tells of the start.
    let mut told = (0..calls.len()).filter(tells).skip(COMMIT);
    Some(told.next()?..told.next()? + 2)
}

/// What runs do that are killed, each between the renaming and the syncing of another checkpoint,
/// and what they do when they go on.
fn killed_and_resumed(bench: &Bench, calls: &[Call]) -> Result<Vec<Vec<Call>>, Box<dyn Error>> {
    let is_commit = |call: &Call| {
        let name = call.to.file_name().unwrap_or_default().to_string_lossy();
        call.what == What::Rename && name.starts_with("epoch-")
    };
    let commits = calls.iter().enumerate().filter(|(_, call)| is_commit(call));
    let records = commits.map(|(at, _)| {
        let trial = Trial::new(bench, &format!("killed-{at}"))?;
        // They count from 1, and the one after it is to fail.
        trial.go(Some(Fault { at: at + 2, error: "KILL", lasting: false }))?;
        trial.go(None)?;
        let calls = trial.calls()?;
        must_be_complete(&calls, &trial)?;
        trial.remove()?;
        Ok(calls)
    });
    records.collect()
}

/// Fails if something was done that the record does not tell of.
fn must_be_complete(calls: &[Call], trial: &Trial) -> Result<(), Box<dyn Error>> {
    let disk = Disk::replayed(calls)?;
    let told = disk.after(&vec![Fate::Kept; disk.pending()]);
    match told == tree_of(trial.place())? {
        true => Ok(()),
        false => Err("the record of a run does not lead to what the run has left".into()),
    }
}

/// Up to so many that leave different disks, before the calls of `points`.
fn losses<'a>(
    records: &'a [Vec<Call>],
    points: &Range<usize>,
    most: usize,
    seed: u64,
) -> Result<Vec<Loss<'a>>, String> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (mut losses, mut known) = (Vec::new(), HashSet::new());
    for round in 0..ROUNDS {
        for record in records {
            let mut disk = Disk::new();
            for at in 0..=record.len() {
                let fates = fates(disk.pending(), round, &mut rng);
                let is_new = points.contains(&at) && known.insert(hash(&(at, disk.after(&fates))));
                if is_new && losses.len() < most {
                    losses.push(Loss { number: losses.len(), record, at, fates });
                }
                record.get(at).map_or(Ok(()), |call| disk.apply(call))?;
            }
        }
        if losses.len() == most {
            break;
        }
    }
    Ok(losses)
}

/// How often all calls are gone through, for another disk at each.
const ROUNDS: usize = 200;

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// What may become of so many changes: none is kept; all are; one alone is kept, or one alone is
/// not, or whatever comes.
fn fates(pending: usize, round: usize, rng: &mut ChaCha8Rng) -> Vec<Fate> {
    let one = rng.random_range(0..pending.max(1));
    let but_one = |most, of_one| {
        (0..pending).map(|at| if at == one { of_one } else { most }).collect::<Vec<_>>()
    };
    match (round, rng.random_range(0..3)) {
        (0, _) => but_one(Fate::Lost, Fate::Lost),
        (1, _) => but_one(Fate::Kept, Fate::Kept),
        (_, 0) => but_one(Fate::Lost, any(rng)),
        (_, 1) => but_one(Fate::Kept, any(rng)),
        _ => (0..pending).map(|_| any(rng)).collect(),
    }
}

fn any(rng: &mut ChaCha8Rng) -> Fate {
    match rng.random_range(0..3) {
        0 => Fate::Lost,
        1 => Fate::Kept,
        _ => Fate::Partly(rng.next_u64()),
    }
}

impl Loss<'_> {
    fn count(&self, bench: &Bench, whole: &Bits) -> Tally {
        let mut tally = Tally::default();
        let outcome = self.survive(bench, whole).unwrap_or_else(|error| Err(error.to_string()));
        let told = |reason| format!("number {}, before call {}: {reason}", self.number, self.at);
        tally.count(outcome.map_err(told));
        tally
    }

    /// Puts what is left of the disk into a place of its own, and goes on with the run there.
    fn survive(&self, bench: &Bench, whole: &Bits) -> Result<Result<(), String>, Box<dyn Error>> {
        let before = self.record.get(..self.at).unwrap_or_default();
        let disk = Disk::replayed(before)?;
        let trial = Trial::new(bench, &format!("loss-{}", self.number))?;
        put_tree(&disk.after(&self.fates), trial.place())?;
        let outcome = trial.must_end_as(whole, acknowledged(before));
        trial.remove()?;
        Ok(outcome)
    }
}
