use training::{RunEntry, RunRecord, Unreadable};

use super::Place;
use super::words::{dash, epochs, percent, seconds, started, status};
use crate::cli::RunsListArgs;
use crate::commands::STAND_IN;
use crate::error::Failure;
use crate::table::{Align, Table};
use crate::{print, style};

/// Lists every directory of `place`.
pub fn list(place: &Place, args: &RunsListArgs) -> Result<(), Failure> {
    let listed = place.list()?;
    for (path, status, why) in listed.iter().filter_map(reason) {
        tracing::info!("{path}: {status}: {why}");
    }
    print::result(&match args.json {
        true => format!("{:#}", serde_json::json!(listed)),
        false if listed.is_empty() => {
            let next = style::faint("make one: trainer --config FILE");
            format!("no runs in {} yet\n{next}", place.path().display())
        }
        false => text(&listed),
    })
}

fn text(listed: &[RunEntry]) -> String {
    let mut table = Table::new(
        [
            ("run", Align::Left),
            ("status", Align::Left),
            ("test %", Align::Right),
            ("valid. %", Align::Right),
            ("epochs", Align::Right),
            ("seconds", Align::Right),
            ("started UTC", Align::Left),
        ],
        0,
    );
    for one in listed {
        table.row(match one {
            RunEntry::Run(record) => run(record),
            RunEntry::Unreadable(other) => unreadable(other),
        });
    }
    let is_drawn = |one: &RunEntry| matches!(one, RunEntry::Run(record) if record.stand_in);
    let drawn = listed.iter().any(is_drawn).then(|| format!("~ {STAND_IN}"));
    let drawn = drawn.map(|drawn| style::doubtful(&drawn));
    let others = listed.iter().filter(|one| matches!(one, RunEntry::Unreadable(_))).count();
    let others =
        (others > 0).then(|| format!("{others} without a run that can be read: -v tells why"));
    [Some(table.text()), drawn, others].into_iter().flatten().collect::<Vec<_>>().join("\n")
}

fn run(record: &RunRecord) -> [String; 7] {
    let mark = if record.stand_in { " ~" } else { "" };
    [
        record.run.clone(),
        status(record.status),
        percent(record.test_accuracy),
        percent(record.validation_accuracy),
        epochs(record),
        seconds(record.seconds),
        started(record) + mark,
    ]
}

fn unreadable(other: &Unreadable) -> [String; 7] {
    let (run, status) = (other.run.clone(), style::faint(other.status));
    [run, status, dash(), dash(), dash(), dash(), dash()]
}

/// Why a directory is told as it is, where that needs words.
fn reason(listed: &RunEntry) -> Option<(String, &'static str, &str)> {
    let (path, status, why) = match listed {
        RunEntry::Run(record) => (&record.path, record.status.as_str(), record.why.as_deref()?),
        RunEntry::Unreadable(other) => (&other.path, other.status, other.why.as_str()),
    };
    Some((path.display().to_string(), status, why))
}
