use std::path::PathBuf;

use artifacts::{Environment, RunFile};
use clap::Args;
use serde::Serialize;
use serde_json::json;
use training::RunConfig;
use training::runs::RunRecord;

use super::{RunsDirectory, status};
use crate::commands::SYNTHETIC_NOTICE;
use crate::error::Failure;
use crate::table::{WIDTH, size, wrapped};
use crate::text::{self, escaped};
use crate::{print, style};

#[derive(Debug, Args)]
pub struct RunsShowArgs {
    /// Name or directory of the run
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Column at which values start.
const INDENT: usize = 14;

pub fn show(directory: &RunsDirectory, args: &RunsShowArgs) -> Result<(), Failure> {
    let record = directory.read(&args.run)?;
    let files = record.directory()?.files()?;
    let (config, environment) = (&record.config, &record.environment);
    let all = Whole { record: &record, config, environment, files: &files };
    print::json_or_text(args.json, &all, || text(&record, &files))
}

/// A record with its config, environment and files.
#[derive(Serialize)]
struct Whole<'a> {
    #[serde(flatten)]
    record: &'a RunRecord,
    config: &'a RunConfig,
    environment: &'a Environment,
    files: &'a [RunFile],
}

fn text(record: &RunRecord, files: &[RunFile]) -> String {
    let RunRecord { name, config, environment, .. } = record;
    let Environment { data, trainer, burn, platform, .. } = environment;
    // The cause of a failure, without its remedy.
    let reason = record.reason.as_deref().and_then(|reason| reason.lines().next());
    let (examples, classes) = (text::examples(data.are_images, data.shape), data.classes.len());
    let model = json!(config.model);
    let model = model.as_object().and_then(|model| model.keys().next());
    let parameters = record.parameters.map(|count| format!(", {count} parameters"));
    let weights = environment.init_from.as_ref();
    let weights = weights.map(|from| format!("{}: {}", from.path.display(), from.tensors()));
    let planned = record.epochs.map(|epochs| format!(" of {epochs}")).unwrap_or_default();
    let best = record.best_epoch.map(|best| format!(", best epoch {best}")).unwrap_or_default();
    let accuracies = [record.test_accuracy, record.validation_accuracy, record.train_accuracy];
    let losses = [record.test_loss, record.validation_loss, None];
    let started = record.started.replace('T', " ").replace('Z', " UTC");
    let took = record.seconds.map(|seconds| format!(", took {seconds:.1} s")).unwrap_or_default();
    let commit = environment.commit.as_ref().map(|commit| format!(" ({commit})"));
    let commit = commit.unwrap_or_default();
    let each: Vec<_> =
        files.iter().map(|file| format!("{} ({})", file.name, size(file.bytes))).collect();
    let total = size(files.iter().map(|file| file.bytes).sum());
    let facts = [
        (record.status.as_str(), reason.unwrap_or_default().to_owned()),
        ("config", format!("{name}, seed {}", config.seed)),
        ("data", format!("{examples} in {classes} classes: {}", text::counts(&data.counts))),
        ("model", model.cloned().unwrap_or_default() + &parameters.unwrap_or_default()),
        ("start", weights.unwrap_or_default()),
        ("epochs", format!("{}{planned}{best}", record.epochs_done)),
        ("accuracy", scores(record, |accuracy| format!("{:.1} %", 100.0 * accuracy), accuracies)),
        ("loss", scores(record, |loss| format!("{loss:.4}"), losses)),
        ("started", started + &took),
        ("device", environment.device.clone()),
        ("program", format!("trainer {trainer}{commit}, Burn {burn}, {platform}")),
        ("files", format!("{}, {total} in total", each.join(", "))),
    ];
    let path = style::strong(&text::path(&record.path));
    let mut lines = vec![format!("{path}: {}", status(record.status))];
    for (name, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
        // Keeps a file and its size on one line.
        let separator = if *name == "files" { ", " } else { " " };
        let pieces = wrapped(&escaped(value), separator, WIDTH - INDENT).into_iter().enumerate();
        lines.extend(pieces.map(|(number, piece)| {
            let name = if number == 0 { name } else { "" };
            format!("  {name:<width$}{piece}", width = INDENT - 2)
        }));
    }
    lines.extend(record.synthetic.then(|| style::doubtful(SYNTHETIC_NOTICE)));
    lines.join("\n")
}

/// The available scores; those of an unfinished run are marked as preliminary.
fn scores(record: &RunRecord, words: impl Fn(f64) -> String, scores: [Option<f64>; 3]) -> String {
    let parts = ["test", "validation", "train"].into_iter().zip(scores);
    let parts = parts.filter_map(|(part, score)| Some(format!("{part} {}", words(score?))));
    let parts = parts.collect::<Vec<_>>().join(", ");
    let so_far = record.train_accuracy.is_none() && !parts.is_empty();
    if so_far { parts + " so far" } else { parts }
}
