//! One file or one override within a document.

use std::ops::Range;
use std::path::{Path, PathBuf};

use annotate_snippets::{Annotation, Snippet};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::error::ConfigError;
use crate::escape::escape;
use crate::hint;

/// One file or one override. Layers share one range of positions without overlap, so that a
/// position identifies its layer.
#[derive(Debug, Clone)]
pub struct Layer {
    origin: Origin,
    start: usize,
    text: String,
    /// The text without statements that are not TOML, if it has any.
    repaired: Option<String>,
}

#[derive(Debug, Clone)]
pub enum Origin {
    /// File at this path, as given or as resolved from the file that extends it.
    File(PathBuf),
    /// Override with this number, from 1.
    Override(usize),
}

/// Largest number of characters that are underlined.
const MAX_UNDERLINED: usize = 80;

/// Returns the start of the next layer after `layers`.
pub fn end(layers: &[Layer]) -> usize {
    layers.last().map_or(0, |layer| layer.end() + 1)
}

/// Returns the line of `text` at `at`, without its line break.
pub fn line_at(text: &str, at: usize) -> Range<usize> {
    let (before, after) = text.split_at_checked(at).unwrap_or((text, ""));
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    start..before.len() + after.find('\n').unwrap_or(after.len())
}

impl Layer {
    /// Creates a layer that follows `layers`.
    pub fn after(layers: &[Self], origin: Origin, text: &str) -> Self {
        Self { origin, start: end(layers), text: text.to_owned(), repaired: None }
    }

    pub fn end(&self) -> usize {
        self.start + self.text.len()
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// Sets the text without statements that are not TOML, with equal positions.
    pub fn repair(&mut self, text: String) {
        self.repaired = Some(text);
    }

    /// Parses its table, without statements that are not TOML.
    pub fn parse(&self) -> Result<DeTable<'_>, ConfigError> {
        let toml = self.repaired.as_deref().unwrap_or(&self.text);
        let table = DeTable::parse(toml).map_err(|error| {
            let span = self.shifted(&error.span().unwrap_or(0..0));
            self.error(span, None, hint::explain(error.message()))
        })?;
        Ok(self.shift_table(table.into_inner()))
    }

    /// Moves a span in its text to its position over all layers.
    pub fn shifted(&self, span: &Range<usize>) -> Range<usize> {
        span.start + self.start..span.end + self.start
    }

    fn shift_table<'a>(&self, table: DeTable<'a>) -> DeTable<'a> {
        let moved = |(key, value): (Spanned<_>, _)| {
            let span = self.shifted(&key.span());
            (Spanned::new(span, key.into_inner()), self.shift_value(value))
        };
        table.into_iter().map(moved).collect()
    }

    fn shift_value<'a>(&self, value: Spanned<DeValue<'a>>) -> Spanned<DeValue<'a>> {
        let span = self.shifted(&value.span());
        let value = match value.into_inner() {
            DeValue::Table(table) => DeValue::Table(self.shift_table(table)),
            DeValue::Array(items) => {
                DeValue::Array(items.into_iter().map(|item| self.shift_value(item)).collect())
            }
            plain => plain,
        };
        Spanned::new(span, value)
    }

    /// Returns the problem `message` of the text at `span`.
    pub fn diagnostic(
        &self,
        span: Range<usize>,
        key: Option<String>,
        message: String,
    ) -> Diagnostic {
        Diagnostic { location: self.location(span.start), key, message, span, related: Vec::new() }
    }

    /// Returns the error `message` of the text at `span`.
    pub fn error(&self, span: Range<usize>, key: Option<String>, message: String) -> ConfigError {
        let item = self.diagnostic(span, key, message);
        Diagnostics::new(std::slice::from_ref(self), vec![item]).into()
    }

    pub fn start(&self) -> usize {
        self.start
    }

    /// Path of a file, `None` for an override.
    pub fn path(&self) -> Option<&Path> {
        match &self.origin {
            Origin::File(path) => Some(path),
            Origin::Override(_) => None,
        }
    }

    /// Whether `position` is in its text or at the end of it.
    pub fn contains(&self, position: usize) -> bool {
        (self.start..=self.end()).contains(&position)
    }

    /// Returns `file:line:column` of `position`, or the override.
    pub fn location(&self, position: usize) -> String {
        let Origin::File(path) = &self.origin else { return format!("override {}", self.text) };
        let line = self.line(position);
        let before = self.text.get(line.start..position - self.start).unwrap_or_default();
        let column = before.chars().count() + 1;
        format!("{}:{}:{column}", path.display(), self.line_number(position))
    }

    /// Returns `file:line` of `position`, or `override`.
    pub fn file_and_line(&self, position: usize) -> String {
        match &self.origin {
            Origin::File(path) => {
                escape(&format!("{}:{}", path.display(), self.line_number(position)))
            }
            Origin::Override(_) => "override".to_owned(),
        }
    }

    fn line_number(&self, position: usize) -> usize {
        let line = self.line(position);
        self.text.get(..line.start).unwrap_or_default().matches('\n').count() + 1
    }

    /// Returns the bytes of its text that are the line at `position`.
    pub fn line(&self, position: usize) -> Range<usize> {
        line_at(&self.text, position - self.start)
    }

    /// Returns the part of `span` to underline in [`Layer::snippet`]: at most one line.
    pub fn underline(&self, span: &Range<usize>) -> Range<usize> {
        let start = span.start - self.start;
        let end = self.line(span.start).end.min(span.end - self.start).max(start);
        let text = self.text.get(start..end).unwrap_or_default();
        let end = text.char_indices().nth(MAX_UNDERLINED).map_or(end, |(at, _)| start + at);
        start..end
    }

    /// Returns its source; all overrides together are displayed as lines of `<overrides>`.
    pub fn snippet(&self) -> Snippet<'_, Annotation<'_>> {
        // The renderer replaces all other control characters. Two bytes too, so that spans stay.
        let text = self.text.replace(|c| ('\u{80}'..='\u{9f}').contains(&c), "\u{b7}");
        let snippet = Snippet::source(text);
        match &self.origin {
            Origin::File(path) => snippet.path(escape(&path.display().to_string())),
            Origin::Override(number) => snippet.path("<overrides>").line_start(*number),
        }
    }
}
