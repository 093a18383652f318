//! One file or one override within a document.

use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::de::DeTable;

use super::spans;
use crate::error::{ConfigError, Excerpt, Finding};
use crate::hint;
use crate::shown::shown;

/// One file or one override. No position of a document is in two of its layers, so that a span
/// tells the layer too.
#[derive(Debug)]
pub struct Layer {
    origin: Origin,
    /// The position of its first character.
    start: usize,
    text: String,
}

/// Where a layer comes from.
#[derive(Debug)]
pub enum Origin {
    /// The file at this path, as given or as found from the file that extends it.
    File(PathBuf),
    /// This argument of `--set`.
    Override(String),
}

/// Where the next layer after `layers` starts.
pub fn end(layers: &[Layer]) -> usize {
    layers.last().map_or(0, |layer| layer.end() + 1)
}

impl Layer {
    /// The layer with this `text`, to stand after `layers`.
    pub fn after(layers: &[Self], origin: Origin, text: &str) -> Self {
        Self { origin, start: end(layers), text: text.to_owned() }
    }

    fn end(&self) -> usize {
        self.start + self.text.len()
    }

    /// The path of a file, `None` of an override.
    pub fn path(&self) -> Option<&Path> {
        match &self.origin {
            Origin::File(path) => Some(path),
            Origin::Override(_) => None,
        }
    }

    /// True of the positions of its text and of the one behind, the end of the file.
    pub fn holds(&self, position: usize) -> bool {
        (self.start..=self.end()).contains(&position)
    }

    /// Its table. What is not TOML is an error at its place.
    pub fn parse(&self) -> Result<DeTable<'_>, ConfigError> {
        let table = DeTable::parse(&self.text).map_err(|error| {
            let place = spans::shifted(&error.span().unwrap_or(0..0), self.start);
            self.error(place, None, hint::explain(error.message()))
        })?;
        Ok(spans::shift(table.into_inner(), self.start))
    }

    /// The error that `message` holds of what stands at `span`.
    pub fn error(&self, span: Range<usize>, key: Option<String>, message: String) -> ConfigError {
        match &self.origin {
            Origin::File(_) => ConfigError::Invalid(vec![self.finding(span, key, message)]),
            Origin::Override(argument) => {
                ConfigError::Override { argument: argument.clone(), reason: message }
            }
        }
    }

    /// What stands at `span`, with the place shown.
    pub fn finding(&self, span: Range<usize>, key: Option<String>, message: String) -> Finding {
        let excerpt = self.excerpt(&span);
        let place = match &self.origin {
            Origin::File(path) => {
                format!("{}:{}:{}", path.display(), excerpt.number, excerpt.column)
            }
            Origin::Override(_) => format!("--set {}", excerpt.line),
        };
        Finding { place, key, message, excerpt: Some(excerpt) }
    }

    /// Where `span` stands: `file:line`, or `--set`.
    pub fn place(&self, span: &Range<usize>) -> String {
        match &self.origin {
            Origin::File(path) => {
                shown(&format!("{}:{}", path.display(), self.excerpt(span).number))
            }
            Origin::Override(_) => "--set".to_owned(),
        }
    }

    fn excerpt(&self, span: &Range<usize>) -> Excerpt {
        let at = span.start.saturating_sub(self.start);
        let (before, rest) = self.text.split_at_checked(at).unwrap_or_default();
        let (lines, start) = before
            .rsplit_once('\n')
            .map_or((0, before), |(above, start)| (above.matches('\n').count() + 1, start));
        let rest = rest.lines().next().unwrap_or_default();
        let underlined = rest.get(..span.len()).unwrap_or(rest);
        Excerpt::new(lines + 1, start, rest, underlined.chars().count())
    }
}
