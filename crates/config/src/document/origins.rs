//! Origins of the values of a config.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use unicode_width::UnicodeWidthStr;

use super::{Document, spans};
use crate::layer::Layer;

/// Longest line that is considered for the common column of the comments.
const MAX_WIDTH: usize = 44;

impl Document {
    /// Adds the origin of each value as a comment to `resolved`, the TOML text of a value that was
    /// deserialised from this document: `# file:line`, `# file:line, extended` for a value of a
    /// base file, `# override`, or `# default`.
    pub fn with_origins(&self, resolved: &str) -> String {
        let Ok(parsed) = DeTable::parse(resolved) else { return resolved.to_owned() };
        let table = self.table().unwrap_or_default();
        let mut keys = BTreeMap::new();
        for (name, value) in parsed.get_ref() {
            collect(resolved, name.get_ref(), value, &mut keys);
        }
        let origins = keys.into_iter().map(|(line, key)| (line, self.origin(&table, &key)));
        commented(resolved, &origins.collect())
    }

    fn origin(&self, table: &DeTable<'_>, key: &str) -> String {
        let start = spans::find(table, key).map(|value| value.span().start);
        let Some((layer, start)) = start.and_then(|start| Some((self.layer(start)?, start))) else {
            return "default".to_owned();
        };
        let file = self.layers.iter().find_map(Layer::path);
        let is_base = layer.path().is_some_and(|path| Some(path) != file);
        layer.file_and_line(start) + if is_base { ", extended" } else { "" }
    }
}

/// Collects the keys of the values in `value` by the line of `text` on which each value ends.
fn collect(
    text: &str,
    key: &str,
    value: &Spanned<DeValue<'_>>,
    keys: &mut BTreeMap<usize, String>,
) {
    let before = |position| text.get(..position).unwrap_or_default();
    match value.get_ref() {
        DeValue::Table(table) => {
            for (name, value) in table {
                collect(text, &format!("{key}.{}", name.get_ref()), value, keys);
            }
        }
        // Tables with headers, unlike an array that follows its key.
        DeValue::Array(items) if !before(value.span().start).ends_with("= ") => {
            for (index, item) in items.iter().enumerate() {
                collect(text, &format!("{key}.{index}"), item, keys);
            }
        }
        _ => drop(keys.insert(before(value.span().end).matches('\n').count(), key.to_owned())),
    }
}

/// Appends the comment of each line of `text`, in one column where lines are short enough.
fn commented(text: &str, comments: &BTreeMap<usize, String>) -> String {
    let widths = text.lines().enumerate().filter(|(line, _)| comments.contains_key(line));
    let widths = widths.map(|(_, text)| text.width()).filter(|width| *width <= MAX_WIDTH);
    let column = widths.max().unwrap_or(0);
    let lines = text.lines().enumerate().map(|(line, text)| match comments.get(&line) {
        Some(comment) => {
            let gap = " ".repeat(column.saturating_sub(text.width()));
            format!("{text}{gap}  # {comment}\n")
        }
        None => format!("{text}\n"),
    });
    lines.collect()
}
