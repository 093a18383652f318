//! Damage to the files beside the checkpoints.

use std::error::Error;
use std::fs;

use super::super::{StoppedRun, remove};
use super::Damage;

/// The other files of the run: one of `interval` bytes damaged, truncated there, and replaced.
pub fn all(stopped: &StoppedRun, interval: usize) -> Result<Vec<Damage>, Box<dyn Error>> {
    let mut all = Vec::new();
    for file in ["config.toml", "environment.json", "metrics.csv", "metrics.jsonl", "lock"] {
        let whole = fs::read(stopped.directory.join(file))?;
        for index in (0..whole.len()).step_by(interval) {
            let mut flipped = whole.clone();
            flipped.iter_mut().skip(index).take(1).for_each(|byte| *byte ^= 1 << (index % 8));
            all.push(overwrite(format!("{file}, byte {index}"), file, flipped));
            let (truncated, _) = whole.split_at(index);
            all.push(overwrite(format!("{file} truncated to {index}"), file, truncated.to_vec()));
        }
        all.push(overwrite(format!("{file} longer"), file, [&whole[..], b"more\n"].concat()));
        all.push(Damage::detectable(format!("{file} missing"), move |run| {
            remove(&run.directory.join(file))
        }));
        all.push(Damage::detectable(format!("{file} a directory"), move |run| {
            remove(&run.directory.join(file))?;
            fs::create_dir(run.directory.join(file))
        }));
    }
    for file in ["best_model.bpk", "summary.json", "evaluation-test.json", "status.json"] {
        all.push(Damage::recoverable(format!("damaged {file}"), move |run| {
            fs::write(run.directory.join(file), "damaged")
        }));
    }
    Ok(all)
}

fn overwrite(description: String, file: &'static str, bytes: Vec<u8>) -> Damage {
    Damage::detectable(description, move |run| fs::write(run.directory.join(file), &bytes))
}
