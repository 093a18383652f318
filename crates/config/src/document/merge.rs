//! Merging of layers.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Conflict of a table that would be merged into a value which is not one.
pub struct Conflict {
    /// Name of the key in its table.
    pub name: String,
    /// Span of the table.
    pub upper: Range<usize>,
    /// Span of the value.
    pub lower: Range<usize>,
}

/// Merges `upper` into `lower`. Tables at the dotted keys `choices` are merged only if both have the
/// same single key, and otherwise replaced.
pub fn merge<'a>(
    lower: &mut DeTable<'a>,
    upper: DeTable<'a>,
    choices: &[&str],
) -> Result<(), Conflict> {
    for (key, over) in upper {
        let name = key.get_ref().as_ref();
        match lower.get_mut(name) {
            Some(under) if !replaces(under.get_ref(), over.get_ref(), choices.contains(&name)) => {
                descend(name, under, over, &below(name, choices))?;
            }
            _ => {
                // Removed first, since `insert` would keep the span of the lower key.
                lower.remove(name);
                lower.insert(key, over);
            }
        }
    }
    Ok(())
}

/// Whether `upper` replaces `lower` as a whole.
fn replaces(lower: &DeValue, upper: &DeValue, is_choice: bool) -> bool {
    match (lower, upper) {
        (DeValue::Table(lower), DeValue::Table(upper)) => is_choice && !same_choice(lower, upper),
        (_, DeValue::Table(_)) => is_choice,
        _ => true,
    }
}

fn same_choice(lower: &DeTable, upper: &DeTable) -> bool {
    lower.len() == 1 && lower.keys().eq(upper.keys())
}

fn descend<'a>(
    name: &str,
    lower: &mut Spanned<DeValue<'a>>,
    upper: Spanned<DeValue<'a>>,
    choices: &[&str],
) -> Result<(), Conflict> {
    let (upper_span, lower_span) = (upper.span(), lower.span());
    match (lower.get_mut(), upper.into_inner()) {
        (DeValue::Table(lower), DeValue::Table(upper)) => merge(lower, upper, choices),
        _ => Err(Conflict { name: name.to_owned(), upper: upper_span, lower: lower_span }),
    }
}

/// Returns the choices within the table `name`.
fn below<'a>(name: &str, choices: &[&'a str]) -> Vec<&'a str> {
    choices.iter().filter_map(|key| key.strip_prefix(name)?.strip_prefix('.')).collect()
}
