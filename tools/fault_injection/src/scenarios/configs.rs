//! Scenario 7: a config with any key missing, of another type, out of range or with the path of
//! another file, and generated text, is refused at once and in little memory, with key and line. An
//! accepted config reads back unchanged and can be run.

mod bases;
mod checks;
mod fields;
mod first_step;
mod generated;
mod peak_memory;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashSet};
use std::error::Error;
use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use config::Manual;
use tempfile::TempDir;
use training::{ModelRegistry, RunConfig};

use crate::tally::{ScenarioResult, Tally, require};
use crate::{Effort, Settings};
use bases::Base;
use checks::Reader;
use fields::Key;
use generated::Material;
use peak_memory::PeakMemory;

/// Memory limit in bytes for reading all configs, in addition to that used before.
const MEMORY_LIMIT: usize = 100 << 20;

/// Time after which reading a config counts as hanging.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Mutates every key of every base, generates configs, then runs the accepted mutants.
pub fn run(settings: &Settings) -> ScenarioResult {
    let directory = TempDir::new()?;
    let bases = bases::all(directory.path())?;
    let material = material(&bases, files_to_extend(directory.path())?);
    let count = settings.choose(20_000, 1_000_000);

    let peak = PeakMemory::start()?;
    let mut results = Results { tally: extend_each(&material.bases)?, ..Results::default() };
    if results.tally.failures.is_empty() {
        let keys = select_keys(&bases, settings.effort);
        let manual = Manual::of(&RunConfig::schema(&ModelRegistry::new()));
        results.merge(in_parallel(|reader, share| mutate_keys(&keys, &manual, reader, share))?);
        results.merge(in_parallel(|reader, share| {
            read_generated(&material, settings.seed, count, reader, share)
        })?);
    }
    let Results { mut tally, accepted, longest } = results;
    let memory = peak.bytes()?;
    let mebibytes = memory >> 20;
    let is_small = memory <= MEMORY_LIMIT;
    tally.record("all", require::<String>(is_small, || format!("reading took {mebibytes} MiB")));
    tally.note = format!(
        "{count} generated, {} run; reading took {} ms and {mebibytes} MiB at most",
        accepted.len(),
        longest.as_millis(),
    );
    for (name, config) in accepted {
        let result = first_step::run(&config, &directory.path().join("run"));
        tally.record(name, result);
    }
    Ok(tally)
}

/// Results of reading configs.
#[derive(Default)]
struct Results {
    tally: Tally,
    /// Accepted configs that are to be run, by name.
    accepted: BTreeMap<String, RunConfig>,
    /// Longest time for one config.
    longest: Duration,
}

/// Every `interval`-th config, starting at `first`.
#[derive(Clone, Copy)]
struct Share {
    first: usize,
    interval: usize,
}

impl Results {
    fn merge(&mut self, other: Self) {
        self.tally.merge(other.tally);
        self.accepted.extend(other.accepted);
        self.longest = self.longest.max(other.longest);
    }
}

/// Reads a share of the configs on each core.
fn in_parallel(read: impl Fn(&mut Reader, Share) -> Results + Sync) -> io::Result<Results> {
    let interval = thread::available_parallelism()?.get();
    let mut readers = (0..interval).map(|_| Reader::new()).collect::<io::Result<Vec<_>>>()?;
    let mut all = Results::default();
    thread::scope(|scope| {
        let read = &read;
        let threads: Vec<_> = readers
            .iter_mut()
            .enumerate()
            .map(|(first, reader)| scope.spawn(move || read(reader, Share { first, interval })))
            .collect();
        for thread in threads {
            let results = thread.join();
            all.merge(results.map_err(|_| io::Error::other("a thread of the scenario panicked"))?);
        }
        Ok(all)
    })
}

/// Every key of every base; in the quick runs each key once, in a runnable base if possible.
fn select_keys(bases: &[Base], effort: Effort) -> Vec<(&Base, Key)> {
    let (runnable, others): (Vec<_>, Vec<_>) = bases.iter().partition(|base| base.is_runnable);
    let mut keys = Vec::new();
    let mut known = HashSet::new();
    for base in runnable.into_iter().chain(others) {
        for key in fields::keys(&base.table) {
            if effort == Effort::Full || known.insert(key.clone()) {
                keys.push((base, key));
            }
        }
    }
    keys
}

/// Reads all mutants of a share of `keys`.
fn mutate_keys(
    keys: &[(&Base, Key)],
    manual: &Manual,
    reader: &mut Reader,
    share: Share,
) -> Results {
    let mut results = Results::default();
    for (base, key) in keys.iter().skip(share.first).step_by(share.interval) {
        let mut values = fields::choices(manual, key);
        values.extend(bounds(base, key, reader));
        // Slow to write and read. The runnable bases have every key.
        values.extend(fields::huge().into_iter().filter(|_| base.is_runnable));
        for mutant in fields::mutants(&base.table, key, &values) {
            match reader.read(mutant.text.as_bytes(), &[]) {
                Ok(Some(config)) if base.is_runnable => {
                    results.accepted.insert(mutant.name, config);
                }
                result => results.tally.record(mutant.name, one_line(result)),
            }
        }
    }
    results.tally.cases += results.accepted.len();
    results.longest = reader.longest;
    results
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

fn read_generated(
    material: &Material,
    seed: u64,
    count: usize,
    reader: &mut Reader,
    share: Share,
) -> Results {
    let mut results = Results::default();
    for number in (share.first..count).step_by(share.interval) {
        let seed = seed.rotate_left(32) ^ number as u64;
        let config = material.generate(seed);
        let result = reader.read(&config.text, &config.overrides);
        results.tally.record(format_args!("generated {seed}"), one_line(result));
    }
    results.longest = reader.longest;
    results
}

/// Puts the lines of an error into one.
fn one_line<T>(result: Result<T, String>) -> Result<(), String> {
    let error =
        result.err().map(|error| error.lines().map(str::trim).collect::<Vec<_>>().join(" "));
    error.map_or(Ok(()), Err)
}

fn material(bases: &[Base], files: Vec<String>) -> Material {
    let keys = bases.iter().flat_map(|base| fields::keys(&base.table));
    let mut keys: Vec<_> = keys.map(|key| key.join(".")).collect();
    keys.sort_unstable();
    keys.dedup();
    Material {
        texts: bases.iter().map(|base| base.table.to_string()).collect(),
        keys,
        values: fields::VALUES.map(String::from).to_vec(),
        bases: files,
    }
}

/// Paths for `extends`: files created in `directory` that cannot be extended, and other files.
fn files_to_extend(directory: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    let created: [(&str, Vec<u8>); 7] = [
        ("one.toml", b"extends = \"two.toml\"".to_vec()),
        ("two.toml", b"extends = \"one.toml\"".to_vec()),
        ("self.toml", b"extends = \"self.toml\"".to_vec()),
        ("latin.toml", b"name = \"h\xe4nde\"".to_vec()),
        ("large.toml", vec![b'#'; 2 << 20]),
        ("deep.toml", format!("a = {}", "[".repeat(60_000)).into_bytes()),
        (
            "many.toml",
            (0..6_000).flat_map(|number| format!("k{number} = 1\n").into_bytes()).collect(),
        ),
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
fn extend_each(bases: &[String]) -> Result<Tally, Box<dyn Error>> {
    let mut tally = Tally::default();
    for base in bases {
        let (sender, receiver) = mpsc::channel();
        let text = format!("extends = {}", toml::Value::from(base.as_str()));
        let mut reader = Reader::new()?;
        thread::spawn(move || sender.send(reader.read(text.as_bytes(), &[]).map(drop)));
        let result = receiver.recv_timeout(TIMEOUT).unwrap_or(Err("it hangs".to_owned()));
        tally.record(format_args!("extends {base:?}"), result);
    }
    Ok(tally)
}
