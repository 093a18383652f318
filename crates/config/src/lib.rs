//! Reads TOML configs: merges a file with its base files and command-line overrides, deserialises
//! the result, validates it and reports every problem at its source location. Independent of the
//! keys of a particular config.
//!
//! [`Document`] reads and deserialises, [`Check`] collects invalid values, and [`ConfigError`]
//! displays all problems with the source lines that cause them. [`Manual`] documents the keys of a
//! JSON Schema, and [`Range`] is the range of numbers that a schema allows.

#![forbid(unsafe_code)]

mod check;
mod diagnostics;
mod document;
mod error;
mod escape;
mod hint;
mod layer;
mod manual;
mod range;

pub use check::{Check, Problem};
pub use diagnostics::{Diagnostic, Diagnostics};
pub use document::{Document, Rules};
pub use error::ConfigError;
pub use hint::{explain, nearest as nearest_name, unknown as unknown_name};
pub use manual::{Choice, Entry, Manual};
pub use range::Range;
