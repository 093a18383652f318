use std::io::{IsTerminal, stdout};

use artifacts::RunStatus;
use clap::Args;
use data::SplitKind;
use serde_json::json;
use training::runs::{self, Comparison, RunEntry, RunRecord};

use super::RunsDirectory;
use crate::cli::split_kind;
use crate::commands::SYNTHETIC_NOTICE;
use crate::error::Failure;
use crate::{print, text};

#[derive(Debug, Args)]
pub struct RunsBestArgs {
    /// Consider only runs of the config with this name
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// Accuracy to compare [default: validation if available, else test]
    #[arg(long, value_parser = split_kind(), value_name = "SPLIT")]
    by: Option<SplitKind>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Prints the path of the best run and nothing else to stdout, so that other commands can use it.
pub fn best(directory: &RunsDirectory, args: &RunsBestArgs) -> Result<(), Failure> {
    let name = args.name.as_deref();
    let finished = directory.list()?.into_iter().filter_map(|entry| match entry {
        RunEntry::Run(record) if record.status == RunStatus::Finished => Some(*record),
        _ => None,
    });
    let candidates: Vec<RunRecord> =
        finished.filter(|record| name.is_none_or(|name| record.name == name)).collect();
    let by = args.by.unwrap_or_else(|| default_split(&candidates));
    let Some(best) = runs::best(&candidates, by) else {
        let (runs, by) = (directory.path().display(), by.as_str());
        let of = name.map(|name| format!(" of `{name}`")).unwrap_or_default();
        return Err(Failure::usage(if candidates.is_empty() {
            format!("no finished run{of} in {runs}\n  `trainer runs list` lists all runs")
        } else {
            format!(
                "no finished run{of} in {runs} has a {by} accuracy\n  choose another one with --by"
            )
        }));
    };
    let warnings = warnings(&candidates, best, by)?;
    if args.json {
        let (by, of) = (by.as_str(), candidates.len());
        return print::json(&json!({ "best": best, "by": by, "of": of, "warnings": warnings }));
    }
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    let path = &best.path;
    print::result(&if stdout().is_terminal() {
        text::path(path)
    } else {
        path.display().to_string()
    })
}

/// Validation if any run has a validation accuracy, else test, else train.
fn default_split(candidates: &[RunRecord]) -> SplitKind {
    let has_score = |split: &SplitKind| candidates.iter().any(|run| run.score(*split).is_some());
    let by_preference = [SplitKind::Validation, SplitKind::Test];
    by_preference.into_iter().find(has_score).unwrap_or(SplitKind::Train)
}

/// Warnings on the validity of the selection.
fn warnings(
    candidates: &[RunRecord],
    best: &RunRecord,
    by: SplitKind,
) -> Result<Vec<String>, Failure> {
    let is_seen = by != SplitKind::Validation && candidates.len() > 1;
    let by_seen = match by {
        SplitKind::Train => "selected by training accuracy, which says nothing about new data",
        _ => {
            "selected by test accuracy, which is therefore optimistic: report the score on other data"
        }
    };
    let left_out = candidates.iter().filter(|record| record.score(by).is_none()).count();
    let differ = !Comparison::new(candidates)?.has_equal_data();
    let warnings = [
        is_seen.then(|| by_seen.to_owned()),
        (left_out > 0).then(|| format!("ignored {left_out} without {} accuracy", by.as_str())),
        differ.then(|| "the runs have different data: their scores are not comparable".to_owned()),
        best.synthetic.then(|| SYNTHETIC_NOTICE.to_owned()),
    ];
    Ok(warnings.into_iter().flatten().collect())
}
