mod layers;
mod merge;
mod origins;
mod problems;
mod shorthand;
mod spans;
mod syntax;
#[cfg(test)]
mod tests;

use std::ops::Range;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, Deserializer};

use crate::check::{Check, Problem};
use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::error::ConfigError;
use crate::hint;
use crate::layer::{self, Layer};

/// A config file with its bases and overrides, ready to be deserialised.
///
/// A file may begin with `extends = "base.toml"`, a path relative to that file. Its tables are
/// merged into those of the base key by key; all other values replace those of the base. A base may
/// extend another in turn. Overrides are merged into the file in the same way. `extends` is not
/// deserialised, and only files may contain it. Every file is read once.
///
/// # Choices
///
/// Some tables are a choice between several variants, whose one key is the variant:
/// `[optimizer.adam]`. If the upper and the lower layer choose the same variant, their settings are
/// merged. Otherwise the upper layer replaces the whole choice, which may be a table or a plain
/// string such as `schedule = "constant"`. Hence the override `optimizer.sgd.momentum=0.9` also replaces
/// the `[optimizer.adam]` of a file.
///
/// TOML does not distinguish choices from other tables, so [`Rules`] list their dotted keys. To
/// infer them from tables with a single key would lose settings: a base with only
/// `[training.checkpoint]` below a file with only `[training.early_stopping]` looks the same.
/// A choice that is missing from the list is merged, and serde then rejects it.
///
/// A variant with keys may be chosen by its name alone, `optimizer = "sgd"`, which means its
/// defaults.
#[derive(Debug, Clone)]
pub struct Document {
    /// The uppermost first: the overrides, the last one first, the file, its base, and so on.
    layers: Vec<Layer>,
    rules: Rules,
    syntax_errors: Vec<Diagnostic>,
}

/// Rules for merging the tables of a config.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rules {
    /// Dotted keys of the tables that are a choice, for example `optimizer`.
    pub choices: &'static [&'static str],
    /// Top-level keys that a file does not inherit from its base.
    pub not_inherited: &'static [&'static str],
}

impl Document {
    /// Reads the file at `path` with its bases and the `key=value` overrides, of which the last one
    /// has precedence.
    ///
    /// # Errors
    ///
    /// Fails if the file or one of its bases cannot be read, if the chain of bases
    /// is circular or longer than 8, if everything is larger than 64 KiB, or if an override is
    /// invalid.
    pub fn read(path: &Path, overrides: &[String], rules: Rules) -> Result<Self, ConfigError> {
        Self::parse(path, &layers::read(path)?, overrides, rules)
    }

    /// As [`Document::read`], with the `text` of the file given; its bases are read.
    pub fn parse(
        path: &Path,
        text: &str,
        overrides: &[String],
        rules: Rules,
    ) -> Result<Self, ConfigError> {
        let mut layers = layers::of_overrides(overrides)?;
        let syntax_errors = layers::push_files(&mut layers, path, text)?;
        let document = Self { layers, rules, syntax_errors };
        document.table()?;
        Ok(document)
    }

    /// Deserialises into `T`.
    ///
    /// # Errors
    ///
    /// Fails if the text is not TOML, or at the first unknown key, wrong type or missing key.
    pub fn deserialize<T: DeserializeOwned>(&self) -> Result<T, ConfigError> {
        if !self.syntax_errors.is_empty() {
            return Err(Diagnostics::new(&self.layers, self.syntax_errors.clone()).into());
        }
        self.deserialize_table(self.table()?)
    }

    fn deserialize_table<T: DeserializeOwned>(&self, table: DeTable<'_>) -> Result<T, ConfigError> {
        // A position behind all layers, for keys that are missing at the top level.
        let end = layer::end(&self.layers);
        let table = Spanned::new(end..end, table);
        T::deserialize(Deserializer::from(table)).map_err(|error| self.type_error(&error))
    }

    /// Deserialises into `T`, requires every number to be in the range of `schema`, the JSON Schema
    /// of `T` without references, and runs `check`.
    ///
    /// # Errors
    ///
    /// Fails with all syntax errors, unknown keys, values of a wrong type and numbers out of range,
    /// and with the first missing key, or with all invalid values.
    pub fn checked<T: DeserializeOwned + Serialize>(
        &self,
        schema: &Value,
        check: impl FnOnce(&T, &mut Check),
    ) -> Result<T, ConfigError> {
        let table = self.expanded(schema)?;
        let value = match &self.syntax_errors[..] {
            [] => self.deserialize_table(table),
            errors => Err(Diagnostics::new(&self.layers, errors.to_vec()).into()),
        };
        let value: T = value.map_err(|error| self.with_problems(error, schema))?;
        let mut checked = Check::default();
        checked.ranges(schema, &value);
        check(&value, &mut checked);
        let problems = checked.into_problems();
        if problems.is_empty() { Ok(value) } else { Err(self.invalid(problems)) }
    }

    /// Returns the error of at least one invalid value, sorted by location.
    pub fn invalid(&self, problems: Vec<Problem>) -> ConfigError {
        let mut items = self.items(problems);
        items.sort_by_key(|item| item.span.start);
        self.with_overridden(items)
    }

    /// Returns invalid values at their source.
    fn items(&self, problems: Vec<Problem>) -> Vec<Diagnostic> {
        let table = self.table().unwrap_or_default();
        let item = |problem: Problem| {
            let span = spans::nearest(&table, &problem.key).map(Spanned::span);
            self.diagnostic(span, Some(problem.key), problem.message)
        };
        problems.into_iter().map(item).collect()
    }

    fn type_error(&self, error: &toml::de::Error) -> ConfigError {
        let table = self.table().unwrap_or_default();
        let key = error.span().and_then(|span| spans::key_at(&table, &span));
        let message = hint::explain(error.message());
        self.with_overridden(vec![self.diagnostic(error.span(), key, message)])
    }

    /// Adds to each problem the values of its key in the layers below.
    fn with_overridden(&self, mut items: Vec<Diagnostic>) -> ConfigError {
        let tables: Vec<_> = self.layers.iter().filter_map(|layer| layer.parse().ok()).collect();
        for item in &mut items {
            let key = item.key.as_deref().unwrap_or_default();
            let values = tables.iter().filter_map(|table| spans::find(table, key));
            let spans = values.filter(|value| !value.get_ref().is_table()).map(Spanned::span);
            let end = self.layer(item.span.start).map_or(0, Layer::end);
            let below = spans.filter(|span| span.start > end);
            item.related = below.map(|span| (span, "overridden value")).collect();
        }
        Diagnostics::new(&self.layers, items).into()
    }

    /// Merges all layers.
    fn table(&self) -> Result<DeTable<'_>, ConfigError> {
        let file = self.layers.iter().position(|layer| layer.path().is_some()).unwrap_or(0);
        let mut table = DeTable::new();
        for (index, layer) in self.layers.iter().enumerate().rev() {
            let mut upper = layer.parse()?;
            upper.remove(layers::EXTENDS);
            if index > file {
                self.rules.not_inherited.iter().for_each(|key| drop(upper.remove(*key)));
            }
            merge::merge(&mut table, upper, self.rules.choices)
                .map_err(|conflict| self.conflict(conflict))?;
        }
        Ok(table)
    }

    /// Merges all layers, with choices by name as tables.
    fn expanded(&self, schema: &Value) -> Result<DeTable<'_>, ConfigError> {
        let mut table = self.table()?;
        shorthand::expand(schema, &mut table);
        Ok(table)
    }

    fn conflict(&self, conflict: merge::Conflict) -> ConfigError {
        let message =
            format!("`{}` is not a table in the config that this overrides", conflict.name);
        let mut item = self.diagnostic(Some(conflict.upper), None, message);
        item.related.push((conflict.lower, "not a table"));
        Diagnostics::new(&self.layers, vec![item]).into()
    }

    fn layer(&self, position: usize) -> Option<&Layer> {
        self.layers.iter().find(|layer| layer.contains(position))
    }

    /// Returns the problem `message` at `span`, or else at the start of the file.
    fn diagnostic(
        &self,
        span: Option<Range<usize>>,
        key: Option<String>,
        message: String,
    ) -> Diagnostic {
        let file = self.layers.iter().find(|layer| layer.path().is_some());
        let file = file.map(|file| (file, file.start()..file.start()));
        let found = span.and_then(|span| Some((self.layer(span.start)?, span)));
        match found.or(file) {
            Some((layer, span)) => layer.diagnostic(span, key, message),
            None => Diagnostic { key, message, ..Diagnostic::default() },
        }
    }
}
