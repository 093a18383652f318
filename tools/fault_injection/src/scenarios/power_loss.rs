//! Scenario 4: the power fails at any call of a run, and the disk keeps any part of what was not
//! synced, in any order. What was acknowledged before is still there, no incomplete checkpoint is
//! used, and the resumed run ends with the bits of an undisturbed run.

mod disk;
mod file;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;

use rand::rngs::ChaCha8Rng;
use rand::{Rng, RngExt, SeedableRng};

use crate::fixture::Fixture;
use crate::parallel::run_on_all_cores;
use crate::snapshot::Snapshot;
use crate::syscall_faults::{
    FaultLibrary, SyscallFault, TracedCall, acknowledged, acknowledgements,
};
use crate::tally::{CaseResult, ScenarioResult, Tally, require};
use crate::traced_run::{KEEP_LAST, TracedRun, TracedTrainer};
use crate::{Effort, Settings};
use disk::{Disk, read_tree, write_tree};
use file::Fate;

/// The power fails before a call of a trace; each change that is not durable meets a fate.
struct PowerLoss<'a> {
    number: usize,
    trace: &'a [TracedCall],
    call: usize,
    fates: Vec<Fate>,
}

/// Number of different disk contents that are tested.
const QUICK: usize = 800;
const FULL: usize = 10_000;

/// The commit that the quick runs test: there are earlier checkpoints to prune.
const COMMIT: usize = 3;

/// Largest number of passes over all calls, each with another disk content at every call.
const ROUNDS: usize = 200;

/// Tests runs that are killed in a commit and resumed: one for each commit or, in the quick runs,
/// the calls of one from the checkpoint before that commit to the one after it.
pub fn run(settings: &Settings) -> ScenarioResult {
    let (fixture, library) = (Fixture::new()?, FaultLibrary::new()?);
    let trainer = TracedTrainer { settings, fixture: &fixture, library: &library };
    let undisturbed = TracedRun::new(&trainer, "undisturbed")?;
    undisturbed.start_or_resume(None)?;
    let reference = Snapshot::read(&undisturbed.run_directory(), KEEP_LAST)?;
    let mut traces = kill_in_each_commit(&trainer, &undisturbed.calls()?)?;
    let limit = settings.choose(QUICK, FULL);
    let mut range = 0..usize::MAX;
    if settings.effort == Effort::Quick {
        traces = traces.into_iter().skip(COMMIT).take(1).collect();
        range = around_commit(&traces).ok_or("the run has too few commits")?;
    }
    let losses = power_losses(&traces, &range, limit, settings.seed)?;
    let mut tally = run_on_all_cores(|number| Some(losses.get(number)?.test(&trainer, &reference)));
    let calls: HashSet<_> = losses.iter().map(|loss| (loss.trace.as_ptr(), loss.call)).collect();
    tally.note = format!("disk contents after {} calls of {} runs", calls.len(), traces.len());
    Ok(tally)
}

/// The calls from the checkpoint before [`COMMIT`] to the one after it.
fn around_commit(traces: &[Vec<TracedCall>]) -> Option<Range<usize>> {
    let acknowledgements = acknowledgements(traces.first()?);
    // The first one is of the start.
    let mut calls = acknowledgements.into_iter().skip(COMMIT).map(|(call, _)| call);
    Some(calls.next()?..calls.next()? + 2)
}

/// Traces of runs that are resumed after they were killed, each between the rename and the sync of
/// another checkpoint.
fn kill_in_each_commit(
    trainer: &TracedTrainer,
    calls: &[TracedCall],
) -> CaseResult<Vec<Vec<TracedCall>>> {
    let mut traces = Vec::new();
    for (index, _) in calls.iter().enumerate().filter(|(_, call)| call.committed_step().is_some()) {
        let run = TracedRun::new(trainer, &format!("killed-{index}"))?;
        // Calls count from 1, and the one after the rename is to fail.
        let fault = SyscallFault { call: index + 2, error: "KILL", lasting: false };
        run.start_or_resume(Some(fault))?;
        run.start_or_resume(None)?;
        let calls = run.calls()?;
        require_complete(&calls, &run)?;
        run.remove()?;
        traces.push(calls);
    }
    Ok(traces)
}

/// Fails if the trace does not lead to the files that the run left.
fn require_complete(calls: &[TracedCall], run: &TracedRun) -> CaseResult {
    let disk = Disk::replay(calls)?;
    let is_complete = disk.after(&vec![Fate::Kept; disk.pending()]) == read_tree(run.directory())?;
    require(is_complete, || "the trace of a run does not lead to its files".to_owned())
}

/// Up to `limit` power losses with different disk contents, before calls in `range`.
fn power_losses<'a>(
    traces: &'a [Vec<TracedCall>],
    range: &Range<usize>,
    limit: usize,
    seed: u64,
) -> Result<Vec<PowerLoss<'a>>, String> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (mut losses, mut known) = (Vec::new(), HashSet::new());
    for round in 0..ROUNDS {
        for trace in traces {
            let mut disk = Disk::new();
            for call in 0..=trace.len() {
                let fates = random_fates(disk.pending(), round, &mut rng);
                let is_new =
                    range.contains(&call) && known.insert(hash(&(call, disk.after(&fates))));
                if is_new && losses.len() < limit {
                    losses.push(PowerLoss { number: losses.len(), trace, call, fates });
                }
                trace.get(call).map_or(Ok(()), |call| disk.apply(call))?;
            }
        }
        if losses.len() == limit {
            break;
        }
    }
    Ok(losses)
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Fates of the pending changes. In the first round all are lost, in the second all are kept; later
/// one alone is kept, or one alone is not, or each has a random fate.
fn random_fates(pending: usize, round: usize, rng: &mut ChaCha8Rng) -> Vec<Fate> {
    let exception = rng.random_range(0..pending.max(1));
    match (round, rng.random_range(0..3)) {
        (0, _) => vec![Fate::Lost; pending],
        (1, _) => vec![Fate::Kept; pending],
        (_, 0) => all_but_one(pending, Fate::Lost, exception, random_fate(rng)),
        (_, 1) => all_but_one(pending, Fate::Kept, exception, random_fate(rng)),
        _ => (0..pending).map(|_| random_fate(rng)).collect(),
    }
}

fn all_but_one(pending: usize, most: Fate, exception: usize, fate: Fate) -> Vec<Fate> {
    (0..pending).map(|index| if index == exception { fate } else { most }).collect()
}

fn random_fate(rng: &mut ChaCha8Rng) -> Fate {
    match rng.random_range(0..3) {
        0 => Fate::Lost,
        1 => Fate::Kept,
        _ => Fate::Partly(rng.next_u64()),
    }
}

impl PowerLoss<'_> {
    fn test(&self, trainer: &TracedTrainer, reference: &Snapshot) -> Tally {
        let mut tally = Tally::default();
        let case = format_args!("power loss {}, before call {}", self.number, self.call);
        tally.record(case, self.resume(trainer, reference));
        tally
    }

    /// Writes what is left on the disk to a new directory, and resumes the run there.
    fn resume(&self, trainer: &TracedTrainer, reference: &Snapshot) -> CaseResult {
        let before = self.trace.get(..self.call).unwrap_or_default();
        let disk = Disk::replay(before)?;
        let run = TracedRun::new(trainer, &format!("power-loss-{}", self.number))?;
        write_tree(&disk.after(&self.fates), run.directory())?;
        let result = run.finish_and_compare(reference, acknowledged(before));
        run.remove()?;
        result
    }
}
