//! How one layer lies over another.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A table over a value, which leaves open where the value should go.
pub struct Clash {
    /// The last part of their key.
    pub key: String,
    /// Where the table stands.
    pub over: Range<usize>,
    /// Where the value stands.
    pub under: Range<usize>,
}

/// Merges `over` into `under`. The tables at the dotted keys `choices` are merged only if both
/// choose the same, and else replaced.
pub fn merge<'a>(
    under: &mut DeTable<'a>,
    over: DeTable<'a>,
    choices: &[&str],
) -> Result<(), Clash> {
    for (key, upper) in over {
        let name = key.get_ref().as_ref();
        match under.get_mut(name) {
            Some(lower) if !replaces(lower.get_ref(), upper.get_ref(), choices.contains(&name)) => {
                descend(name, lower, upper, &below(name, choices))?;
            }
            _ => {
                // Removed first, since `insert` would keep the place of the key below.
                under.remove(name);
                under.insert(key, upper);
            }
        }
    }
    Ok(())
}

/// Whether `over` takes the place of `under` as a whole.
fn replaces(under: &DeValue, over: &DeValue, choice: bool) -> bool {
    match (under, over) {
        (DeValue::Table(under), DeValue::Table(over)) => choice && !same_choice(under, over),
        (_, DeValue::Table(_)) => choice,
        _ => true,
    }
}

fn same_choice(under: &DeTable, over: &DeTable) -> bool {
    under.len() == 1 && under.keys().eq(over.keys())
}

fn descend<'a>(
    name: &str,
    lower: &mut Spanned<DeValue<'a>>,
    upper: Spanned<DeValue<'a>>,
    choices: &[&str],
) -> Result<(), Clash> {
    let (over, under) = (upper.span(), lower.span());
    match (lower.get_mut(), upper.into_inner()) {
        (DeValue::Table(under), DeValue::Table(over)) => merge(under, over, choices),
        _ => Err(Clash { key: name.to_owned(), over, under }),
    }
}

/// The choices within the table `name`.
fn below<'a>(name: &str, choices: &[&'a str]) -> Vec<&'a str> {
    choices.iter().filter_map(|key| key.strip_prefix(name)?.strip_prefix('.')).collect()
}
