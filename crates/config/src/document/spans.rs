//! Positions of parsed keys and values.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Returns the value of the dotted `key`.
pub fn find<'a, 'b>(table: &'a DeTable<'b>, key: &str) -> Option<&'a Spanned<DeValue<'b>>> {
    let mut names = key.split('.');
    let first = table.get(names.next()?)?;
    names.try_fold(first, |value, name| child(value.get_ref(), name))
}

/// Returns the value of the dotted `key`, or else the innermost existing value around it. A name in
/// a table may contain dots itself.
pub fn nearest<'a, 'b>(table: &'a DeTable<'b>, key: &str) -> Option<&'a Spanned<DeValue<'b>>> {
    if let Some(value) = table.get(key) {
        return Some(value);
    }
    let (name, mut rest) = key.split_once('.')?;
    let mut value = table.get(name)?;
    loop {
        if let DeValue::Table(table) = value.get_ref() {
            return nearest(table, rest).or(Some(value));
        }
        let (name, next) = rest.split_once('.').unwrap_or((rest, ""));
        let Some(inner) = child(value.get_ref(), name) else { return Some(value) };
        (value, rest) = (inner, next);
    }
}

/// Returns the value of the key `name` of a table, or at this index of an array.
fn child<'a, 'b>(value: &'a DeValue<'b>, name: &str) -> Option<&'a Spanned<DeValue<'b>>> {
    match value {
        DeValue::Table(table) => table.get(name),
        DeValue::Array(array) => array.get(name.parse::<usize>().ok()?),
        _ => None,
    }
}

/// Returns the dotted key of the narrowest value in `table` that contains `span`.
pub fn key_at(table: &DeTable<'_>, span: &Range<usize>) -> Option<String> {
    narrowest(table, span).map(|(_, key)| key)
}

/// Returns width and key of the narrowest value that contains `span`, and the innermost of equals:
/// a table has the span of its header.
fn narrowest(table: &DeTable<'_>, span: &Range<usize>) -> Option<(usize, String)> {
    let entries = table.iter().filter_map(|(key, value)| within(key.get_ref(), value, span));
    entries.min_by_key(|(width, _)| *width)
}

/// As [`narrowest`], of the value of the key `name` and everything in it.
fn within(
    name: &str,
    value: &Spanned<DeValue<'_>>,
    span: &Range<usize>,
) -> Option<(usize, String)> {
    let inner = match value.get_ref() {
        DeValue::Table(table) => narrowest(table, span),
        DeValue::Array(items) => {
            // Items that are not tables have the key of their array.
            let tables = items.iter().enumerate().filter(|(_, item)| item.get_ref().is_table());
            let tables = tables.filter_map(|(index, item)| within(&index.to_string(), item, span));
            tables.min_by_key(|(width, _)| *width)
        }
        _ => None,
    };
    let inner = inner.map(|(width, key)| (width, format!("{name}.{key}")));
    let outer = value.span();
    let contains = outer.start <= span.start && span.end <= outer.end;
    let own = contains.then(|| (outer.len(), name.to_owned()));
    inner.into_iter().chain(own).min_by_key(|(width, _)| *width)
}
