mod extends;
mod layer;
mod merge;
mod origins;
mod overrides;
mod spans;
#[cfg(test)]
mod tests;
mod unknown;

use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer};

use crate::check::{Check, Problem};
use crate::error::{ConfigError, Finding};
use crate::hint;
use crate::manual::Manual;
use layer::Layer;

/// The TOML text of one config file between its bases and its overrides, ready to be
/// deserialised.
///
/// A file may begin with `extends = "base.toml"`, a path relative to that file. Its tables are
/// then merged into those of the base: tables key by key, and of everything else the file's value
/// wins. A base may extend another in turn. Overrides are merged into the file in the same way.
/// `extends` is not part of what is deserialised, and only files may say it. Every file is read
/// once and not looked at again.
///
/// # Choices
///
/// Some tables stand for one choice out of several, their one key being its name:
/// `[optimizer.adam]`. If both the upper and the lower layer choose `adam`, their settings are
/// merged. In every other case the upper layer replaces the choice as a whole, be it a table or a
/// plain string such as `schedule = "constant"`: two choices at once cannot be meant, and the
/// settings of one mean nothing to the other. Hence `--set optimizer.sgd.momentum=0.9` also
/// changes a file's `[optimizer.adam]` for SGD.
///
/// Nothing in TOML tells a choice from any other table, so [`Rules`] list their dotted keys. To
/// guess them, from tables with a single key, would drop settings: a base that says no more than
/// `[training.checkpoint]` under a file with no more than `[training.early_stopping]` looks the
/// same. A choice that is missing in the list is merged, and two of them are refused by serde.
#[derive(Debug)]
pub struct Document {
    path: PathBuf,
    /// The uppermost first: the overrides, the last one first, the file, its base, and so on.
    layers: Vec<Layer>,
    rules: Rules,
}

/// What the tables of a config mean where one file lies over another.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rules {
    /// The dotted keys of the tables that stand for a choice, for example `optimizer`.
    pub choices: &'static [&'static str],
    /// The top-level keys that speak of their own file alone, and mean nothing to one that
    /// extends it.
    pub own: &'static [&'static str],
}

impl Document {
    /// Reads the file at `path`, with its bases under it and the `key=value` overrides over it,
    /// the last one on top.
    ///
    /// # Errors
    ///
    /// If the file or one of its bases cannot be read or is no TOML, if the chain of bases closes
    /// or is longer than 8, if all of it is larger than 64 KiB, or if an override cannot be placed.
    pub fn read(path: &Path, overrides: &[String], rules: Rules) -> Result<Self, ConfigError> {
        Self::parse(path, &extends::read(path)?, overrides, rules)
    }

    /// As [`Document::read`], with the `text` of the file given; its bases are read.
    pub fn parse(
        path: &Path,
        text: &str,
        overrides: &[String],
        rules: Rules,
    ) -> Result<Self, ConfigError> {
        let mut layers = overrides::layers(overrides)?;
        extends::push_files(&mut layers, path, text)?;
        let document = Self { path: path.to_owned(), layers, rules };
        document.table()?;
        Ok(document)
    }

    /// Deserialises into `T`.
    ///
    /// # Errors
    ///
    /// An unknown key, a wrong type or a missing key, shown at its place.
    pub fn deserialize<T: DeserializeOwned>(&self) -> Result<T, ConfigError> {
        // A place after all layers, for what is missing at the top.
        let end = layer::end(&self.layers);
        let table = Spanned::new(end..end, self.table()?);
        T::deserialize(Deserializer::from(table)).map_err(|error| self.refused(&error))
    }

    /// As [`Document::deserialize`], and every number is in the range that `schema`, the JSON Schema of
    /// `T` without references, gives its key; `check` notes what else cannot be meant.
    ///
    /// # Errors
    ///
    /// All unknown keys, another error of deserialising, or all that was noted, each at its place.
    pub fn checked<T: DeserializeOwned + Serialize>(
        &self,
        schema: &Value,
        check: impl FnOnce(&T, &mut Check),
    ) -> Result<T, ConfigError> {
        let refused = |error| self.with_unknown(error, &Manual::of(schema));
        let value: T = self.deserialize().map_err(refused)?;
        let mut checked = Check::default();
        checked.ranges(schema, &value);
        check(&value, &mut checked);
        match checked.into_problems() {
            problems if problems.is_empty() => Ok(value),
            problems => Err(self.error(problems)),
        }
    }

    /// An error that shows each problem at the place of its key, in the file or override that
    /// gave the value, in the order of their places. `problems` must not be empty.
    fn error(&self, problems: Vec<Problem>) -> ConfigError {
        let table = self.table().unwrap_or_default();
        let placed = problems.into_iter().map(|problem| (span_of(&table, &problem.key), problem));
        let mut placed: Vec<_> = placed.collect();
        placed.sort_by_key(|(span, _)| span.as_ref().map(|span| span.start));
        let finding =
            |(span, problem): (_, Problem)| self.finding(span, Some(problem.key), problem.message);
        ConfigError::Invalid(placed.into_iter().map(finding).collect())
    }

    fn refused(&self, error: &toml::de::Error) -> ConfigError {
        let table = self.table().unwrap_or_default();
        let key = error.span().and_then(|span| spans::key_at(&table, &span));
        let message = hint::explain(error.message());
        ConfigError::Invalid(vec![self.finding(error.span(), key, message)])
    }

    /// All layers, merged.
    fn table(&self) -> Result<DeTable<'_>, ConfigError> {
        let file = self.layers.iter().position(|layer| layer.path().is_some()).unwrap_or(0);
        let mut table = DeTable::new();
        for (index, layer) in self.layers.iter().enumerate().rev() {
            let mut over = layer.parse()?;
            over.remove(extends::KEY);
            if index > file {
                self.rules.own.iter().for_each(|key| drop(over.remove(*key)));
            }
            merge::merge(&mut table, over, self.rules.choices).map_err(|clash| {
                let place = self.finding(Some(clash.under), None, String::new()).place;
                let message = format!("`{}` holds a value ({place}), not a table", clash.key);
                layer.error(clash.over, None, message)
            })?;
        }
        Ok(table)
    }

    fn finding(&self, span: Option<Range<usize>>, key: Option<String>, message: String) -> Finding {
        let holds = |span: &Range<usize>| self.layers.iter().find(|layer| layer.holds(span.start));
        match span.and_then(|span| Some((holds(&span)?, span))) {
            Some((layer, span)) => layer.finding(span, key, message),
            None => Finding::of_file(&self.path, key, message),
        }
    }
}

/// Where the value of `key` stands, or else the nearest table above it. `None` if the document
/// says nothing of it, so that its default is meant.
fn span_of(table: &DeTable<'_>, key: &str) -> Option<Range<usize>> {
    let mut names = key.split('.');
    let mut value = table.get(names.next()?)?;
    while let Some(inner) = names.next().and_then(|name| within(value.get_ref(), name)) {
        value = inner;
    }
    Some(value.span())
}

/// What is called `name` in a table, or has this place in an array.
fn within<'a, 'b>(value: &'a DeValue<'b>, name: &str) -> Option<&'a Spanned<DeValue<'b>>> {
    match value {
        DeValue::Table(table) => table.get(name),
        DeValue::Array(array) => array.get(name.parse::<usize>().ok()?),
        _ => None,
    }
}
