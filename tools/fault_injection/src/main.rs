//! `fault-injection`: injects faults into training runs and checks that none of them loses work.
//!
//!     scripts/fault_injection --quick        # as in CI: some minutes
//!     scripts/fault_injection --full 2 5     # scenarios 2 and 5 with the counts of RELIABILITY.md
//!
//! A scenario drives the trainer binary, or the library if only that can inject the fault at the
//! required point. It prints one line. The exit code is 1 if a case of any scenario failed.

#![forbid(unsafe_code)]

#[cfg(test)]
mod corpus;
mod event_file;
mod fixture;
mod interrupted_run;
mod parallel;
mod process;
mod scenarios;
mod snapshot;
mod syscall_faults;
mod tally;
mod traced_run;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;

use crate::scenarios::{SCENARIOS, Scenario};

// The trainer's allocator: scenarios within this process need the same memory behaviour.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Injects faults into training runs and checks that none of them loses work
#[derive(Debug, Parser)]
#[command(group(clap::ArgGroup::new("effort").required(true)))]
struct Args {
    /// Run as many cases as CI
    #[arg(long, group = "effort")]
    quick: bool,
    /// Run as many cases as RELIABILITY.md records
    #[arg(long, group = "effort")]
    full: bool,
    /// Numbers of the scenarios to run [default: all]
    #[arg(value_name = "SCENARIO")]
    scenarios: Vec<u8>,
    /// Seed of the random choices
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Trainer binary to test [default: `trainer` in the directory of this program]
    #[arg(long, value_name = "PATH")]
    program: Option<PathBuf>,
}

/// Number of cases that a scenario runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// Few enough for every run of CI.
    Quick,
    /// The counts of RELIABILITY.md.
    Full,
}

/// Settings shared by all scenarios.
#[derive(Debug)]
pub struct Settings {
    /// Number of cases.
    pub effort: Effort,
    /// Seed of the random choices.
    pub seed: u64,
    /// Path of the trainer binary.
    pub program: PathBuf,
}

impl Settings {
    /// Returns `quick` or `full`, depending on the effort.
    pub fn choose<T>(&self, quick: T, full: T) -> T {
        match self.effort {
            Effort::Quick => quick,
            Effort::Full => full,
        }
    }
}

/// Largest number of failures of a scenario that are printed.
const MAX_PRINTED: usize = 10;

fn main() -> ExitCode {
    data_hdf5::neutralise_environment();
    if let Some(code) = data_hdf5::isolate() {
        return code;
    }
    let args = Args::parse();
    let Some(program) = args.program.clone().or_else(default_program).filter(|path| path.is_file())
    else {
        return usage_error("no trainer binary found\n  build it, or give its path with --program");
    };
    let Some(scenarios) = selected(&args.scenarios) else {
        return usage_error("unknown scenario\n  give numbers from 1 to 14");
    };
    let effort = if args.full { Effort::Full } else { Effort::Quick };
    let settings = Settings { effort, seed: args.seed, program };
    let failed = scenarios.into_iter().filter(|scenario| !passes(scenario, &settings)).count();
    ExitCode::from(u8::from(failed > 0))
}

fn default_program() -> Option<PathBuf> {
    Some(std::env::current_exe().ok()?.with_file_name("trainer"))
}

fn usage_error(message: &str) -> ExitCode {
    eprintln!("error: {message}");
    ExitCode::from(2)
}

/// Returns the scenarios with these numbers, or all; `None` if there is no such scenario.
fn selected(numbers: &[u8]) -> Option<Vec<&'static Scenario>> {
    if numbers.is_empty() {
        return Some(SCENARIOS.iter().collect());
    }
    let find = |number: &u8| SCENARIOS.iter().find(|scenario| scenario.number == *number);
    numbers.iter().map(find).collect()
}

/// Runs a scenario, prints its line, and returns whether every case passed.
fn passes(scenario: &Scenario, settings: &Settings) -> bool {
    let started = Instant::now();
    let result = (scenario.run)(settings);
    let seconds = started.elapsed().as_secs_f64();
    let Scenario { number, name, .. } = scenario;
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
