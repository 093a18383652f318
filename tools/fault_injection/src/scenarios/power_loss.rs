//! Scenario 4: the power fails at any call of a run, and the disk keeps any part of what was not
//! synced, in any order. What was acknowledged before is still there, no incomplete checkpoint is
//! used, and the resumed run ends with the bits of an undisturbed run.

mod disk;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::ops::Range;

use rand::rngs::ChaCha8Rng;
use rand::{Rng, RngExt, SeedableRng};

use crate::Settings;
use crate::snapshot::{Snapshot, Tree, read_tree, write_tree};
use crate::syscall_faults::{SyscallFault, TracedCall, acknowledged, acknowledgements};
use crate::tally::{CaseResult, ScenarioResult, Tally, require};
use crate::traced_run::{TracedRun, TracedTrainer};
use disk::{Disk, Fate};

/// The power fails before a call of a trace; each change that is not durable meets a fate.
struct PowerLoss<'a> {
    trace: &'a [TracedCall],
    call: usize,
    fates: Vec<Fate>,
}

/// The commit that the quick runs test: there are earlier checkpoints to prune.
const COMMIT: usize = 3;

/// Largest number of passes over all calls, each with another disk content at every call.
const ROUNDS: usize = 200;

/// Tests runs that are killed in a commit and resumed: one for each commit or, in the quick runs,
/// the calls of one from the checkpoint before that commit to the one after it.
pub fn run(settings: &Settings) -> ScenarioResult {
    let trainer = TracedTrainer::new(settings)?;
    let (calls, reference) = trainer.undisturbed()?;
    let mut traces = kill_in_each_commit(&trainer, &calls)?;
    let mut range = 0..usize::MAX;
    if !settings.full {
        traces = traces.into_iter().skip(COMMIT).take(1).collect();
        range = around_commit(&traces).ok_or("the run has too few commits")?;
    }
    let losses = power_losses(&traces, &range, settings.choose(800, 10_000), settings.seed)?;
    let mut tally = Tally::on_all_cores(|number, tally| {
        let loss = losses.get(number)?;
        let case = format_args!("power loss {number}, before call {}", loss.call);
        tally.record(case, loss.resume(number, &trainer, &reference));
        Some(())
    });
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
        let run = trainer.run(&format!("killed-{index}"))?;
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
    let (disk, mut files) = (Disk::replay(calls)?, Tree::new());
    read_tree(&run.directory, "", &mut files)?;
    let is_complete = disk.after(&vec![Fate::Kept; disk.pending()]) == files;
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
    let hasher = BuildHasherDefault::<DefaultHasher>::default();
    let (mut losses, mut known) = (Vec::new(), HashSet::new());
    for round in 0..ROUNDS {
        for trace in traces {
            let mut disk = Disk::new();
            for call in 0..=trace.len() {
                let fates = random_fates(disk.pending(), round, &mut rng);
                let content = || hasher.hash_one((call, disk.after(&fates)));
                let is_new = range.contains(&call) && known.insert(content());
                if is_new && losses.len() < limit {
                    losses.push(PowerLoss { trace, call, fates });
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

/// Fates of the pending changes. In the first round all are lost, in the second all are kept; later
/// one alone is kept, or one alone is not, or each has a random fate.
fn random_fates(pending: usize, round: usize, rng: &mut ChaCha8Rng) -> Vec<Fate> {
    let exception = rng.random_range(0..pending.max(1));
    match (round, rng.random_range(0..3)) {
        (0, _) => vec![Fate::Lost; pending],
        (1, _) => vec![Fate::Kept; pending],
        (_, 2) => (0..pending).map(|_| random_fate(rng)).collect(),
        (_, kind) => {
            let mut fates = vec![if kind == 0 { Fate::Lost } else { Fate::Kept }; pending];
            let fate = random_fate(rng);
            fates.iter_mut().skip(exception).take(1).for_each(|one| *one = fate);
            fates
        }
    }
}

fn random_fate(rng: &mut ChaCha8Rng) -> Fate {
    match rng.random_range(0..3) {
        0 => Fate::Lost,
        1 => Fate::Kept,
        _ => Fate::Partly(rng.next_u64()),
    }
}

impl PowerLoss<'_> {
    /// Writes what is left on the disk to a new directory, and resumes the run there.
    fn resume(&self, number: usize, trainer: &TracedTrainer, reference: &Snapshot) -> CaseResult {
        let before = self.trace.get(..self.call).unwrap_or_default();
        let run = trainer.run(&format!("power-loss-{number}"))?;
        write_tree(&Disk::replay(before)?.after(&self.fates), &run.directory)?;
        run.finish_and_compare(reference, acknowledged(before))
    }
}
