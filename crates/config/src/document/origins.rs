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
        let mut values = Values { text: resolved, keys: BTreeMap::new() };
        values.collect(parsed.get_ref(), "");
        let origins = values.keys.iter().map(|(line, key)| (*line, self.origin(&table, key)));
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

/// Keys of the values of a text by the line on which the value ends.
struct Values<'a> {
    text: &'a str,
    keys: BTreeMap<usize, String>,
}

impl Values<'_> {
    fn collect(&mut self, table: &DeTable<'_>, prefix: &str) {
        for (name, value) in table {
            self.add(value, format!("{prefix}{}", name.get_ref()));
        }
    }

    fn add(&mut self, value: &Spanned<DeValue<'_>>, key: String) {
        match value.get_ref() {
            DeValue::Table(inner) => self.collect(inner, &format!("{key}.")),
            DeValue::Array(items) if !self.is_inline(value) => {
                for (index, item) in items.iter().enumerate() {
                    self.add(item, format!("{key}.{index}"));
                }
            }
            _ => {
                let before = self.text.get(..value.span().end).unwrap_or_default();
                self.keys.insert(before.matches('\n').count(), key);
            }
        }
    }

    /// Whether `value` follows its key, rather than being tables with headers.
    fn is_inline(&self, value: &Spanned<DeValue<'_>>) -> bool {
        self.text.get(..value.span().start).is_some_and(|before| before.ends_with("= "))
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
