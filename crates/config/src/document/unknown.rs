//! Keys that no config has.

use toml::de::{DeTable, DeValue};

use super::Document;
use crate::error::{ConfigError, Finding};
use crate::hint;
use crate::manual::{Entry, Manual};

/// The most that are shown.
const MOST: usize = 20;

impl Document {
    /// What `error` says of a value that could not be deserialised, with every other key that the
    /// `manual` does not know: serde stops at the first.
    pub(super) fn with_unknown(&self, error: ConfigError, manual: &Manual) -> ConfigError {
        let ConfigError::Invalid(mut findings) = error else { return error };
        let mut unknown = Vec::new();
        self.collect_unknown(&self.table().unwrap_or_default(), "", manual, &mut unknown);
        unknown.retain(|other| !findings.iter().any(|finding| are_same(finding, other)));
        findings.extend(unknown);
        ConfigError::Invalid(findings)
    }

    fn collect_unknown(
        &self,
        table: &DeTable<'_>,
        prefix: &str,
        manual: &Manual,
        unknown: &mut Vec<Finding>,
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
                _ if is_known || known.is_empty() || unknown.len() == MOST => {}
                _ => {
                    let message = hint::unknown("key", name, &known);
                    unknown.push(self.finding(Some(span), None, message));
                }
            }
        }
    }
}

/// Whether both are of one key. Serde calls some tables unknown at the start of their header.
fn are_same(one: &Finding, other: &Finding) -> bool {
    let line = |finding: &Finding| finding.excerpt.as_ref().map(|excerpt| excerpt.number);
    let name = |finding: &Finding| {
        Some(finding.message.strip_prefix("unknown ")?.split('`').nth(1)?.to_owned())
    };
    let is_named = line(one) == line(other) && name(one).is_some() && name(one) == name(other);
    one.place == other.place || is_named
}
