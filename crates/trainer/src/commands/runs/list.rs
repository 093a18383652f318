use std::iter::repeat_n;

use clap::Args;
use training::runs::RunEntry;

use super::{RunsDirectory, epochs, seconds, status};
use crate::commands::SYNTHETIC_NOTICE;
use crate::error::Failure;
use crate::table::Table;
use crate::text::{escaped, percent};
use crate::{print, style, text};

#[derive(Debug, Args)]
pub struct RunsListArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub fn list(directory: &RunsDirectory, args: &RunsListArgs) -> Result<(), Failure> {
    let listed = directory.list()?;
    for entry in &listed {
        let (path, status, reason) = match entry {
            RunEntry::Run(run) => (&run.path, run.status.as_str(), run.reason.as_deref()),
            RunEntry::Unreadable(other) => (&other.path, other.status, Some(other.reason.as_str())),
        };
        if let Some(reason) = reason {
            tracing::info!("{}: {status}: {reason}", text::path(path));
        }
    }
    print::json_or_text(args.json, &listed, || {
        if listed.is_empty() {
            let next = style::faint("start one: trainer --config FILE");
            format!("no runs in {} yet\n{next}", text::path(directory.path()))
        } else {
            text(&listed)
        }
    })
}

fn text(listed: &[RunEntry]) -> String {
    let heads = ["run", "status", "test %", "valid. %", "epochs", "seconds", "started UTC"];
    let mut table = Table::new(heads, &[0, 1, 6]);
    let (mut is_synthetic, mut others) = (false, 0);
    for entry in listed {
        match entry {
            RunEntry::Run(run) => {
                is_synthetic |= run.synthetic;
                let started = run.started.get(5..16).unwrap_or(&run.started).replace('T', " ");
                table.row([
                    escaped(&run.run),
                    status(run.status),
                    percent(run.test_accuracy),
                    percent(run.validation_accuracy),
                    epochs(run),
                    seconds(run.seconds),
                    started + if run.synthetic { " ~" } else { "" },
                ]);
            }
            RunEntry::Unreadable(other) => {
                others += 1;
                let first = [escaped(&other.run), style::faint(other.status)];
                table.row(first.into_iter().chain(repeat_n("-".to_owned(), 5)));
            }
        }
    }
    let notice = is_synthetic.then(|| style::doubtful(&format!("~ {SYNTHETIC_NOTICE}")));
    let others = (others > 0).then(|| format!("{others} unreadable or not a run: -v shows reason"));
    [Some(table.text()), notice, others].into_iter().flatten().collect::<Vec<_>>().join("\n")
}
