//! One file or one override within a document.

use std::ops::Range;
use std::path::{Path, PathBuf};

use annotate_snippets::{Annotation, Snippet};

use crate::escape::escape;

/// One file or one override. Layers share one range of positions without overlap, so that a
/// position identifies its layer.
#[derive(Debug, Clone)]
pub struct Layer {
    origin: Origin,
    /// Position of the first character.
    start: usize,
    text: String,
    /// The text without statements that are not TOML, if it has any.
    repaired: Option<String>,
}

/// Origin of a layer.
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

impl Layer {
    /// Creates a layer that follows `layers`.
    pub fn after(layers: &[Self], origin: Origin, text: &str) -> Self {
        Self { origin, start: end(layers), text: text.to_owned(), repaired: None }
    }

    /// Position behind the last character.
    pub fn end(&self) -> usize {
        self.start + self.text.len()
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text without statements that are not TOML.
    pub fn toml(&self) -> &str {
        self.repaired.as_deref().unwrap_or(&self.text)
    }

    /// Sets what [`Layer::toml`] returns, with equal positions.
    pub fn repair(&mut self, text: String) {
        self.repaired = Some(text);
    }

    /// Position of the first character.
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
        let (before, after) =
            self.text.split_at_checked(position - self.start).unwrap_or((&self.text, ""));
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        start..before.len() + after.find('\n').unwrap_or(after.len())
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
