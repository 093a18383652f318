use training::runs::{RunEntry, RunRecord, UnreadableRun};

use super::RunsDirectory;
use super::format::{dash, epochs, percent, seconds, started, status};
use crate::cli::RunsListArgs;
use crate::commands::SYNTHETIC_NOTICE;
use crate::error::Failure;
use crate::table::{Align, Table};
use crate::text::escaped;
use crate::{print, style, text};

/// Lists every subdirectory of `directory`.
pub fn list(directory: &RunsDirectory, args: &RunsListArgs) -> Result<(), Failure> {
    let listed = directory.list()?;
    for (path, status, reason) in listed.iter().filter_map(reason) {
        tracing::info!("{path}: {status}: {reason}");
    }
    print::result(&if args.json {
        format!("{:#}", serde_json::json!(listed))
    } else if listed.is_empty() {
        let next = style::faint("start one: trainer --config FILE");
        format!("no runs in {} yet\n{next}", text::path(directory.path()))
    } else {
        text(&listed)
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
    for entry in listed {
        table.row(match entry {
            RunEntry::Run(record) => run(record),
            RunEntry::Unreadable(other) => unreadable(other),
        });
    }
    let is_synthetic =
        |entry: &RunEntry| matches!(entry, RunEntry::Run(record) if record.synthetic);
    let notice =
        listed.iter().any(is_synthetic).then(|| style::doubtful(&format!("~ {SYNTHETIC_NOTICE}")));
    let others = listed.iter().filter(|entry| matches!(entry, RunEntry::Unreadable(_))).count();
    let others = (others > 0).then(|| format!("{others} unreadable or not a run: -v shows reason"));
    [Some(table.text()), notice, others].into_iter().flatten().collect::<Vec<_>>().join("\n")
}

fn run(record: &RunRecord) -> [String; 7] {
    let mark = if record.synthetic { " ~" } else { "" };
    [
        escaped(&record.run),
        status(record.status),
        percent(record.test_accuracy),
        percent(record.validation_accuracy),
        epochs(record),
        seconds(record.seconds),
        started(record) + mark,
    ]
}

fn unreadable(other: &UnreadableRun) -> [String; 7] {
    let (run, status) = (escaped(&other.run), style::faint(other.status));
    [run, status, dash(), dash(), dash(), dash(), dash()]
}

/// Path, status and the reason for the status, if there is one.
fn reason(entry: &RunEntry) -> Option<(String, &'static str, &str)> {
    let (path, status, reason) = match entry {
        RunEntry::Run(record) => (&record.path, record.status.as_str(), record.reason.as_deref()?),
        RunEntry::Unreadable(other) => (&other.path, other.status, other.reason.as_str()),
    };
    Some((text::path(path), status, reason))
}
