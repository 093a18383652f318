use std::path::PathBuf;

use artifacts::{DataIdentity, Environment, RunFile};
use clap::Args;
use serde::Serialize;
use serde_json::json;
use training::RunConfig;
use training::runs::RunRecord;

use super::{RunsDirectory, percent, status};
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
    let path = style::strong(&text::path(&record.path));
    let mut lines = vec![format!("{path}: {}", status(record.status))];
    let facts = [
        (record.status.as_str(), first_line(record.reason.as_deref())),
        ("config", format!("{}, seed {}", record.name, record.config.seed)),
        ("data", data(&record.environment.data)),
        ("model", model(record)),
        ("start", start(record)),
        ("epochs", epochs(record)),
        ("accuracy", accuracy(record)),
        ("loss", loss(record)),
        ("started", started(record)),
        ("device", record.environment.device.clone()),
        ("program", program(&record.environment)),
        ("files", self::files(files)),
    ];
    for (name, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
        lines.extend(fact(name, value));
    }
    lines.extend(record.synthetic.then(|| style::doubtful(SYNTHETIC_NOTICE)));
    lines.join("\n")
}

/// The cause of a failure, without its remedy.
fn first_line(reason: Option<&str>) -> String {
    reason.and_then(|reason| reason.lines().next()).unwrap_or_default().to_owned()
}

/// A name and its value, wrapped.
fn fact(name: &str, value: &str) -> Vec<String> {
    // Keeps a file and its size on one line.
    let separator = if name == "files" { ", " } else { " " };
    let pieces = wrapped(&escaped(value), separator, WIDTH - INDENT).into_iter().enumerate();
    let lines = pieces.map(|(number, piece)| {
        let name = if number == 0 { name } else { "" };
        format!("  {name:<width$}{piece}", width = INDENT - 2)
    });
    lines.collect()
}

fn data(DataIdentity { are_images, shape, classes, counts, .. }: &DataIdentity) -> String {
    let (examples, counts) = (text::examples(*are_images, *shape), text::counts(counts));
    format!("{examples} in {} classes: {counts}", classes.len())
}

fn model(record: &RunRecord) -> String {
    let kind = json!(record.config.model);
    let kind = kind.as_object().and_then(|model| model.keys().next().cloned()).unwrap_or_default();
    let parameters = record.parameters.map(|count| format!(", {count} parameters"));
    kind + &parameters.unwrap_or_default()
}

/// The weights that the run started from, if not random ones.
fn start(record: &RunRecord) -> String {
    let weights = record.environment.init_from.as_ref();
    weights.map_or(String::new(), |from| format!("{}: {}", from.path.display(), from.tensors()))
}

fn epochs(record: &RunRecord) -> String {
    let best = record.best_epoch.map(|best| format!(", best epoch {best}")).unwrap_or_default();
    let all = record.epochs.map(|epochs| format!(" of {epochs}")).unwrap_or_default();
    format!("{}{all}{best}", record.epochs_done)
}

fn accuracy(record: &RunRecord) -> String {
    scores(
        record,
        |accuracy| format!("{} %", percent(Some(accuracy))),
        [record.test_accuracy, record.validation_accuracy, record.train_accuracy],
    )
}

fn loss(record: &RunRecord) -> String {
    scores(record, |loss| format!("{loss:.4}"), [record.test_loss, record.validation_loss, None])
}

/// The available scores; those of an unfinished run are marked as preliminary.
fn scores(record: &RunRecord, words: impl Fn(f64) -> String, scores: [Option<f64>; 3]) -> String {
    let parts = ["test", "validation", "train"].into_iter().zip(scores);
    let parts = parts.filter_map(|(part, score)| Some(format!("{part} {}", words(score?))));
    let parts = parts.collect::<Vec<_>>().join(", ");
    let so_far = record.train_accuracy.is_none() && !parts.is_empty();
    if so_far { parts + " so far" } else { parts }
}

fn started(record: &RunRecord) -> String {
    let started = record.started.replace('T', " ").replace('Z', " UTC");
    let took = record.seconds.map(|seconds| format!(", took {seconds:.1} s"));
    started + &took.unwrap_or_default()
}

fn program(environment: &Environment) -> String {
    let Environment { trainer, commit, burn, platform, .. } = environment;
    let commit = commit.as_ref().map(|commit| format!(" ({commit})")).unwrap_or_default();
    format!("trainer {trainer}{commit}, Burn {burn}, {platform}")
}

fn files(files: &[RunFile]) -> String {
    let each = files.iter().map(|file| format!("{} ({})", file.name, size(file.bytes)));
    let total = files.iter().map(|file| file.bytes).sum();
    format!("{}, {} in total", each.collect::<Vec<_>>().join(", "), size(total))
}
