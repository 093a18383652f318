//! The rows: each a kind of fault, one file each.

mod stops;

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
pub const ROWS: &[Row] =
    &[Row { number: 1, name: "stop after each step, resume", run: stops::run }];
