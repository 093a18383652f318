//! Where each value of a config comes from.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::layer::Layer;
use super::{Document, within};

/// The widest line after which the origins of all lines stand in one column.
const WIDEST: usize = 44;

impl Document {
    /// The TOML text `resolved`, of a value that was deserialised from this document, with a
    /// comment behind each value: `# file:line`, `# file:line, extended` for one of a base,
    /// `# --set`, or `# default` for what the document does not say.
    pub fn with_origins(&self, resolved: &str) -> String {
        let Ok(parsed) = DeTable::parse(resolved) else { return resolved.to_owned() };
        let table = self.table().unwrap_or_default();
        let mut values = Values { text: resolved, keys: BTreeMap::new() };
        values.collect(parsed.get_ref(), "");
        let origins = values.keys.iter().map(|(line, key)| (*line, self.origin(&table, key)));
        commented(resolved, &origins.collect())
    }

    fn origin(&self, table: &DeTable<'_>, key: &str) -> String {
        let span = exactly(table, key);
        let layer = |span: &Range<usize>| self.layers.iter().find(|l| l.holds(span.start));
        let Some((layer, span)) = span.and_then(|span| Some((layer(&span)?, span))) else {
            return "default".to_owned();
        };
        let file = self.layers.iter().find_map(Layer::path);
        let is_base = layer.path().is_some_and(|path| Some(path) != file);
        layer.place(&span) + if is_base { ", extended" } else { "" }
    }
}

/// The values of a text by the line that they end in.
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
                let items = items.iter().enumerate();
                items.for_each(|(place, item)| self.add(item, format!("{key}.{place}")));
            }
            _ => {
                let before = self.text.get(..value.span().end).unwrap_or_default();
                self.keys.insert(before.matches('\n').count(), key);
            }
        }
    }

    /// Whether `value` stands behind its key, and not as tables with headers.
    fn is_inline(&self, value: &Spanned<DeValue<'_>>) -> bool {
        self.text.get(..value.span().start).is_some_and(|before| before.ends_with("= "))
    }
}

/// Where the value of `key` stands, if the document gives one.
fn exactly(table: &DeTable<'_>, key: &str) -> Option<Range<usize>> {
    let mut names = key.split('.');
    let first = table.get(names.next()?)?;
    let value = names.try_fold(first, |value, name| within(value.get_ref(), name))?;
    Some(value.span())
}

/// `text` with the comment of each line behind it, all in one column where they fit.
fn commented(text: &str, comments: &BTreeMap<usize, String>) -> String {
    let widths = text.lines().enumerate().filter(|(line, _)| comments.contains_key(line));
    let widths = widths.map(|(_, text)| text.chars().count()).filter(|width| *width <= WIDEST);
    let column = widths.max().unwrap_or(0);
    let lines = text.lines().enumerate().map(|(line, text)| match comments.get(&line) {
        Some(comment) => format!("{text:<column$}  # {comment}\n"),
        None => format!("{text}\n"),
    });
    lines.collect()
}
