//! Text that is not TOML.

use std::ops::Range;

use toml::de::DeTable;

use crate::diagnostics::Diagnostic;
use crate::hint;
use crate::layer::{Layer, line_at};

/// Largest number of syntax errors that are reported for a file.
const MAX_ERRORS: usize = 20;

/// Returns the syntax errors of `layer`, and removes their statements from what is parsed of it, so
/// that mistakes in the rest are found as well.
pub fn repair(layer: &mut Layer) -> Vec<Diagnostic> {
    let (mut text, mut errors) = (layer.text().to_owned(), Vec::new());
    while let Err(error) = DeTable::parse(&text) {
        let at = error.span().unwrap_or_default();
        let (span, message, statement) = match unclosed(&text, at.start) {
            Some((start, closing, end)) => {
                let line = line_at(&text, start);
                (start..start + 1, format!("`{closing}` is missing"), line.start..end)
            }
            None => (at.clone(), message(&text, &at, error.message()), statement(&text, at.start)),
        };
        errors.push(layer.diagnostic(layer.shifted(&span), None, message));
        let is_empty = text.get(statement.clone()).is_none_or(|text| text.trim().is_empty());
        if is_empty || errors.len() == MAX_ERRORS {
            text.clear();
        } else {
            blank(&mut text, statement);
        }
    }
    if !errors.is_empty() {
        layer.repair(text);
    }
    errors
}

fn message(text: &str, at: &Range<usize>, message: &str) -> String {
    let line = line_at(text, at.start);
    let before = text.get(line.start..at.end.max(at.start)).unwrap_or_default();
    if before.contains('\\') && (message.contains("escape") || message.contains("unicode")) {
        return format!(
            "{message}: `\\` begins an escape sequence: write `/`, or put the text in single quotes"
        );
    }
    hint::explain(message)
}

/// Returns the innermost bracket that is open at `at`, with the bracket that closes it and the end of
/// its statement, if another statement begins before `at` or the text ends there.
fn unclosed(text: &str, at: usize) -> Option<(usize, char, usize)> {
    let (start, closing) = innermost_open(text.get(..at)?)?;
    let mut line = line_at(text, start);
    while line.end < line_at(text, at).end {
        line = line_at(text, line.end + 1);
        if begins_statement(text.get(line.clone())?, closing) {
            return Some((start, closing, line.start));
        }
    }
    text.get(at..)?.trim().is_empty().then_some((start, closing, text.len()))
}

/// Whether `line` is a header or begins with a key, which is no part of the value that `closing` ends.
fn begins_statement(line: &str, closing: char) -> bool {
    let is_key = |key: &str| {
        let key = key.trim();
        !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
    };
    let line = line.trim();
    let header = line.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let has_letter = |name: &str| name.starts_with(|c: char| c.is_ascii_alphabetic());
    header.is_some_and(|(name, _)| is_key(name) && has_letter(name))
        || closing == ']'
            && line.split_once('=').is_some_and(|(key, _)| is_key(key) && has_letter(key))
}

/// Returns the innermost bracket of a value that is open at the end of `text`.
fn innermost_open(text: &str) -> Option<(usize, char)> {
    let mut open = Vec::new();
    let mut quote = None;
    let (mut line_is_blank, mut is_skipped) = (true, false);
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match (letter, quote) {
            ('\n', _) => (quote, is_skipped) = (None, false),
            _ if is_skipped => {}
            ('\\', Some('"')) => {
                letters.next();
            }
            (_, Some(end)) if letter == end => quote = None,
            (_, Some(_)) => {}
            ('"' | '\'', None) => quote = Some(letter),
            // A comment or a header.
            ('#', None) => is_skipped = true,
            ('[', None) if line_is_blank && open.is_empty() => is_skipped = true,
            ('[', None) => open.push((at, ']')),
            ('{', None) => open.push((at, '}')),
            (']' | '}', None) => drop(open.pop()),
            _ => {}
        }
        line_is_blank = letter == '\n' || line_is_blank && letter.is_whitespace();
    }
    open.pop()
}

/// Returns the line at `at`, or the whole table if it is a header.
fn statement(text: &str, at: usize) -> Range<usize> {
    let line = line_at(text, at);
    let is_header = text.get(line.clone()).is_some_and(|line| line.trim_start().starts_with('['));
    let next_header = text.get(line.end..).and_then(|rest| rest.find("\n["));
    let end = next_header.map_or(text.len(), |newline| line.end + newline);
    if is_header { line.start..end } else { line }
}

/// Replaces everything in `span` but line breaks by spaces.
fn blank(text: &mut String, span: Range<usize>) {
    let blanked = text.get(span.clone()).unwrap_or_default().bytes();
    let blanked: String = blanked.map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect();
    text.replace_range(span, &blanked);
}
