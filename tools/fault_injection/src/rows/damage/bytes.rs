//! The bytes of the newest checkpoint.

use std::error::Error;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use training::{Checkpoints, State};

use super::{Victim, copy};
use crate::bits::{CHECKPOINT, names};
use crate::cores;
use crate::tally::Tally;

/// How many bytes one core damages in turn.
const CHUNK: usize = 64;

/// How many random damages are done in one turn.
const TURN: usize = 500;

/// The checkpoints of a run of one's own, to be damaged.
struct Patient {
    directory: PathBuf,
    checkpoints: Checkpoints,
    newest: String,
    before: State,
    /// The files of the newest checkpoint as they were, and of the one before.
    files: Vec<[Vec<u8>; 2]>,
}

/// Flips every bit, cuts every file at every length, and makes it longer.
pub fn every(victim: &Victim) -> Result<Tally, Box<dyn Error>> {
    let sizes = Patient::new(victim, "sizes")?.files;
    let chunks: Vec<_> = (0..CHECKPOINT.len())
        .flat_map(|file| {
            let size = sizes.get(file).map_or(0, |[bytes, _]| bytes.len());
            (0..size.div_ceil(CHUNK)).map(move |chunk| (file, chunk * CHUNK))
        })
        .collect();
    Ok(cores::on_all(|number| {
        let &(file, from) = chunks.get(number)?;
        Some(turn(victim, number, |patient, tally| patient.damage_chunk(file, from, tally)))
    }))
}

/// So many bursts, zeroed and stale blocks, splices and flips, at random.
pub fn random(victim: &Victim, seed: u64, count: usize) -> Result<Tally, Box<dyn Error>> {
    Ok(cores::on_all(|number| {
        let count = count.saturating_sub(number * TURN).min(TURN);
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(number as u64);
        let damage = |patient: &Patient, tally: &mut Tally| {
            (0..count).try_for_each(|_| patient.damage_randomly(&mut random, tally))
        };
        (count > 0).then(|| turn(victim, number, damage))
    }))
}

fn turn(
    victim: &Victim,
    number: usize,
    damage: impl FnOnce(&Patient, &mut Tally) -> io::Result<()>,
) -> Tally {
    let mut tally = Tally::default();
    let done = Patient::new(victim, &format!("patient-{number}")).and_then(|patient| {
        damage(&patient, &mut tally)?;
        Ok(fs::remove_dir_all(patient.directory)?)
    });
    if let Err(error) = done {
        tally.losses.push(format!("could not be tried: {error}"));
    }
    tally
}

impl Patient {
    fn new(victim: &Victim, name: &str) -> Result<Self, Box<dyn Error>> {
        let directory = victim.experiment.path(name);
        copy(&victim.run.join("checkpoints"), &directory)?;
        let names = names(&directory)?;
        let [.., before, newest] = names.as_slice() else { return Err("one checkpoint".into()) };
        let environment = fs::read(victim.run.join("environment.json"))?;
        let environment: serde_json::Value = serde_json::from_slice(&environment)?;
        let run = environment.get("run").and_then(|run| run.as_str()).ok_or("no run")?;
        let checkpoints = Checkpoints::existing(directory.clone(), run);
        let read = |file: &str| {
            let of = |name: &str| fs::read(directory.join(name).join(file));
            Ok([of(newest)?, of(before)?])
        };
        let files = CHECKPOINT.iter().map(|file| read(file)).collect::<io::Result<_>>()?;
        let before = checkpoints.load(before)?.state;
        Ok(Self { newest: newest.clone(), files, before, checkpoints, directory })
    }

    fn damage_chunk(&self, file: usize, from: usize, tally: &mut Tally) -> io::Result<()> {
        let Some([whole, _]) = self.files.get(file) else { return Ok(()) };
        for at in (from..whole.len()).take(CHUNK) {
            for bit in 0..8 {
                let mut flipped = whole.clone();
                flipped.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << bit);
                self.damage(file, &flipped, tally, || format!("byte {at}, bit {bit}"))?;
            }
            let (cut, _) = whole.split_at(at);
            self.damage(file, cut, tally, || format!("cut at {at}"))?;
        }
        if from == 0 {
            for more in [&[0][..], b"\n", &[0; 4096], whole] {
                let longer = [whole, more].concat();
                self.damage(file, &longer, tally, || format!("{} more", more.len()))?;
            }
        }
        Ok(())
    }

    fn damage_randomly(&self, random: &mut ChaCha8Rng, tally: &mut Tally) -> io::Result<()> {
        let file = random.random_range(0..CHECKPOINT.len());
        let Some([whole, stale]) = self.files.get(file) else { return Ok(()) };
        let mut damaged = whole.clone();
        let kind = damage(&mut damaged, stale, random);
        match damaged == *whole {
            // Such as zeros where there were zeros.
            true => self.damage_randomly(random, tally),
            false => self.damage(file, &damaged, tally, || kind.to_owned()),
        }
    }

    /// Writes `bytes` into a file of the newest checkpoint: it must be noticed and named, and the
    /// one before be used.
    fn damage(
        &self,
        file: usize,
        bytes: &[u8],
        tally: &mut Tally,
        what: impl Fn() -> String,
    ) -> io::Result<()> {
        let (Some(name), Some([whole, _])) = (CHECKPOINT.get(file), self.files.get(file)) else {
            return Ok(());
        };
        let path = self.directory.join(&self.newest).join(name);
        fs::write(&path, bytes)?;
        tally.count(
            self.must_notice(name, &path).map_err(|loss| format!("{name}, {}: {loss}", what())),
        );
        fs::write(&path, whole)
    }

    fn must_notice(&self, name: &str, path: &Path) -> Result<(), String> {
        match self.checkpoints.load(&self.newest) {
            Ok(_) => return Err("it is not noticed".to_owned()),
            Err(error) if !error.to_string().contains(name) => {
                return Err(format!("{} is not named: {error}", path.display()));
            }
            Err(_) => {}
        }
        match self.checkpoints.newest() {
            Ok(Some(used)) if used.state == self.before => Ok(()),
            Ok(_) => Err("another than the one before is used".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// Damages `bytes`, or puts some of the `stale` ones into them, and says how.
fn damage(bytes: &mut Vec<u8>, stale: &[u8], random: &mut ChaCha8Rng) -> &'static str {
    let from = random.random_range(0..bytes.len());
    let length = random.random_range(1..=bytes.len() - from);
    let short = length.min(64);
    let part = |bytes: &[u8], length: usize| -> Vec<u8> {
        bytes.iter().skip(from).take(length).copied().collect()
    };
    match random.random_range(0..6) {
        0 => {
            let flips = random.random_range(2..=16);
            for _ in 0..flips {
                let at = random.random_range(0..bytes.len());
                bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= random.random::<u8>());
            }
            "several bytes"
        }
        1 => {
            bytes.iter_mut().skip(from).take(short).for_each(|byte| *byte = random.random());
            "a burst"
        }
        2 => {
            bytes.iter_mut().skip(from).take(length).for_each(|byte| *byte = 0);
            "zeros"
        }
        3 => {
            let stale = part(stale, length);
            bytes.iter_mut().skip(from).zip(stale).for_each(|(byte, stale)| *byte = stale);
            "a stale block"
        }
        4 => {
            let moved = part(bytes, length);
            let to = random.random_range(0..=bytes.len());
            drop(bytes.splice(to..to, moved));
            "a block twice"
        }
        _ => {
            drop(bytes.drain(from..from + short));
            "a block lost"
        }
    }
}
