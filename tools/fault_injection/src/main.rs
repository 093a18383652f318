//! `campaign`: tries to lose a run in every way that its rows name, and counts the losses.
//!
//!     scripts/campaign --quick        # what CI runs: some minutes
//!     scripts/campaign --full 2 5     # rows 2 and 5 as RELIABILITY.md records them
//!
//! A row drives the real program, or the library where the program gives no handle on the moment
//! that is wanted. It prints one line; the exit code is 1 if anything was lost.

#![forbid(unsafe_code)]

mod bits;
mod chain;
mod cores;
#[cfg(test)]
mod corpus;
mod experiment;
mod faults;
mod program;
mod rows;
mod tally;
mod trial;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;

use crate::rows::{ROWS, Row};
use crate::tally::Outcome;

// As the trainer has it: rows that run in this process are to meet the same memory.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Tries to lose a run in every way that its rows name.
#[derive(Debug, Parser)]
#[command(group(clap::ArgGroup::new("size").required(true)))]
struct Args {
    /// As often as CI does
    #[arg(long, group = "size")]
    quick: bool,
    /// As often as RELIABILITY.md records
    #[arg(long, group = "size")]
    full: bool,
    /// The numbers of the rows; all if none is given
    #[arg(value_name = "ROW")]
    rows: Vec<u8>,
    /// What the random choices depend on
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// The program to try; else the `trainer` beside this one
    #[arg(long, value_name = "PATH")]
    program: Option<PathBuf>,
}

/// How often a row tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// As often as fits into every run of CI.
    Quick,
    /// As often as the promise needs.
    Full,
}

/// What every row is given.
#[derive(Debug)]
pub struct Campaign {
    /// How often to try.
    pub size: Size,
    /// What the random choices depend on.
    pub seed: u64,
    /// The real program.
    pub program: PathBuf,
}

impl Campaign {
    /// `quick` or `full`, by the size.
    pub fn either<T>(&self, quick: T, full: T) -> T {
        match self.size {
            Size::Quick => quick,
            Size::Full => full,
        }
    }
}

fn main() -> ExitCode {
    dataset::hdf5::neutralise_environment();
    if let Some(code) = dataset::hdf5::isolate() {
        return code;
    }
    let args = Args::parse();
    let beside = || std::env::current_exe().map(|path| path.with_file_name("trainer"));
    let program = match args.program.clone().map_or_else(beside, Ok) {
        Ok(program) if program.is_file() => program,
        _ => return refuse("there is no program to try\n  build it, or name it with --program"),
    };
    let Some(rows) = chosen(&args.rows) else {
        return refuse("there is no such row");
    };
    let size = if args.full { Size::Full } else { Size::Quick };
    let campaign = Campaign { size, seed: args.seed, program };
    let lost = rows.into_iter().filter(|row| !holds(row, &campaign)).count();
    ExitCode::from(u8::from(lost > 0))
}

fn refuse(reason: &str) -> ExitCode {
    eprintln!("error: {reason}");
    ExitCode::from(2)
}

fn chosen(numbers: &[u8]) -> Option<Vec<&'static Row>> {
    let find = |number: &u8| ROWS.iter().find(|row| row.number == *number);
    match numbers.is_empty() {
        true => Some(ROWS.iter().collect()),
        false => numbers.iter().map(find).collect(),
    }
}

/// Runs a row, prints its line, and says whether nothing was lost.
fn holds(row: &Row, campaign: &Campaign) -> bool {
    let started = Instant::now();
    let outcome = (row.run)(campaign);
    let seconds = started.elapsed().as_secs_f64();
    let Row { number, name, .. } = row;
    match outcome {
        Ok(tally) => {
            println!("{number:>2}  {name:<44} {tally}  {seconds:.0} s");
            tally.losses.iter().take(SHOWN).for_each(|loss| println!("      lost: {loss}"));
            tally.losses.is_empty()
        }
        Err(error) => {
            println!("{number:>2}  {name:<44} could not be tried: {error}  {seconds:.0} s");
            false
        }
    }
}

/// How many losses of a row are told.
const SHOWN: usize = 10;

type Try = fn(&Campaign) -> Outcome;
