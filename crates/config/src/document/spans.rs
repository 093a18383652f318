//! The positions of what was parsed.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// `table` with all its positions moved `by` so many bytes.
pub fn shift(table: DeTable<'_>, by: usize) -> DeTable<'_> {
    let entries = table.into_iter();
    entries.map(|(key, value)| (moved(key, by), shift_value(value, by))).collect()
}

/// The range `span`, moved `by` so many bytes.
pub fn shifted(span: &Range<usize>, by: usize) -> Range<usize> {
    span.start + by..span.end + by
}

/// The dotted key of the narrowest value in `table` that holds `span`.
pub fn key_at(table: &DeTable<'_>, span: &Range<usize>) -> Option<String> {
    narrowest(table, span).map(|(_, key)| key)
}

/// The width and the key of the narrowest value that holds `span`; of equals the innermost, since
/// a table is as wide as its header.
fn narrowest(table: &DeTable<'_>, span: &Range<usize>) -> Option<(usize, String)> {
    let entries = table.iter().filter_map(|(key, value)| named(key.get_ref(), value, span));
    entries.min_by_key(|(width, _)| *width)
}

/// The same of the value called `name` and what is in it.
fn named(name: &str, value: &Spanned<DeValue<'_>>, span: &Range<usize>) -> Option<(usize, String)> {
    let inner = match value.get_ref() {
        DeValue::Table(table) => narrowest(table, span),
        DeValue::Array(items) => {
            // What is no table is told by the key of the array.
            let tables = items.iter().enumerate().filter(|(_, item)| item.get_ref().is_table());
            let tables = tables.filter_map(|(place, item)| named(&place.to_string(), item, span));
            tables.min_by_key(|(width, _)| *width)
        }
        _ => None,
    };
    let inner = inner.map(|(width, key)| (width, format!("{name}.{key}")));
    let own = holds(&value.span(), span).then(|| (value.span().len(), name.to_owned()));
    inner.into_iter().chain(own).min_by_key(|(width, _)| *width)
}

fn holds(outer: &Range<usize>, inner: &Range<usize>) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

fn moved<T>(spanned: Spanned<T>, by: usize) -> Spanned<T> {
    let span = shifted(&spanned.span(), by);
    Spanned::new(span, spanned.into_inner())
}

fn shift_value(value: Spanned<DeValue<'_>>, by: usize) -> Spanned<DeValue<'_>> {
    let span = shifted(&value.span(), by);
    let value = match value.into_inner() {
        DeValue::Table(table) => DeValue::Table(shift(table, by)),
        DeValue::Array(mut array) => {
            for item in array.iter_mut() {
                let taken = std::mem::replace(item, Spanned::new(0..0, DeValue::Boolean(false)));
                *item = shift_value(taken, by);
            }
            DeValue::Array(array)
        }
        plain => plain,
    };
    Spanned::new(span, value)
}
