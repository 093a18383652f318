//! Row 3: every system call of a run that changes something on the disk fails once. The program
//! says so and ends as documented, what was committed stays, and the run can be ended as if
//! nothing had happened.

use std::error::Error;

use crate::Campaign;
use crate::bits::Bits;
use crate::cores;
use crate::experiment::Experiment;
use crate::faults::{Fault, Faults, acknowledged};
use crate::tally::{Outcome, Tally};
use crate::trial::{Bench, Ended, KEPT, Trial};

/// An error, and whether all calls after it fail too, as on a disk that stays full.
type Kind = (&'static str, bool);

const QUICK: &[Kind] = &[("ENOSPC", false), ("EIO", false)];
const FULL: &[Kind] = &[
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

/// Each call of a run, with each error.
pub fn run(campaign: &Campaign) -> Outcome {
    let (experiment, faults) = (Experiment::new()?, Faults::new()?);
    let bench = Bench { campaign, experiment: &experiment, faults: &faults };
    let whole = Trial::new(&bench, "whole")?;
    whole.go(None)?;
    let (calls, bits) = (whole.calls()?.len(), Bits::of(&whole.run(), KEPT)?);
    let kinds = campaign.either(QUICK, FULL);
    let cases: Vec<_> = kinds.iter().flat_map(|kind| each_call(*kind, calls)).collect();
    let mut tally = cores::on_all(|number| Some(count(&bench, &bits, *cases.get(number)?)));
    tally.note = format!("each of {calls} calls, {} errors", kinds.len());
    Ok(tally)
}

fn each_call((error, lasting): Kind, calls: usize) -> impl Iterator<Item = Fault> {
    (1..=calls).map(move |at| Fault { at, error, lasting })
}

fn count(bench: &Bench, whole: &Bits, fault: Fault) -> Tally {
    let mut tally = Tally::default();
    let outcome = meet(bench, whole, fault).unwrap_or_else(|error| Err(error.to_string()));
    tally.count(outcome.map_err(|reason| format!("{fault:?}: {reason}")));
    tally
}

/// A run that meets the fault, and then goes on without.
fn meet(bench: &Bench, whole: &Bits, fault: Fault) -> Result<Result<(), String>, Box<dyn Error>> {
    let Fault { at, error, lasting } = fault;
    let trial = Trial::new(bench, &format!("{error}-{lasting}-{at}"))?;
    let ended = trial.go(Some(fault))?;
    let acknowledged = acknowledged(&trial.calls()?);
    let outcome = must_be_documented(&ended, fault, &trial)
        .and_then(|()| trial.must_end_as(whole, acknowledged));
    trial.remove()?;
    Ok(outcome)
}

/// No panic; an exit code that the README knows; an error that names a file and a remedy.
fn must_be_documented(ended: &Ended, fault: Fault, trial: &Trial) -> Result<(), String> {
    let place = trial.place().display().to_string();
    let mut lines = ended.err.lines().skip_while(|line| !line.starts_with("error: "));
    let names_a_file = lines.next().is_some_and(|line| line.contains(&place));
    let has_remedy = lines.next().is_some_and(|line| line.starts_with("  "));
    let is_fine = match ended.code {
        Some(0) => trial.run().join("summary.json").is_file(),
        Some(1) => names_a_file && has_remedy,
        None => fault.error == "KILL",
        Some(_) => false,
    };
    match is_fine && !ended.err.contains("panicked") {
        true => Ok(()),
        false => Err(format!("ends with {:?}: {:?}", ended.code, ended.err)),
    }
}
