//! Scenario 3: every system call of a run that changes something on the disk fails once. The
//! trainer reports it and ends with a documented exit code, what was committed stays, and the
//! resumed run ends with the bits of an undisturbed run.

use crate::Settings;
use crate::fixture::Fixture;
use crate::parallel::run_on_all_cores;
use crate::snapshot::Snapshot;
use crate::syscall_faults::{FaultLibrary, SyscallFault, acknowledged};
use crate::tally::{CaseResult, ScenarioResult, Tally, require};
use crate::traced_run::{KEEP_LAST, TracedExit, TracedRun, TracedTrainer};

/// An error, and whether all later calls fail too, as on a disk that stays full.
type ErrorKind = (&'static str, bool);

const QUICK: &[ErrorKind] = &[("ENOSPC", false), ("EIO", false)];
const FULL: &[ErrorKind] = &[
    ("ENOSPC", false),
    ("EIO", false),
    ("EACCES", false),
    ("EROFS", false),
    ("EMFILE", false),
    ("SHORT", false),
    ("ENOSPC", true),
    ("EIO", true),
    ("EROFS", true),
    ("KILL", false),
];

/// Lets each call of a run fail with each error.
pub fn run(settings: &Settings) -> ScenarioResult {
    let (fixture, library) = (Fixture::new()?, FaultLibrary::new()?);
    let trainer = TracedTrainer { settings, fixture: &fixture, library: &library };
    let undisturbed = TracedRun::new(&trainer, "undisturbed")?;
    undisturbed.start_or_resume(None)?;
    let calls = undisturbed.calls()?.len();
    let reference = Snapshot::read(&undisturbed.run_directory(), KEEP_LAST)?;
    let kinds = settings.choose(QUICK, FULL);
    let faults: Vec<_> = kinds.iter().flat_map(|kind| on_each_call(*kind, calls)).collect();
    let mut tally =
        run_on_all_cores(|number| Some(test(&trainer, &reference, *faults.get(number)?)));
    tally.note = format!("each of {calls} calls, {} errors", kinds.len());
    Ok(tally)
}

fn on_each_call((error, lasting): ErrorKind, calls: usize) -> impl Iterator<Item = SyscallFault> {
    (1..=calls).map(move |call| SyscallFault { call, error, lasting })
}

fn test(trainer: &TracedTrainer, reference: &Snapshot, fault: SyscallFault) -> Tally {
    let mut tally = Tally::default();
    tally.record(format_args!("{fault:?}"), fail_and_resume(trainer, reference, fault));
    tally
}

/// Runs with the fault, then resumes without it.
fn fail_and_resume(
    trainer: &TracedTrainer,
    reference: &Snapshot,
    fault: SyscallFault,
) -> CaseResult {
    let SyscallFault { call, error, lasting } = fault;
    let run = TracedRun::new(trainer, &format!("{error}-{lasting}-{call}"))?;
    let exit = run.start_or_resume(Some(fault))?;
    let acknowledged = acknowledged(&run.calls()?);
    let result = require_documented(&exit, fault, &run)
        .and_then(|()| run.finish_and_compare(reference, acknowledged));
    run.remove()?;
    result
}

/// Requires an exit code of the README, no panic, and an error with the path of a file and, on the
/// next line, a remedy.
fn require_documented(exit: &TracedExit, fault: SyscallFault, run: &TracedRun) -> CaseResult {
    let directory = run.directory().display().to_string();
    let mut lines = exit.stderr.lines().skip_while(|line| !line.starts_with("error: "));
    let names_a_file = lines.next().is_some_and(|line| line.contains(&directory));
    let has_remedy = lines.next().is_some_and(|line| line.starts_with("  "));
    let is_documented = match exit.code {
        Some(0) => run.run_directory().join("summary.json").is_file(),
        Some(1) => names_a_file && has_remedy,
        None => fault.error == "KILL",
        Some(_) => false,
    };
    let is_documented = is_documented && !exit.stderr.contains("panicked");
    require(is_documented, || format!("ends with {:?}: {:?}", exit.code, exit.stderr))
}
