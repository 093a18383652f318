//! `fault-injection`: injects faults into training runs and checks that none of them loses work.
//!
//!     scripts/fault_injection --quick        # as in CI: some minutes
//!     scripts/fault_injection --full 2 5     # scenarios 2 and 5 with the counts of RELIABILITY.md
//!
//! A scenario drives the trainer binary, or the library if only that can inject the fault at the
//! required point. It prints one line. The exit code is 1 if a case of any scenario failed.

#![forbid(unsafe_code)]

mod fixture;
mod interrupted_run;
mod process;
mod scenarios;
mod snapshot;
mod syscall_faults;
mod tally;
#[cfg(test)]
mod tests;
mod traced_run;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

use crate::scenarios::SCENARIOS;

// The trainer's allocator: scenarios within this process need the same memory behaviour.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Injects faults into training runs and checks that none of them loses work
#[derive(Debug, Parser)]
#[command(group(clap::ArgGroup::new("effort").required(true)))]
pub struct Settings {
    /// Run as many cases as CI
    #[arg(long, group = "effort")]
    quick: bool,
    /// Run as many cases as RELIABILITY.md records
    #[arg(long, group = "effort")]
    full: bool,
    /// Numbers of the scenarios to run [default: all]
    #[arg(value_name = "SCENARIO")]
    scenarios: Vec<usize>,
    /// Seed of the random choices
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Trainer binary to test [default: `trainer` in the directory of this program]
    #[arg(long, value_name = "PATH", default_value_os_t = default_program(), hide_default_value = true)]
    program: PathBuf,
}

impl Settings {
    /// Returns `quick` or `full`, depending on the effort.
    pub fn choose<T>(&self, quick: T, full: T) -> T {
        if self.full { full } else { quick }
    }
}

/// The random choices of case number `case`.
pub fn random(seed: u64, case: usize) -> ChaCha8Rng {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(case as u64);
    random
}

/// Largest number of failures of a scenario that are printed.
const MAX_PRINTED: usize = 10;

fn main() -> ExitCode {
    data_hdf5::neutralise_environment();
    if let Some(code) = data_hdf5::isolate() {
        return code;
    }
    let settings = Settings::parse();
    if !settings.program.is_file() {
        return usage_error("no trainer binary found\n  build it, or give its path with --program");
    }
    let numbers = 1..=SCENARIOS.len();
    if settings.scenarios.iter().any(|number| !numbers.contains(number)) {
        return usage_error("unknown scenario\n  give numbers from 1 to 14");
    }
    let all: Vec<usize> = numbers.collect();
    let chosen = if settings.scenarios.is_empty() { &all } else { &settings.scenarios };
    let failed = chosen.iter().filter(|number| !passes(**number, &settings)).count();
    ExitCode::from(u8::from(failed > 0))
}

fn default_program() -> PathBuf {
    std::env::current_exe().unwrap_or_default().with_file_name("trainer")
}

fn usage_error(message: &str) -> ExitCode {
    eprintln!("error: {message}");
    ExitCode::from(2)
}

/// Runs a scenario, prints its line, and returns whether every case passed.
fn passes(number: usize, settings: &Settings) -> bool {
    let Some((name, run)) = SCENARIOS.get(number - 1) else { return false };
    let started = Instant::now();
    let result = run(settings);
    let seconds = started.elapsed().as_secs_f64();
    match result {
        Ok(tally) => {
            println!("{number:>2}  {name:<44} {tally}  {seconds:.0} s");
            for failure in tally.failures.iter().take(MAX_PRINTED) {
                println!("      failed: {failure}");
            }
            tally.failures.is_empty()
        }
        Err(error) => {
            println!("{number:>2}  {name:<44} could not run: {error}  {seconds:.0} s");
            false
        }
    }
}
