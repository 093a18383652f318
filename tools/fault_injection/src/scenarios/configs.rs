//! Scenario 7: a config with any key missing, of another type, out of range or with the path of
//! another file, and generated text, is refused at once and in little memory, with key and line. An
//! accepted config reads back unchanged and can be run.

mod bases;
mod checks;
mod fields;
mod first_step;
mod generated;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::Duration;

use config::Manual;
use tempfile::TempDir;
use training::{ModelRegistry, RunConfig};

use crate::Settings;
use crate::process::PeakMemory;
use crate::tally::{CaseResult, ScenarioResult, Tally, require};
use bases::Base;
use checks::{LONGEST_MS, Reader};
use fields::Key;
use generated::Material;

/// Memory limit in MiB for reading all configs, in addition to that used before.
const MEMORY_LIMIT: u64 = 100;

/// Time after which reading a config counts as hanging.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Number of generated configs that one task reads.
const BATCH: usize = 500;

/// Accepted configs that are to be run, by name.
type Accepted = Mutex<BTreeMap<String, RunConfig>>;

/// Mutates every key of every base, generates configs, then runs the accepted mutants.
pub fn run(settings: &Settings) -> ScenarioResult {
    let directory = TempDir::new()?;
    let bases = bases::all(directory.path())?;
    let material = material(&bases, files_to_extend(directory.path())?);
    let count = settings.choose(20_000, 1_000_000);

    let peak = PeakMemory::start()?;
    let accepted = Accepted::default();
    let mut tally = extend_each(&material.bases)?;
    if tally.failures.is_empty() {
        let keys = select_keys(&bases, settings.full);
        let manual = Manual::of(&RunConfig::schema(&ModelRegistry::new()));
        tally.merge(Tally::on_all_cores(|number, tally| {
            let (base, key) = keys.get(number)?;
            let reader = tally.value(Reader::new())?;
            mutate_key(base, key, &manual, &reader, &accepted, tally);
            Some(())
        }));
        tally.merge(Tally::on_all_cores(|number, tally| {
            let reader = tally.value(Reader::new())?;
            let numbers = number * BATCH..count.min((number + 1) * BATCH);
            for number in numbers.clone() {
                let seed = settings.seed.rotate_left(32) ^ number as u64;
                let config = material.generate(seed);
                let result = reader.read(&config.text, &config.overrides);
                tally.record(format_args!("generated {seed}"), one_line(result));
            }
            (!numbers.is_empty()).then_some(())
        }));
    }
    let memory = peak.mebibytes();
    let is_small = memory <= MEMORY_LIMIT;
    tally.record("all", require::<String>(is_small, || format!("reading took {memory} MiB")));
    let accepted = accepted.into_inner()?;
    tally.cases += accepted.len();
    tally.note = format!(
        "{count} generated, {} run; reading took {} ms and {memory} MiB at most",
        accepted.len(),
        LONGEST_MS.load(Ordering::Relaxed),
    );
    for (name, config) in accepted {
        let result = first_step::run(&config, &directory.path().join("run"));
        tally.record(name, result);
    }
    Ok(tally)
}

/// Every key of every base; in the quick runs each key once, in a runnable base if possible.
fn select_keys(bases: &[Base], all: bool) -> Vec<(&Base, Key)> {
    let (runnable, others): (Vec<_>, Vec<_>) = bases.iter().partition(|base| base.is_runnable);
    let bases = runnable.into_iter().chain(others);
    let keys =
        bases.flat_map(|base| fields::keys(&base.table).into_iter().map(move |key| (base, key)));
    let mut known = HashSet::new();
    keys.filter(|(_, key)| all || known.insert(key.clone())).collect()
}

/// Reads all mutants of `key`.
fn mutate_key(
    base: &Base,
    key: &Key,
    manual: &Manual,
    reader: &Reader,
    accepted: &Accepted,
    tally: &mut Tally,
) {
    let mut values = fields::choices(manual, key);
    values.extend(bounds(base, key, reader));
    // Slow to write and read. The runnable bases have every key.
    values.extend(fields::huge().into_iter().filter(|_| base.is_runnable));
    for mutant in fields::mutants(&base.table, key, &values) {
        match reader.read(mutant.text.as_bytes(), &[]) {
            Ok(Some(config)) if base.is_runnable => {
                accepted.lock().map(|mut accepted| accepted.insert(mutant.name, config)).ok();
            }
            result => tally.record(mutant.name, one_line(result)),
        }
    }
}

/// Numbers in the messages that refuse values of `key`: the bounds of its range, and neighbours.
fn bounds(base: &Base, key: &Key, reader: &Reader) -> Vec<String> {
    let mut bounds = Vec::new();
    for value in ["\"\u{2603}\"", "9223372036854775807", "1e308", "-1.0"] {
        let message = reader.message(&fields::replaced(&base.table, key, value));
        bounds.extend(fields::numbers_in(&message));
    }
    bounds.sort_unstable();
    bounds.dedup();
    bounds
}

/// Puts the lines of an error into one.
fn one_line<T>(result: Result<T, String>) -> Result<(), String> {
    let line = |error: String| error.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    result.map(drop).map_err(line)
}

fn material(bases: &[Base], files: Vec<String>) -> Material {
    let keys = bases.iter().flat_map(|base| fields::keys(&base.table));
    let mut keys: Vec<_> = keys.map(|key| key.join(".")).collect();
    keys.sort_unstable();
    keys.dedup();
    Material {
        texts: bases.iter().map(|base| base.table.to_string()).collect(),
        keys,
        values: fields::values().map(String::from).collect(),
        bases: files,
    }
}

/// Paths for `extends`: files created in `directory` that cannot be extended, and other files.
fn files_to_extend(directory: &Path) -> CaseResult<Vec<String>> {
    let many: String = (0..6_000).map(|number| format!("k{number} = 1\n")).collect();
    let created = [
        ("one.toml", b"extends = \"two.toml\"".to_vec()),
        ("two.toml", b"extends = \"one.toml\"".to_vec()),
        ("self.toml", b"extends = \"self.toml\"".to_vec()),
        ("latin.toml", b"name = \"h\xe4nde\"".to_vec()),
        ("large.toml", vec![b'#'; 2 << 20]),
        ("deep.toml", format!("a = {}", "[".repeat(60_000)).into_bytes()),
        ("many.toml", many.into_bytes()),
    ];
    for (name, bytes) in &created {
        fs::write(directory.join(name), bytes)?;
    }
    Command::new("mkfifo").arg(directory.join("pipe")).status()?;
    let names = created.iter().map(|(name, _)| *name);
    let names = names.chain(["pipe", "base.toml", "missing.toml", "."]);
    let within = names.map(|name| directory.join(name).display().to_string());
    let elsewhere =
        ["config.toml", "", "/dev/zero", "/dev/full", "/", "\0", "../../../../etc/passwd"];
    Ok(within.chain(elsewhere.map(String::from)).collect())
}

/// Extends each of `bases` in a thread of its own, since one that hangs would never end.
fn extend_each(bases: &[String]) -> CaseResult<Tally> {
    let mut tally = Tally::default();
    for base in bases {
        let (sender, receiver) = mpsc::channel();
        let text = format!("extends = {}", toml::Value::from(base.as_str()));
        let reader = Reader::new()?;
        thread::spawn(move || sender.send(reader.read(text.as_bytes(), &[]).map(drop)));
        let result = receiver.recv_timeout(TIMEOUT).unwrap_or(Err("it hangs".to_owned()));
        tally.record(format_args!("extends {base:?}"), result);
    }
    Ok(tally)
}
