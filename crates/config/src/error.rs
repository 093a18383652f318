use std::fmt;
use std::path::{Path, PathBuf};

use crate::shown::{one_column_each, shown};

/// Why a config cannot be used. Shows each problem under the line that caused it.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the config {}: {source}\n  give the path of a TOML file, for example --config configs/signs.toml", shown(&path.display().to_string()))]
    Unreadable {
        /// The path as given.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is far larger than any config.
    #[error("the config {} is larger than {most} KiB with its bases and overrides: it holds settings, no data\n  give the path of a TOML file, for example --config configs/signs.toml", shown(&path.display().to_string()))]
    TooLarge {
        /// The path as given.
        path: PathBuf,
        /// The size that is still taken, in KiB.
        most: usize,
    },
    /// An override that is not `key=value`, or that cannot be placed.
    #[error(
        "--set {}: {}\n  write for example --set optimizer.adam.learning_rate=1e-3",
        shown(argument),
        shown(reason)
    )]
    Override {
        /// The override as given.
        argument: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The text or its values are wrong.
    #[error("{}", Listing(.0))]
    Invalid(Vec<Finding>),
}

/// One problem at its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// `file:line:column`, or the override.
    pub place: String,
    /// The dotted path of the key, where one is known.
    pub key: Option<String>,
    /// What is wrong, and what to write instead.
    pub message: String,
    /// The line that holds it, with its number, and the columns to underline.
    pub excerpt: Option<Excerpt>,
}

/// A line of the source, or what surrounds the place in a very long one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// The number of the line, from 1.
    pub number: usize,
    /// The column of the place, from 1.
    pub column: usize,
    /// The line itself.
    pub line: String,
    start: usize,
    width: usize,
}

/// How many characters are shown before the place, and from it on.
const SHOWN: (usize, usize) = (60, 80);

impl Excerpt {
    /// The line `before` + `rest`, with the first `width` characters of `rest` underlined.
    pub fn new(number: usize, before: &str, rest: &str, width: usize) -> Self {
        let column = before.chars().count();
        let shown: String = before.chars().skip(column.saturating_sub(SHOWN.0)).collect();
        Self {
            number,
            column: column + 1,
            start: shown.chars().count(),
            line: one_column_each(shown.chars().chain(rest.chars().take(SHOWN.1))),
            width: width.min(SHOWN.1),
        }
    }
}

impl Finding {
    /// One of the file at `path` as a whole: something is missing.
    pub fn of_file(path: &Path, key: Option<String>, message: String) -> Self {
        Self { place: format!("{}:1:1", path.display()), key, message, excerpt: None }
    }
}

struct Listing<'a>(&'a [Finding]);

impl fmt::Display for Listing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => write!(f, "the config has a problem")?,
            count => write!(f, "the config has {count} problems")?,
        }
        self.0.iter().try_for_each(|finding| write!(f, "\n{finding}"))
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", shown(&self.place))?;
        if let Some(key) = &self.key {
            write!(f, "{}: ", shown(key))?;
        }
        write!(f, "{}", shown(&self.message))?;
        self.excerpt.iter().try_for_each(|excerpt| write!(f, "\n{excerpt}"))
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.number.to_string();
        writeln!(f, "  {number} | {}", self.line)?;
        let (margin, before) = (" ".repeat(number.len()), " ".repeat(self.start));
        write!(f, "  {margin} | {before}{}", "^".repeat(self.width.max(1)))
    }
}
