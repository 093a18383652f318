use std::path::PathBuf;

use crate::diagnostics::Diagnostics;
use crate::escape::escape;

/// Error of a config that cannot be used. The alternate form `{:#}` is coloured with ANSI escape
/// sequences.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the config {}: {source}\n  give the path of a TOML file, for example configs/signs.toml", escape(&path.display().to_string()))]
    Unreadable {
        /// Path as given.
        path: PathBuf,
        /// Error of the operating system.
        source: std::io::Error,
    },
    /// The file is far larger than any config.
    #[error("the config {} is larger than {limit_kib} KiB with its bases and overrides\n  give the path of a TOML file, for example configs/signs.toml", escape(&path.display().to_string()))]
    TooLarge {
        /// Path as given.
        path: PathBuf,
        /// Largest accepted size in KiB.
        limit_kib: usize,
    },
    /// An override is not of the form `key=value`.
    #[error(
        "override {}: {}\n  write for example optimizer.adam.learning_rate=1e-3",
        escape(argument),
        reason
    )]
    Override {
        /// Override as given.
        argument: String,
        /// Description of the problem.
        reason: String,
    },
    /// The text is not valid TOML, or has invalid keys or values.
    #[error(transparent)]
    Invalid(#[from] Diagnostics),
}
