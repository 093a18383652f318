//! Scenario 6: damaged and malicious HDF5 files. Reading any file ends within seconds and within
//! the memory limit, opens no other file, and returns valid examples or an error.

mod bases;
mod checksums;
mod crafted;
mod mutants;
mod reading;

use self::reading::TestDirectory;
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
    bases.iter().try_for_each(|base| directory.require_valid(base))?;
    let total = crafted.len() + settings.choose(5_000, 100_000);
    let test = |number: usize, tally: &mut Tally| {
        let case = match number.checked_sub(crafted.len()) {
            None => crafted.get(number)?.clone(),
            Some(index) if number < total => mutants::mutant(&bases, settings.seed, index),
            Some(_) => return None,
        };
        tally.record(&case.name, directory.test(number, &case));
        Some(())
    };
    let (mut tally, peak) = with_peak_of_children(|| Tally::on_all_cores(test));
    let (read, peak_mib) = (directory.counts(), peak >> 10);
    tally.note = format!("{} crafted; {read}; {peak_mib} MiB at most", crafted.len());
    if !directory.has_access_times {
        tally.note += "; no access times on this file system";
    }
    // Without any measurement the system does not report the memory of processes.
    if peak == 0 || peak > MEMORY_LIMIT {
        tally.failures.push(format!("a reader process used {peak_mib} MiB"));
    }
    Ok(tally)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mutant_with_one_pixel_of_the_decoys_value_has_not_read_the_decoy() {
        let directory = TestDirectory::new().unwrap();
        let bases = bases::all(&directory).unwrap();
        for index in [18_943, 37_806, 67_789, 98_714] {
            directory.test(index, &mutants::mutant(&bases, 1, index)).unwrap();
        }
        let counts = directory.counts();
        assert!(counts.starts_with("4 read"), "{counts}");
    }
}
