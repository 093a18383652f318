//! Scenario 6: damaged and malicious HDF5 files. Reading any file ends within seconds and within
//! the memory limit, opens no other file, and returns valid examples or an error.

mod bases;
mod checksums;
mod crafted;
mod mutants;
mod reading;

use std::error::Error;
use std::thread;

use self::reading::{Case, Reading, TestDirectory};
use crate::Settings;
use crate::process::with_peak_of_children;
use crate::tally::{ScenarioResult, Tally};

/// Memory limit of a reader process, in KiB: its initial memory, 256 MiB for libhdf5, and the
/// largest chunk of the files here.
const MEMORY_LIMIT: u64 = 640 << 10;

/// Reads every crafted file, then mutants of valid files, on all cores.
pub fn run(settings: &Settings) -> ScenarioResult {
    let directory = TestDirectory::new()?;
    let crafted = crafted::all(&directory)?;
    let bases = bases::all(&directory)?;
    for base in &bases {
        directory.require_valid(base)?;
    }
    let total = crafted.len() + settings.choose(5_000, 100_000);
    let case = |index: usize| match crafted.get(index) {
        Some(case) => case.clone(),
        None => mutants::mutant(&bases, settings.seed, index - crafted.len()),
    };
    let (reading, peak) = with_peak_of_children(|| read_on_all_cores(&directory, total, &case));
    let reading = reading?;
    let mut note = format!("{} crafted; {reading}; {} MiB at most", crafted.len(), peak >> 10);
    if !directory.has_access_times {
        note += "; no access times on this file system";
    }
    let mut tally = Tally { cases: total, failures: reading.failures, note };
    // Without any measurement the system does not report the memory of processes.
    if peak == 0 || peak > MEMORY_LIMIT {
        tally.failures.push(format!("a reader process used {} MiB", peak >> 10));
    }
    Ok(tally)
}

fn read_on_all_cores(
    directory: &TestDirectory,
    total: usize,
    case: &(impl Fn(usize) -> Case + Sync),
) -> Result<Reading, Box<dyn Error>> {
    let workers = thread::available_parallelism()?.get();
    let read_share = |worker| {
        let mut reading = Reading::default();
        for index in (worker..total).step_by(workers) {
            reading.test(directory, worker, &case(index))?;
        }
        Ok::<_, std::io::Error>(reading)
    };
    thread::scope(|scope| {
        let read_share = &read_share;
        let threads: Vec<_> =
            (0..workers).map(|worker| scope.spawn(move || read_share(worker))).collect();
        let mut all = Reading::default();
        for thread in threads {
            all.merge(thread.join().map_err(|_| "a thread of the scenario panicked")??);
        }
        Ok(all)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mutant_with_one_pixel_of_the_decoys_value_has_not_read_the_decoy() {
        let directory = TestDirectory::new().unwrap();
        let bases = bases::all(&directory).unwrap();
        let mut reading = Reading::default();
        for index in [18_943, 37_806, 67_789, 98_714] {
            reading.test(&directory, 0, &mutants::mutant(&bases, 1, index)).unwrap();
        }
        assert_eq!(reading.failures, [""; 0]);
        assert!(reading.to_string().starts_with("4 read"), "{reading}");
    }
}
