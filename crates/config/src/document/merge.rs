//! Merging of layers.

use std::ops::Range;

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
        let is_choice = choices.contains(&name);
        let (upper, under) = (over.span(), lower.get_mut(name));
        match (under.map(|under| (under.span(), under.get_mut())), over.get_ref()) {
            (Some((_, DeValue::Table(under))), DeValue::Table(table))
                if !is_choice || same_choice(under, table) =>
            {
                let DeValue::Table(table) = over.into_inner() else { continue };
                merge(under, table, &below(name, choices))?;
            }
            (Some((lower, under)), DeValue::Table(_)) if !is_choice && !under.is_table() => {
                return Err(Conflict { name: name.to_owned(), upper, lower });
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

fn same_choice(lower: &DeTable, upper: &DeTable) -> bool {
    lower.len() == 1 && lower.keys().eq(upper.keys())
}

/// Returns the choices within the table `name`.
fn below<'a>(name: &str, choices: &[&'a str]) -> Vec<&'a str> {
    choices.iter().filter_map(|key| key.strip_prefix(name)?.strip_prefix('.')).collect()
}
