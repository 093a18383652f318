use std::path::PathBuf;

use crate::diagnostics::Diagnostics;
use crate::escape::escape;

/// Error of a config that cannot be used. The alternate form `{:#}` is coloured with ANSI escape
/// sequences.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the fields are named in the messages")]
pub enum ConfigError {
    #[error("cannot read the config {}: {source}\n  give the path of a TOML file, for example configs/signs.toml", escape(&path.display().to_string()))]
    Unreadable { path: PathBuf, source: std::io::Error },
    /// The file is far larger than any config.
    #[error("the config {} is larger than {limit_kib} KiB with its bases and overrides\n  give the path of a TOML file, for example configs/signs.toml", escape(&path.display().to_string()))]
    TooLarge { path: PathBuf, limit_kib: usize },
    /// An override is not of the form `key=value`.
    #[error(
        "override {}: {reason}\n  write for example optimizer.adam.learning_rate=1e-3",
        escape(argument)
    )]
    Override { argument: String, reason: String },
    /// The text is not valid TOML, or has invalid keys or values.
    #[error(transparent)]
    Invalid(#[from] Diagnostics),
}
