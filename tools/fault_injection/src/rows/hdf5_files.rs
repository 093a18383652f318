//! Row 6: damaged and hostile HDF5 files. Whatever is in a file, reading it ends within seconds and
//! within bounds, opens no other file, and gives examples that can be meant or an error.

mod attacks;
mod bases;
mod checksums;
mod mutants;
mod trial;

use std::error::Error;
use std::thread;

use self::trial::{Bench, Case, Seen};
use crate::Campaign;
use crate::program::watched;
use crate::tally::{Outcome, Tally};

/// What a process that reads may take at most, in KiB: what it has when it starts, 256 MiB for
/// libhdf5, and what the largest chunk of the files here takes.
const MEMORY: u64 = 640 << 10;

/// Every attack, then mutants of sound files, on all processors.
pub fn run(campaign: &Campaign) -> Outcome {
    let bench = Bench::new()?;
    let attacks = attacks::all(&bench)?;
    let bases = bases::all(&bench)?;
    let mutants = campaign.either(5_000, 100_000);
    let total = attacks.len() + mutants;
    let case = |index: usize| match attacks.get(index) {
        Some(attack) => attack.clone(),
        None => mutants::of(&bases, campaign.seed, index - attacks.len()),
    };
    let mut seen = Seen::default();
    for base in &bases {
        seen.must_be_read(&bench, base)?;
    }
    let (all, peak) = watched(|| on_all_processors(&bench, total, &case));
    seen.add(all?);
    let mut tally = Tally { tried: total, losses: seen.losses.clone(), ..Tally::default() };
    // None at all is a system that does not tell.
    if peak == 0 || peak > MEMORY {
        tally.losses.push(format!("a process that reads took {} MiB", peak >> 10));
    }
    tally.note = format!("{} crafted; {seen}; {} MiB at most", attacks.len(), peak >> 10);
    if !bench.tells_reading {
        tally.note += "; no times of access here";
    }
    Ok(tally)
}

fn on_all_processors(
    bench: &Bench,
    total: usize,
    case: &(impl Fn(usize) -> Case + Sync),
) -> Result<Seen, Box<dyn Error>> {
    let workers = thread::available_parallelism()?.get();
    thread::scope(|scope| {
        let work = |worker| {
            scope.spawn(move || {
                let mut seen = Seen::default();
                for index in (worker..total).step_by(workers) {
                    seen.count(bench, worker, &case(index))?;
                }
                Ok::<_, std::io::Error>(seen)
            })
        };
        let workers: Vec<_> = (0..workers).map(work).collect();
        let mut all = Seen::default();
        for worker in workers {
            all.add(worker.join().map_err(|_| "the reading process's caller panicked")??);
        }
        Ok(all)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mutant_with_one_pixel_of_the_baits_value_has_not_read_the_bait() {
        let bench = Bench::new().unwrap();
        let bases = bases::all(&bench).unwrap();
        let mut seen = Seen::default();
        for index in [18_943, 37_806, 67_789, 98_714] {
            seen.count(&bench, 0, &mutants::of(&bases, 1, index)).unwrap();
        }
        assert_eq!(
            (seen.losses.as_slice(), seen.to_string().starts_with("4 read")),
            (&[][..], true)
        );
    }
}
