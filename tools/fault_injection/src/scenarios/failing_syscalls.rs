//! Scenario 3: every system call of a run that changes something on the disk fails once. The
//! trainer reports it and ends with a documented exit code, what was committed stays, and the
//! resumed run ends with the bits of an undisturbed run.

use crate::Settings;
use crate::process::Exit;
use crate::snapshot::Snapshot;
use crate::syscall_faults::{SyscallFault, acknowledged};
use crate::tally::{CaseResult, ScenarioResult, Tally, require};
use crate::traced_run::{TracedRun, TracedTrainer};

/// Errors of one call.
const QUICK: &[&str] = &["ENOSPC", "EIO"];
const FULL: &[&str] = &["ENOSPC", "EIO", "EACCES", "EROFS", "EMFILE", "SHORT", "KILL"];

/// Errors of all calls from one on, as on a disk that stays full.
const LASTING: &[&str] = &["ENOSPC", "EIO", "EROFS"];

/// Lets each call of a run fail with each error.
pub fn run(settings: &Settings) -> ScenarioResult {
    let trainer = TracedTrainer::new(settings)?;
    let (calls, reference) = trainer.undisturbed()?;
    let once = settings.choose(QUICK, FULL).iter().map(|error| (*error, false));
    let lasting = LASTING.iter().filter(|_| settings.full).map(|error| (*error, true));
    let errors: Vec<_> = once.chain(lasting).collect();
    let mut tally = Tally::on_all_cores(|number, tally| {
        let &(error, lasting) = errors.get(number / calls.len())?;
        let fault = SyscallFault { call: 1 + number % calls.len(), error, lasting };
        tally.record(format_args!("{fault:?}"), fail_and_resume(&trainer, &reference, fault));
        Some(())
    });
    tally.note = format!("each of {} calls, {} errors", calls.len(), errors.len());
    Ok(tally)
}

/// Runs with the fault, then resumes without it.
fn fail_and_resume(
    trainer: &TracedTrainer,
    reference: &Snapshot,
    fault: SyscallFault,
) -> CaseResult {
    let SyscallFault { call, error, lasting } = fault;
    let run = trainer.run(&format!("{error}-{lasting}-{call}"))?;
    let exit = run.start_or_resume(Some(fault))?;
    let acknowledged = acknowledged(&run.calls()?);
    let documented = require_documented(&exit, fault, &run);
    documented.and(run.finish_and_compare(reference, acknowledged))
}

/// Requires an exit code of the README, no panic, and an error with the path of a file and, on the
/// next line, a remedy.
fn require_documented(exit: &Exit, fault: SyscallFault, run: &TracedRun) -> CaseResult {
    let directory = run.directory.display().to_string();
    let mut lines = exit.stderr.lines().skip_while(|line| !line.starts_with("error: "));
    let names_a_file = lines.next().is_some_and(|line| line.contains(&directory));
    let has_remedy = lines.next().is_some_and(|line| line.starts_with("  "));
    let is_documented = match exit.code() {
        Some(0) => run.run_directory().join("summary.json").is_file(),
        Some(1) => names_a_file && has_remedy,
        None => fault.error == "KILL",
        Some(_) => false,
    };
    let is_documented = is_documented && !exit.stderr.contains("panicked");
    require(is_documented, || format!("ends with {:?}: {:?}", exit.code(), exit.stderr))
}
