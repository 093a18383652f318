//! What must hold when a config is read.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use config::ConfigError;
use tempfile::TempDir;
use training::{RunConfig, caught};

/// The most that reading one config may take of a processor.
const LONGEST: Duration = Duration::from_millis(100);

/// The most that is said about one config, in bytes.
const LONGEST_MESSAGE: usize = 64 << 10;

/// Reads configs from a directory of its own, in memory where there is such a place.
pub struct Judge {
    place: TempDir,
    /// The longest that one config took.
    pub longest: Duration,
}

impl Judge {
    /// One with an empty directory.
    pub fn new() -> io::Result<Self> {
        let memory = Path::new("/dev/shm");
        let place = if memory.is_dir() { TempDir::new_in(memory)? } else { TempDir::new()? };
        Ok(Self { place, longest: Duration::ZERO })
    }

    /// The path `name` in its directory.
    fn path(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    /// Reads `text` under `overrides`: the config, if it is one. Fails if that panics, takes too
    /// long, is refused without a place and a key, or if the config does not read back the same.
    pub fn read(&mut self, text: &[u8], overrides: &[String]) -> Result<Option<RunConfig>, String> {
        let path = self.path("config.toml");
        fs::write(&path, text).map_err(|error| error.to_string())?;
        let started = on_processor();
        let read =
            caught(|| RunConfig::read(&path, overrides)).map_err(|_| "a panic".to_owned())?;
        let took = on_processor().saturating_sub(started);
        self.longest = self.longest.max(took);
        match (took > LONGEST, read) {
            (true, _) => Err(format!("it took {} ms", took.as_millis())),
            (false, Err(error)) => must_help(&error, &path, text).map(|()| None),
            (false, Ok(config)) => self.must_read_back(&config).map(|()| Some(config)),
        }
    }

    /// What is said of `text`; nothing if it is accepted.
    pub fn message(&self, text: &str) -> String {
        let path = self.path("asked.toml");
        let read = fs::write(&path, text).map(|()| RunConfig::read(&path, &[]));
        read.ok().and_then(Result::err).map(|error| error.to_string()).unwrap_or_default()
    }

    /// As a run keeps it.
    fn must_read_back(&self, config: &RunConfig) -> Result<(), String> {
        let path = self.path("resolved.toml");
        let text = toml::to_string_pretty(config)
            .map_err(|error| format!("accepted, but cannot be written: {error}"))?;
        fs::write(&path, text).map_err(|error| error.to_string())?;
        let read = RunConfig::read(&path, &[])
            .map_err(|error| format!("accepted, but not when read back: {error}"))?;
        match read == *config {
            true => Ok(()),
            false => Err(format!("{config:?} reads back as {read:?}")),
        }
    }
}

fn must_help(error: &ConfigError, path: &Path, text: &[u8]) -> Result<(), String> {
    let message = error.to_string();
    if message.len() > LONGEST_MESSAGE {
        return Err(format!("a message of {} bytes", message.len()));
    }
    if message.contains(|character: char| character.is_control() && character != '\n') {
        return Err(format!("a message with control characters: {message:?}"));
    }
    let is_toml = str::from_utf8(text).is_ok_and(|text| text.parse::<toml::Table>().is_ok());
    let helps = match error {
        ConfigError::Invalid(findings) => {
            !findings.is_empty()
                && findings.iter().all(|finding| {
                    let named = finding.key.is_some() || finding.message.contains('`');
                    let in_bases = !finding.place.starts_with(&path.display().to_string());
                    is_place(&finding.place) && (named || in_bases || !is_toml)
                })
        }
        ConfigError::Override { .. } => message.starts_with("--set "),
        ConfigError::Unreadable { .. } | ConfigError::TooLarge { .. } => {
            message.contains(&path.display().to_string())
        }
    };
    if helps { Ok(()) } else { Err(format!("it says neither key nor place: {message}")) }
}

/// `file:line:column`, or an override.
fn is_place(place: &str) -> bool {
    let mut parts = place.rsplitn(3, ':');
    let mut is_number = || parts.next().is_some_and(|part| part.parse::<usize>().is_ok());
    place.starts_with("--set ") || is_number() && is_number()
}

/// How long this thread has been on a processor: what others do on it does not count.
fn on_processor() -> Duration {
    let statistics = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = statistics.split(' ').next().and_then(|number| number.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or_default())
}
