//! The scenarios: one kind of fault each.

mod concurrent_starts;
mod configs;
mod damage;
mod device;
mod failing_syscalls;
mod hdf5_files;
mod injected;
mod kills;
mod loader;
mod non_finite;
mod power_loss;
mod repeated_resumes;
mod signals;
mod stops;

use crate::Settings;
use crate::tally::ScenarioResult;

/// A kind of fault and how it is tested.
pub struct Scenario {
    /// Number in RELIABILITY.md.
    pub number: u8,
    /// Short description.
    pub name: &'static str,
    /// Runs all cases.
    pub run: fn(&Settings) -> ScenarioResult,
}

const fn scenario(
    number: u8,
    name: &'static str,
    run: fn(&Settings) -> ScenarioResult,
) -> Scenario {
    Scenario { number, name, run }
}

/// All scenarios, in the order of their numbers.
pub const SCENARIOS: &[Scenario] = &[
    scenario(1, "stop after each step and resume", stops::run),
    scenario(2, "kill -9 and resume, repeatedly", kills::run),
    scenario(3, "failing system calls", failing_syscalls::run),
    scenario(4, "power loss", power_loss::run),
    scenario(5, "damaged checkpoints and run directories", damage::run),
    scenario(6, "damaged and malicious HDF5 files", hdf5_files::run),
    scenario(7, "mutated and generated configs", configs::run),
    scenario(8, "SIGINT and SIGTERM, once and twice", signals::run),
    scenario(9, "concurrent starts on one run directory", concurrent_starts::run),
    scenario(10, "NaN and infinity in input, loss or gradient", non_finite::run),
    scenario(11, "numbers of loader workers and batches ahead", loader::workers),
    scenario(12, "panicking loader workers, failing data source", loader::failures),
    scenario(13, "many resumes of one run", repeated_resumes::run),
    scenario(14, "missing or lost device", device::run),
];
