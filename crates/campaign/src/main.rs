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
