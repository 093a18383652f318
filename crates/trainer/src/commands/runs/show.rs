use serde_json::{Value, json};
use training::{Environment, RunFile, RunRecord};

use super::Place;
use super::words::{percent, status};
use crate::cli::RunsShowArgs;
use crate::commands::STAND_IN;
use crate::error::Failure;
use crate::table::{WIDTH, size, wrapped};
use crate::{print, style};

/// How far the words of a line stand from its begin.
const INDENT: usize = 14;

/// Shows what a run is in one screen.
pub fn show(place: &Place, args: &RunsShowArgs) -> Result<(), Failure> {
    let record = place.read(&args.run)?;
    let files = record.directory()?.files()?;
    print::result(&match args.json {
        true => format!("{:#}", whole(&record, &files)),
        false => text(&record, &files),
    })
}

/// The record with all that it was made from.
fn whole(record: &RunRecord, files: &[RunFile]) -> Value {
    let mut whole = json!(record);
    let more = [
        ("config", json!(record.config)),
        ("environment", json!(record.environment)),
        ("files", json!(files)),
    ];
    for (key, value) in more {
        if let Some(object) = whole.as_object_mut() {
            object.insert(key.to_owned(), value);
        }
    }
    whole
}

fn text(record: &RunRecord, files: &[RunFile]) -> String {
    let path = style::strong(&record.path.display().to_string());
    let mut lines = vec![format!("{path}: {}", status(record.status))];
    let facts = [
        (record.status.as_str(), record.why.clone().unwrap_or_default()),
        ("config", format!("{}, seed {}", record.name, record.config.seed)),
        ("data", data(&record.environment)),
        ("model", model(record)),
        ("epochs", epochs(record)),
        ("accuracy", accuracy(record)),
        ("loss", loss(record)),
        ("started", started(record)),
        ("device", record.environment.device.clone()),
        ("program", program(&record.environment)),
        ("files", self::files(files)),
    ];
    for (name, words) in facts.into_iter().filter(|(_, words)| !words.is_empty()) {
        lines.extend(fact(name, &words));
    }
    lines.extend(record.stand_in.then(|| style::doubtful(STAND_IN)));
    lines.join("\n")
}

/// A name with its words, in lines that fit.
fn fact(name: &str, words: &str) -> Vec<String> {
    // A file and its size stay together.
    let separator = if name == "files" { ", " } else { " " };
    let pieces = wrapped(words, separator, WIDTH - INDENT).into_iter().enumerate();
    let line = |(number, piece)| {
        let name = if number == 0 { name } else { "" };
        format!("  {name:<width$}{piece}", width = INDENT - 2)
    };
    pieces.map(line).collect()
}

fn data(environment: &Environment) -> String {
    let data = &environment.data;
    let [height, width, channels] = data.shape;
    let examples = match data.are_images {
        true => format!("images of {height}x{width}x{channels}"),
        false => format!("points of {channels} features"),
    };
    let parts = ["train", "validation", "test"].into_iter();
    let counts = parts.filter_map(|part| Some(format!("{} {part}", data.counts.get(part)?)));
    let counts = counts.collect::<Vec<_>>().join(", ");
    format!("{examples} in {} classes: {counts}", data.classes.len())
}

fn model(record: &RunRecord) -> String {
    let kind = json!(record.config.model);
    let kind = kind.as_object().and_then(|model| model.keys().next().cloned()).unwrap_or_default();
    let parameters = record.parameters.map(|count| format!(", {count} parameters"));
    kind + &parameters.unwrap_or_default()
}

fn epochs(record: &RunRecord) -> String {
    let best = record.best_epoch.map(|best| format!(", the best {best}")).unwrap_or_default();
    format!("{} of {}{best}", record.epochs_done, record.epochs)
}

fn accuracy(record: &RunRecord) -> String {
    scores(
        record,
        |share| format!("{} %", percent(Some(share))),
        [record.test_accuracy, record.validation_accuracy, record.train_accuracy],
    )
}

fn loss(record: &RunRecord) -> String {
    scores(record, |loss| format!("{loss:.4}"), [record.test_loss, record.validation_loss, None])
}

/// Those scores that there are; those of a run that goes on are not its last ones.
fn scores(record: &RunRecord, words: impl Fn(f64) -> String, scores: [Option<f64>; 3]) -> String {
    let parts = ["test", "validation", "train"].into_iter().zip(scores);
    let parts = parts.filter_map(|(part, score)| Some(format!("{part} {}", words(score?))));
    let parts = parts.collect::<Vec<_>>().join(", ");
    let so_far = record.test_accuracy.is_none() && !parts.is_empty();
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
    format!("{}, {} in all", each.collect::<Vec<_>>().join(", "), size(total))
}
