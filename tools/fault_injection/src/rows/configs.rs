//! Row 7: a config with any key missing, of another type, out of range or leading elsewhere, and
//! configs that were never meant as such, are refused with key and line, at once and in little
//! memory; what is accepted reads back the same, and can be run.

mod bases;
mod fields;
mod generated;
mod judge;
mod memory;
#[cfg(test)]
mod tests;
mod trial;

use std::collections::{BTreeMap, HashSet};
use std::error::Error;
use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use tempfile::TempDir;
use training::RunConfig;

use crate::tally::{Outcome, Tally};
use crate::{Campaign, Size};
use bases::Base;
use fields::Key;
use generated::Material;
use judge::Judge;
use memory::Peak;

/// What reading all configs may take in memory, beyond what is in use before.
const MOST_MEMORY: usize = 100 << 20;

/// How long a config that extends something odd may take before it counts as hanging.
const HANGING: Duration = Duration::from_secs(10);

/// Every key of every base, then generated configs, then what was accepted of the first, for real.
pub fn run(campaign: &Campaign) -> Outcome {
    let place = TempDir::new()?;
    let bases = bases::all(place.path())?;
    let material = material(&bases, extended(place.path())?);
    let count = campaign.either(20_000, 1_000_000);

    let peak = Peak::start()?;
    let mut read = Read { tally: none_hangs(&material.bases)?, ..Read::default() };
    if read.tally.losses.is_empty() {
        let keys = keys(&bases, campaign.size);
        read.add(in_parallel(|judge, share| every_field(&keys, judge, share))?);
        read.add(in_parallel(|judge, share| {
            generated(&material, campaign.seed, count, judge, share)
        })?);
    }
    let Read { mut tally, accepted, longest } = read;
    let memory = peak.bytes()?;
    let small = memory <= MOST_MEMORY;
    tally.count(if small { Ok(()) } else { Err(format!("reading took {} MiB", memory >> 20)) });

    tally.note = format!(
        "{count} generated, {} run; reading took {} ms at most, and {} MiB",
        accepted.len(),
        longest.as_millis(),
        memory >> 20
    );
    for (name, config) in accepted {
        let outcome = trial::run(&config, &place.path().join("run"));
        tally.count(outcome.map_err(|reason| format!("{name}: {reason}")));
    }
    Ok(tally)
}

/// What came of reading some configs.
#[derive(Default)]
struct Read {
    tally: Tally,
    /// Those to be run, by what was done to them.
    accepted: BTreeMap<String, RunConfig>,
    /// The longest that one took.
    longest: Duration,
}

/// Every how many-th config to read, and from which on.
#[derive(Clone, Copy)]
struct Share {
    first: usize,
    every: usize,
}

impl Read {
    fn add(&mut self, other: Self) {
        self.tally.add(other.tally);
        self.accepted.extend(other.accepted);
        self.longest = self.longest.max(other.longest);
    }
}

/// Reads a share of configs on each processor.
fn in_parallel(read: impl Fn(&mut Judge, Share) -> Read + Sync) -> io::Result<Read> {
    let every = thread::available_parallelism()?.get();
    let mut judges = (0..every).map(|_| Judge::new()).collect::<io::Result<Vec<_>>>()?;
    let mut all = Read::default();
    thread::scope(|scope| {
        let read = &read;
        let shares = judges.iter_mut().enumerate();
        let threads: Vec<_> = shares
            .map(|(first, judge)| scope.spawn(move || read(judge, Share { first, every })))
            .collect();
        for thread in threads {
            all.add(thread.join().map_err(|_| io::Error::other("a thread of the campaign died"))?);
        }
        Ok(all)
    })
}

/// Every key with each base that has it; in the small size with one of them, which can be run if any
/// can.
fn keys(bases: &[Base], size: Size) -> Vec<(&Base, Key)> {
    let (run, others): (Vec<_>, Vec<_>) = bases.iter().partition(|base| base.runs);
    let of = |base: &'_ Base| fields::keys(&base.table).into_iter();
    let keys = run.into_iter().chain(others);
    let keys = keys.flat_map(|base| of(base).map(move |key| (base, key)));
    let mut known = HashSet::new();
    keys.filter(|(_, key)| size == Size::Full || known.insert(key.clone())).collect()
}

/// Everything that can be done to each of `keys`.
fn every_field(keys: &[(&Base, Key)], judge: &mut Judge, share: Share) -> Read {
    let mut read = Read::default();
    for (base, key) in keys.iter().skip(share.first).step_by(share.every) {
        let mut values = asked(base, key, judge);
        // They are slow to write and to read, and what runs has every key.
        values.extend(fields::huge().into_iter().filter(|_| base.runs));
        for mutant in fields::mutants(&base.table, key, &values) {
            match judge.read(mutant.text.as_bytes(), &[]) {
                Ok(Some(config)) if base.runs => drop(read.accepted.insert(mutant.name, config)),
                outcome => read
                    .tally
                    .count(outcome.map(drop).map_err(|reason| one_line(&mutant.name, &reason))),
            }
        }
    }
    read.tally.tried += read.accepted.len();
    read.longest = judge.longest;
    read
}

/// The values of `key` that the trainer itself names when it refuses others.
fn asked(base: &Base, key: &Key, judge: &Judge) -> Vec<String> {
    let refused = ["\"\u{2603}\"", "9223372036854775807", "1e308", "-1.0"];
    let values = refused.iter().flat_map(|value| {
        fields::named_in(&judge.message(&fields::replaced(&base.table, key, value)))
    });
    let mut values: Vec<_> = values.collect();
    values.sort_unstable();
    values.dedup();
    values
}

fn generated(
    material: &Material,
    seed: u64,
    count: usize,
    judge: &mut Judge,
    share: Share,
) -> Read {
    let mut read = Read::default();
    for number in (share.first..count).step_by(share.every) {
        let seed = seed.rotate_left(32) ^ number as u64;
        let config = material.generate(seed);
        let outcome = judge.read(&config.text, &config.overrides);
        read.tally.count(
            outcome.map(drop).map_err(|reason| one_line(&format!("generated {seed}"), &reason)),
        );
    }
    read.longest = judge.longest;
    read
}

fn one_line(name: &str, reason: &str) -> String {
    format!("{name}: {}", reason.lines().map(str::trim).collect::<Vec<_>>().join(" "))
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

/// Files that a config may extend, but had better not, made in `place`.
fn extended(place: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    let made: [(&str, Vec<u8>); 7] = [
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
    for (name, bytes) in &made {
        fs::write(place.join(name), bytes)?;
    }
    Command::new("mkfifo").arg(place.join("pipe")).status()?;
    let names =
        made.iter().map(|(name, _)| *name).chain(["pipe", "base.toml", "missing.toml", "."]);
    let within = names.map(|name| place.join(name).display().to_string());
    let elsewhere =
        ["config.toml", "", "/dev/zero", "/dev/full", "/", "\0", "../../../../etc/passwd"];
    Ok(within.chain(elsewhere.map(String::from)).collect())
}

/// One that hangs would keep the whole campaign from its end.
fn none_hangs(bases: &[String]) -> Result<Tally, Box<dyn Error>> {
    let mut tally = Tally::default();
    for base in bases {
        let (sender, receiver) = mpsc::channel();
        let (text, mut judge) =
            (format!("extends = {}", toml::Value::from(base.as_str())), Judge::new()?);
        thread::spawn(move || sender.send(judge.read(text.as_bytes(), &[]).map(drop)));
        let outcome = receiver.recv_timeout(HANGING).unwrap_or(Err("it hangs".to_owned()));
        tally.count(outcome.map_err(|reason| format!("extends {base:?}: {reason}")));
    }
    Ok(tally)
}
