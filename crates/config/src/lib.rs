//! From TOML text to a checked value: the files and overrides that make up a config, where each
//! key stands, and every problem at once. Knows the form of a config, none of its keys.
//!
//! [`Document`] reads and deserialises, [`Check`] collects what a value breaks, and
//! [`ConfigError`] shows each problem under the line that caused it. [`Manual`] tells of a JSON
//! Schema what each key means, and [`Range`] which numbers it takes.

#![forbid(unsafe_code)]

mod check;
mod document;
mod error;
mod hint;
mod manual;
mod range;
mod shown;

pub use check::{Check, Problem};
pub use document::{Document, Rules};
pub use error::{ConfigError, Finding};
pub use manual::{Choice, Entry, Manual};
pub use range::Range;
