//! Reads configs and checks the result.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use config::ConfigError;
use support::panics;
use tempfile::TempDir;
use training::RunConfig;

use crate::fixture::memory_file_system;
use crate::tally::require;

/// Limit of the processor time for reading one config, in milliseconds.
const TIME_LIMIT: u64 = 250;

/// Longest message about one config, in bytes.
const MESSAGE_LIMIT: usize = 64 << 10;

/// Longest processor time for one config so far, in milliseconds.
pub static LONGEST_MS: AtomicU64 = AtomicU64::new(0);

/// Reads configs from a directory of its own, in memory if possible.
pub struct Reader {
    directory: TempDir,
}

impl Reader {
    pub fn new() -> io::Result<Self> {
        let directory = memory_file_system().map_or_else(TempDir::new, TempDir::new_in)?;
        Ok(Self { directory })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Reads `text` with `overrides`. Returns the config if it is accepted. Fails if reading panics
    /// or takes too long, if a refusal has no location and key, or if the config does not read back
    /// unchanged.
    pub fn read(&self, text: &[u8], overrides: &[String]) -> Result<Option<RunConfig>, String> {
        let path = self.path("config.toml");
        fs::write(&path, text).map_err(|error| error.to_string())?;
        let started = processor_time();
        let result = panics::catch(|| RunConfig::read(&path, overrides));
        let result = result.map_err(|_| "a panic".to_owned())?;
        let time = processor_time().saturating_sub(started) / 1_000_000;
        LONGEST_MS.fetch_max(time, Ordering::Relaxed);
        require::<String>(time <= TIME_LIMIT, || format!("it took {time} ms"))?;
        match result {
            Err(error) => require_helpful(&error, &path, text).map(|()| None),
            Ok(config) => self.require_same_when_read_back(&config).map(|()| Some(config)),
        }
    }

    /// Returns the message that refuses `text`; empty if it is accepted.
    pub fn message(&self, text: &str) -> String {
        let path = self.path("message.toml");
        let result = fs::write(&path, text).map(|()| RunConfig::read(&path, &[]));
        result.ok().and_then(Result::err).map(|error| error.to_string()).unwrap_or_default()
    }

    /// Writes `config` as a run does, and reads it.
    fn require_same_when_read_back(&self, config: &RunConfig) -> Result<(), String> {
        let path = self.path("resolved.toml");
        let text = toml::to_string_pretty(config)
            .map_err(|error| format!("accepted, but cannot be written: {error}"))?;
        fs::write(&path, text).map_err(|error| error.to_string())?;
        let read = RunConfig::read(&path, &[])
            .map_err(|error| format!("accepted, but not when read back: {error}"))?;
        require(read == *config, || format!("{config:?} reads back as {read:?}"))
    }
}

fn require_helpful(error: &ConfigError, path: &Path, text: &[u8]) -> Result<(), String> {
    let message = error.to_string();
    let length = message.len();
    require::<String>(length <= MESSAGE_LIMIT, || format!("a message of {length} bytes"))?;
    let is_plain = |character: char| !character.is_control() || character == '\n';
    let controls = || format!("a message with control characters: {message:?}");
    require::<String>(message.chars().all(is_plain), controls)?;
    let is_toml = str::from_utf8(text).is_ok_and(|text| text.parse::<toml::Table>().is_ok());
    let path = path.display().to_string();
    let is_helpful = match error {
        ConfigError::Invalid(problems) => {
            problems.iter().next().is_some()
                && problems.iter().all(|problem| {
                    let names_key = problem.key.is_some() || problem.message.contains('`');
                    let is_in_base = !problem.location.starts_with(&path);
                    is_location(&problem.location) && (names_key || is_in_base || !is_toml)
                })
        }
        ConfigError::Override { .. } => message.starts_with("override "),
        ConfigError::Unreadable { .. } | ConfigError::TooLarge { .. } => message.contains(&path),
    };
    require(is_helpful, || format!("neither key nor location: {message}"))
}

/// Returns whether the text is `file:line:column`, or an override.
fn is_location(text: &str) -> bool {
    let mut parts = text.rsplitn(3, ':');
    let mut is_number = || parts.next().is_some_and(|part| part.parse::<usize>().is_ok());
    text.starts_with("override ") || is_number() && is_number()
}

/// Processor time of this thread in nanoseconds, without that of others on the same core.
fn processor_time() -> u64 {
    let statistics = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    statistics.split(' ').next().and_then(|number| number.parse().ok()).unwrap_or_default()
}
