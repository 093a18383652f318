//! The rows: each a kind of fault, one file each.

mod configs;
mod damage;
mod device;
mod failing_calls;
mod hdf5_files;
mod kills;
mod loading;
mod not_finite;
mod planted;
mod power_loss;
mod resumes;
mod signals;
mod stops;
mod together;

use crate::Try;

/// A kind of fault.
pub struct Row {
    /// Its number in RELIABILITY.md.
    pub number: u8,
    /// What is tried.
    pub name: &'static str,
    /// Tries it.
    pub run: Try,
}

/// All rows, in the order of their numbers.
pub const ROWS: &[Row] = &[
    Row { number: 1, name: "stop after each step, resume", run: stops::run },
    Row { number: 2, name: "kill -9, resume, in chains", run: kills::run },
    Row { number: 3, name: "a failing system call", run: failing_calls::run },
    Row { number: 4, name: "power loss", run: power_loss::run },
    Row { number: 5, name: "damaged checkpoints and run directories", run: damage::run },
    Row { number: 6, name: "damaged and hostile HDF5 files", run: hdf5_files::run },
    Row { number: 7, name: "configs mutated and generated", run: configs::run },
    Row { number: 8, name: "SIGINT and SIGTERM, once and twice", run: signals::run },
    Row { number: 9, name: "trainers together on one directory", run: together::run },
    Row { number: 10, name: "not a number in data, loss or gradient", run: not_finite::run },
    Row { number: 11, name: "workers and depths of the loader", run: loading::workers },
    Row { number: 12, name: "a worker panics, a source fails", run: loading::failures },
    Row { number: 13, name: "resumes of one run", run: resumes::run },
    Row { number: 14, name: "the device is missing or lost", run: device::run },
];
