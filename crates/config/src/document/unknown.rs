//! Keys that the schema of a config does not have.

use toml::de::{DeTable, DeValue};

use super::Document;
use crate::diagnostics::Diagnostic;
use crate::error::ConfigError;
use crate::hint;
use crate::manual::{Entry, Manual};

/// Largest number of unknown keys that are reported.
const MAX_UNKNOWN: usize = 20;

impl Document {
    /// Adds to the deserialisation error `error` all other keys that are not in `manual`: serde
    /// stops at the first.
    pub(super) fn with_unknown(&self, error: ConfigError, manual: &Manual) -> ConfigError {
        let ConfigError::Invalid(mut diagnostics) = error else { return error };
        let mut unknown = Vec::new();
        self.collect_unknown(&self.table().unwrap_or_default(), "", manual, &mut unknown);
        unknown.retain(|other| !diagnostics.iter().any(|one| self.are_same(one, other)));
        diagnostics.extend(unknown);
        diagnostics.into()
    }

    fn collect_unknown(
        &self,
        table: &DeTable<'_>,
        prefix: &str,
        manual: &Manual,
        unknown: &mut Vec<Diagnostic>,
    ) {
        let known: Vec<_> = manual.below(prefix).map(Entry::name).collect();
        for (name, value) in table {
            let (span, name) = (name.span(), name.get_ref().as_ref());
            let is_known = known.contains(&name);
            match value.get_ref() {
                DeValue::Table(inner) if is_known => {
                    let key = if prefix.is_empty() { name } else { &format!("{prefix}.{name}") };
                    self.collect_unknown(inner, key, manual, unknown);
                }
                _ if is_known || known.is_empty() || unknown.len() == MAX_UNKNOWN => {}
                _ => {
                    let message = hint::unknown("key", name, &known);
                    unknown.push(self.diagnostic(Some(span), None, message));
                }
            }
        }
    }

    /// Whether both are about the same key. Serde reports some unknown tables at the start of their
    /// header.
    fn are_same(&self, one: &Diagnostic, other: &Diagnostic) -> bool {
        let line = |position| Some(self.layer(position)?.file_and_line(position));
        let name = unknown_name(&one.message);
        one.span.start == other.span.start
            || name.is_some()
                && name == unknown_name(&other.message)
                && line(one.span.start) == line(other.span.start)
    }
}

/// Returns the name in the message of [`hint::unknown`].
fn unknown_name(message: &str) -> Option<&str> {
    message.strip_prefix("unknown ")?.split('`').nth(1)
}
