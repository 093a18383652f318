//! Damage to the bytes of the newest checkpoint.

use std::fs;
use std::io;
use std::path::PathBuf;

use artifacts::{Environment, RunDir};
use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use training::{Checkpoints, TrainingState};

use super::{StoppedRun, copy};
use crate::snapshot::{CHECKPOINT_FILES, list_names};
use crate::tally::{CaseResult, Tally};

/// Number of consecutive bytes that one task damages.
const CHUNK: usize = 64;

/// Number of random damages of one task.
const BATCH: usize = 500;

/// A copy of the checkpoints, to be damaged by one task.
struct Checkpoint {
    directory: PathBuf,
    checkpoints: Checkpoints,
    newest: String,
    /// State of the checkpoint before the newest.
    previous: TrainingState,
    /// Undamaged files of the newest checkpoint and of the one before.
    files: Vec<[Vec<u8>; 2]>,
}

/// Flips every bit, truncates every file to every length, and extends it.
pub fn every(stopped: &StoppedRun) -> CaseResult<Tally> {
    let files = Checkpoint::copy(stopped, 0)?.files;
    let sizes = files.iter().map(|[newest, _]| newest.len());
    let chunks: Vec<_> = sizes
        .enumerate()
        .flat_map(|(file, size)| (0..size).step_by(CHUNK).map(move |from| (file, from)))
        .collect();
    Ok(Tally::on_all_cores(|number, tally| {
        let &(file, from) = chunks.get(number)?;
        let checkpoint = tally.value(Checkpoint::copy(stopped, number))?;
        let result = checkpoint.damage_chunk(file, from, tally);
        tally.value(result.and_then(|()| fs::remove_dir_all(checkpoint.directory)))
    }))
}

/// Inflicts `count` random damages: bursts, zeroed or stale blocks, splices and flips.
pub fn random(stopped: &StoppedRun, seed: u64, count: usize) -> Tally {
    Tally::on_all_cores(|number, tally| {
        let count = count.checked_sub(number * BATCH).filter(|left| *left > 0)?.min(BATCH);
        let mut random = crate::random(seed, number);
        let checkpoint = tally.value(Checkpoint::copy(stopped, number))?;
        let result = (0..count).try_for_each(|_| checkpoint.damage_randomly(&mut random, tally));
        tally.value(result.and_then(|()| fs::remove_dir_all(checkpoint.directory)))
    })
}

impl Checkpoint {
    fn copy(stopped: &StoppedRun, number: usize) -> CaseResult<Self> {
        let directory = stopped.fixture.free_path(&format!("damaged-bytes-{number}"));
        copy(&stopped.directory.join("checkpoints"), &directory)?;
        let names = list_names(&directory)?;
        let [.., before, newest] = names.as_slice() else { return Err("no checkpoints".into()) };
        let run = Environment::read(&RunDir::open(&stopped.directory)?)?.run;
        let checkpoints = Checkpoints::existing(directory.clone(), &run);
        let mut files = Vec::new();
        for file in CHECKPOINT_FILES {
            let read = |name: &str| fs::read(directory.join(name).join(file));
            files.push([read(newest)?, read(before)?]);
        }
        let previous = checkpoints.load(before)?.state;
        Ok(Self { newest: newest.clone(), files, previous, checkpoints, directory })
    }

    fn damage_chunk(&self, file: usize, from: usize, tally: &mut Tally) -> io::Result<()> {
        let Some([whole, _]) = self.files.get(file) else { return Ok(()) };
        for index in (from..whole.len()).take(CHUNK) {
            for bit in 0..8 {
                let mut flipped = whole.clone();
                flipped.iter_mut().skip(index).take(1).for_each(|byte| *byte ^= 1 << bit);
                self.damage(file, &flipped, tally, || format!("byte {index}, bit {bit}"))?;
            }
            let (truncated, _) = whole.split_at(index);
            self.damage(file, truncated, tally, || format!("truncated to {index} bytes"))?;
        }
        if from == 0 {
            for more in [&[0][..], b"\n", &[0; 4096], whole] {
                let longer = [whole, more].concat();
                self.damage(file, &longer, tally, || format!("{} more bytes", more.len()))?;
            }
        }
        Ok(())
    }

    fn damage_randomly(&self, random: &mut ChaCha8Rng, tally: &mut Tally) -> io::Result<()> {
        let file = random.random_range(0..CHECKPOINT_FILES.len());
        let Some([whole, stale]) = self.files.get(file) else { return Ok(()) };
        let mut damaged = whole.clone();
        let kind = damage_bytes(&mut damaged, stale, random);
        if damaged == *whole {
            // For example zeros over zeros.
            self.damage_randomly(random, tally)
        } else {
            self.damage(file, &damaged, tally, || kind.to_owned())
        }
    }

    /// Writes `bytes` to a file of the newest checkpoint, tests it, and restores the file.
    fn damage(
        &self,
        file: usize,
        bytes: &[u8],
        tally: &mut Tally,
        description: impl Fn() -> String,
    ) -> io::Result<()> {
        let (Some(name), Some([whole, _])) = (CHECKPOINT_FILES.get(file), self.files.get(file))
        else {
            return Ok(());
        };
        let path = self.directory.join(&self.newest).join(name);
        fs::write(&path, bytes)?;
        let result = self.require_detected(name);
        tally.record(format_args!("{name}, {}", description()), result);
        fs::write(&path, whole)
    }

    /// Requires that loading the newest checkpoint fails with the name of the damaged file, and
    /// that the one before it is used instead.
    fn require_detected(&self, name: &str) -> Result<(), String> {
        match self.checkpoints.load(&self.newest) {
            Ok(_) => return Err("not detected".to_owned()),
            Err(error) if !error.to_string().contains(name) => {
                return Err(format!("{name} is not in the message: {error}"));
            }
            Err(_) => {}
        }
        match self.checkpoints.newest() {
            Ok(Some(used)) if used.state == self.previous => Ok(()),
            Ok(_) => Err("the checkpoint before it is not used".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// Damages `bytes` at random, or replaces some of them by `stale` ones. Returns the kind of damage.
fn damage_bytes(bytes: &mut Vec<u8>, stale: &[u8], random: &mut ChaCha8Rng) -> &'static str {
    let from = random.random_range(0..bytes.len());
    let length = random.random_range(1..=bytes.len() - from);
    let short = length.min(64);
    match random.random_range(0..6) {
        0 => {
            for _ in 0..random.random_range(2..=16) {
                let index = random.random_range(0..bytes.len());
                bytes
                    .iter_mut()
                    .skip(index)
                    .take(1)
                    .for_each(|byte| *byte ^= random.random::<u8>());
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
            let stale = stale.iter().skip(from).take(length);
            bytes.iter_mut().skip(from).zip(stale).for_each(|(byte, stale)| *byte = *stale);
            "a stale block"
        }
        4 => {
            let block: Vec<u8> = bytes.iter().skip(from).take(length).copied().collect();
            let to = random.random_range(0..=bytes.len());
            drop(bytes.splice(to..to, block));
            "a repeated block"
        }
        _ => {
            drop(bytes.drain(from..from + short));
            "a missing block"
        }
    }
}
