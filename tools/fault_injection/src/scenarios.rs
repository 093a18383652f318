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
mod workers;

use crate::Settings;
use crate::tally::ScenarioResult;

/// A short description, and the function that runs all cases.
type Scenario = (&'static str, fn(&Settings) -> ScenarioResult);

/// All scenarios, in the order of their numbers in RELIABILITY.md.
pub const SCENARIOS: &[Scenario] = &[
    ("stop after each step and resume", stops::run),
    ("kill -9 and resume, repeatedly", kills::run),
    ("failing system calls", failing_syscalls::run),
    ("power loss", power_loss::run),
    ("damaged checkpoints and run directories", damage::run),
    ("damaged and malicious HDF5 files", hdf5_files::run),
    ("mutated and generated configs", configs::run),
    ("SIGINT and SIGTERM, once and twice", signals::run),
    ("concurrent starts on one run directory", concurrent_starts::run),
    ("NaN and infinity in input, loss or gradient", non_finite::run),
    ("numbers of loader workers and batches ahead", loader::workers),
    ("panicking loader workers, failing data source", loader::failures),
    ("many resumes of one run", repeated_resumes::run),
    ("missing or lost device", device::run),
    ("lost workers, and faults inside them", workers::run),
];
