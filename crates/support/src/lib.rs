//! Helpers without knowledge of machine learning.
//!
//! - [`durable_fs`]: file operations that survive a power loss.
//! - [`memory`]: memory available to this process.
//! - [`panics`]: panics as errors.
//! - [`progress`]: progress of long operations.
//! - [`regular_file`]: reading files whose path a user gave.
//! - [`mod@sha256`]: SHA-256 checksums in hexadecimal.

pub mod durable_fs;
pub mod memory;
pub mod panics;
pub mod progress;
pub mod regular_file;
pub mod sha256;

pub use progress::ProgressTask;
pub use sha256::sha256;
