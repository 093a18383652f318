use serde_json::json;
use training::{Comparison, RunEntry, RunRecord, RunStatus, SplitName};

use super::Place;
use crate::cli::RunsBestArgs;
use crate::commands::STAND_IN;
use crate::error::Failure;
use crate::print;

/// Prints the path of the best run, and nothing else to stdout: it is made to stand in another
/// command.
pub fn best(place: &Place, args: &RunsBestArgs) -> Result<(), Failure> {
    let candidates = candidates(place, args.name.as_deref())?;
    let by = args.by.map_or_else(|| usual(&candidates), SplitName::from);
    let best = training::best(&candidates, by);
    let best = best.ok_or_else(|| none(place, args.name.as_deref(), by, candidates.len()))?;
    let warnings = warnings(&candidates, best, by)?;
    if args.json {
        let (by, of) = (by.as_str(), candidates.len());
        let all = json!({ "best": best, "by": by, "of": of, "warnings": warnings });
        return print::result(&format!("{all:#}"));
    }
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    print::result(&best.path.display().to_string())
}

/// The finished runs, of one config or of all.
fn candidates(place: &Place, name: Option<&str>) -> Result<Vec<RunRecord>, Failure> {
    let finished = place.list()?.into_iter().filter_map(|listed| match listed {
        RunEntry::Run(record) if record.status == RunStatus::Finished => Some(*record),
        _ => None,
    });
    Ok(finished.filter(|record| name.is_none_or(|name| record.name == name)).collect())
}

/// What to choose by where the user does not say.
fn usual(candidates: &[RunRecord]) -> SplitName {
    match candidates.iter().any(|record| record.validation_accuracy.is_some()) {
        true => SplitName::Validation,
        false => SplitName::Test,
    }
}

/// What the user should know of the choice.
fn warnings(
    candidates: &[RunRecord],
    best: &RunRecord,
    by: SplitName,
) -> Result<Vec<String>, Failure> {
    let is_test = by == SplitName::Test && candidates.len() > 1;
    let by_test = "chosen by test accuracy: report it on other data";
    let left_out = candidates.iter().filter(|record| record.score(by).is_none()).count();
    let differ = !Comparison::of(candidates)?.is_of_equal_data();
    let warnings = [
        is_test.then(|| by_test.to_owned()),
        (left_out > 0).then(|| format!("left out: {left_out} without {} accuracy", by.as_str())),
        differ.then(|| "the runs differ in their data: their scores do not compare".to_owned()),
        best.stand_in.then(|| STAND_IN.to_owned()),
    ];
    Ok(warnings.into_iter().flatten().collect())
}

fn none(place: &Place, name: Option<&str>, by: SplitName, finished: usize) -> Failure {
    let (runs, by) = (place.path().display(), by.as_str());
    let of = name.map(|name| format!(" of `{name}`")).unwrap_or_default();
    Failure::usage(match finished {
        0 => format!(
            "there is no finished run{of} in {runs}\n  `trainer runs list` shows what there is"
        ),
        _ => format!(
            "no finished run{of} in {runs} has a {by} accuracy\n  choose by another one with --by"
        ),
    })
}
