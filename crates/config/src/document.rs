use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::check::Problem;
use crate::error::{ConfigError, Excerpt, Finding};
use crate::hint;

/// The TOML text of one config file with its overrides, ready to be deserialised.
///
/// Overrides are appended to the text, so that every value, wherever it came from, has one span
/// in one text.
#[derive(Debug)]
pub struct Document {
    path: PathBuf,
    text: String,
    layers: Vec<Layer>,
}

/// The file or one override.
#[derive(Debug)]
struct Layer {
    /// Where it starts in the text of the document.
    start: usize,
    /// Its own text behind `start` spaces, so that its spans hold for the whole text.
    padded: String,
}

impl Document {
    /// Reads the file at `path` and lays the `key=value` overrides over it, the last one on top.
    pub fn read(path: &Path, overrides: &[String]) -> Result<Self, ConfigError> {
        let text = fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
        Self::parse(path, &text, overrides)
    }

    /// As [`Document::read`], with the `text` of the file given.
    pub fn parse(path: &Path, text: &str, overrides: &[String]) -> Result<Self, ConfigError> {
        let mut document = Self { path: path.to_owned(), text: String::new(), layers: Vec::new() };
        document.push(text);
        document.table()?;
        for argument in overrides {
            document.push(&snippet(argument)?);
            document.table().map_err(|error| refused(argument, &error))?;
        }
        Ok(document)
    }

    /// Deserialises into `T`. An unknown key, a wrong type or a missing key is an error that
    /// shows its place.
    pub fn deserialize<T: DeserializeOwned>(&self) -> Result<T, ConfigError> {
        let deserializer = toml::Deserializer::from(self.table()?);
        T::deserialize(deserializer).map_err(|error| self.syntax_error(&error))
    }

    /// An error that shows each problem at the place of its key. `problems` must not be empty.
    pub fn error(&self, problems: Vec<Problem>) -> ConfigError {
        let findings = problems.into_iter().map(|problem| {
            let span = self.span_of(&problem.key);
            self.finding(span, Some(problem.key), problem.message)
        });
        ConfigError::Invalid(findings.collect())
    }

    fn push(&mut self, text: &str) {
        let start = self.text.len();
        self.text.push_str(text);
        self.text.push('\n');
        self.layers.push(Layer { start, padded: " ".repeat(start) + text });
    }

    /// The file's table under those of the overrides.
    fn table(&self) -> Result<Spanned<DeTable<'_>>, ConfigError> {
        let mut table = Spanned::new(0..self.text.len(), DeTable::new());
        for layer in &self.layers {
            let over = DeTable::parse(&layer.padded).map_err(|error| self.syntax_error(&error))?;
            merge(table.get_mut(), over.into_inner()).map_err(|(span, message)| {
                ConfigError::Invalid(vec![self.finding(Some(span), None, message)])
            })?;
        }
        Ok(table)
    }

    fn syntax_error(&self, error: &toml::de::Error) -> ConfigError {
        let message = hint::explain(error.message());
        ConfigError::Invalid(vec![self.finding(error.span(), None, message)])
    }

    fn finding(&self, span: Option<Range<usize>>, key: Option<String>, message: String) -> Finding {
        let Some(span) = span.filter(|span| *span != (0..self.text.len())) else {
            let place = self.path.display().to_string();
            return Finding { place, key, message, excerpt: None };
        };
        let layer = self.layers.iter().rposition(|layer| layer.start <= span.start).unwrap_or(0);
        let excerpt = self.excerpt(self.layers.get(layer).map_or(0, |layer| layer.start), &span);
        let place = match layer {
            0 => format!("{}:{}:{}", self.path.display(), excerpt.number, excerpt.column),
            _ => format!("--set {}", excerpt.line),
        };
        Finding { place, key, message, excerpt: Some(excerpt) }
    }

    fn excerpt(&self, origin: usize, span: &Range<usize>) -> Excerpt {
        let before = self.text.get(origin..span.start).unwrap_or_default();
        let (lines, start) = before
            .rsplit_once('\n')
            .map_or((0, before), |(above, start)| (above.matches('\n').count() + 1, start));
        let rest = self.text.get(span.start..).unwrap_or_default().lines().next();
        let rest = rest.unwrap_or_default();
        let underlined = rest.get(..span.len()).unwrap_or(rest);
        Excerpt::new(lines + 1, start, rest, underlined.chars().count())
    }

    /// Where the value of `key` stands, or else the nearest table above it. `None` if the
    /// document says nothing of it, so that its default is meant.
    fn span_of(&self, key: &str) -> Option<Range<usize>> {
        let table = self.table().ok()?;
        let mut table = table.get_ref();
        let mut found = None;
        for name in key.split('.') {
            let Some(value) = table.get(name) else { break };
            found = Some(value.span());
            let Some(inner) = value.get_ref().as_table() else { break };
            table = inner;
        }
        found
    }
}

/// The override `key=value` as TOML. What does not parse as a value is meant as a string.
fn snippet(argument: &str) -> Result<String, ConfigError> {
    let Some((key, value)) = argument.split_once('=') else {
        return Err(override_error(argument, "there is no `=`"));
    };
    let (key, value) = (key.trim(), value.trim());
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if key.is_empty() || !key.chars().all(plain) {
        return Err(override_error(argument, "a key is letters, digits, `-` and `_`, with dots"));
    }
    match DeValue::parse(value) {
        Ok(_) => Ok(format!("{key} = {value}")),
        Err(_) => Ok(format!("{key} = {}", toml::Value::from(value))),
    }
}

fn refused(argument: &str, error: &ConfigError) -> ConfigError {
    match error {
        ConfigError::Invalid(findings) => {
            override_error(argument, findings.first().map_or("", |finding| &finding.message))
        }
        other => override_error(argument, &other.to_string()),
    }
}

fn override_error(argument: &str, reason: &str) -> ConfigError {
    ConfigError::Override { argument: argument.to_owned(), reason: reason.to_owned() }
}

fn merge<'a>(under: &mut DeTable<'a>, over: DeTable<'a>) -> Result<(), (Range<usize>, String)> {
    for (key, value) in over {
        let span = value.span();
        match (under.get_mut(key.get_ref().as_ref()).map(Spanned::get_mut), value.into_inner()) {
            (Some(DeValue::Table(under)), DeValue::Table(over)) => merge(under, over)?,
            (Some(_), DeValue::Table(_)) => {
                return Err((span, format!("`{}` holds a value, not a table", key.get_ref())));
            }
            (_, value) => drop(under.insert(key, Spanned::new(span, value))),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Config {
        epochs: usize,
        adam: Adam,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Adam {
        learning_rate: f64,
    }

    const TEXT: &str = "epochs = 3\n\n[adam]\nlearning_rate = 1e-3\n";

    fn document(text: &str, overrides: &[&str]) -> Result<Document, ConfigError> {
        let overrides: Vec<_> = overrides.iter().map(|text| (*text).to_owned()).collect();
        Document::parse(Path::new("a.toml"), text, &overrides)
    }

    fn message(text: &str, overrides: &[&str]) -> String {
        let document = document(text, overrides);
        document.and_then(|document| document.deserialize::<Config>()).unwrap_err().to_string()
    }

    #[test]
    fn the_last_override_of_a_key_wins() {
        let overrides = ["adam.learning_rate=0.5", "epochs=7", "epochs=9"];
        let config: Config = document(TEXT, &overrides).unwrap().deserialize().unwrap();
        assert_eq!(config, Config { epochs: 9, adam: Adam { learning_rate: 0.5 } });
    }

    #[test]
    fn an_unknown_key_is_shown_at_its_place() {
        let text = TEXT.replace("learning_rate", "learnin_rate");
        assert_eq!(
            message(&text, &[]),
            "the config has a problem\n\
             a.toml:4:1: unknown key `learnin_rate`: did you mean `learning_rate`?\n  \
             4 | learnin_rate = 1e-3\n    \
             | ^^^^^^^^^^^^"
        );
    }

    #[test]
    fn a_wrong_type_in_an_override_is_shown_as_the_override() {
        let text = message(TEXT, &["epochs=many"]);
        assert!(text.contains("--set epochs = \"many\": expected a whole number"), "{text}");
    }

    #[test]
    fn an_override_into_a_value_or_without_a_value_is_refused() {
        assert!(message(TEXT, &["epochs.first=1"]).contains("`epochs` holds a value"));
        assert!(message(TEXT, &["epochs"]).contains("there is no `=`"));
        assert!(message(TEXT, &["ep och=1"]).contains("--set ep och=1"));
    }

    #[test]
    fn problems_are_shown_together_each_at_its_value() {
        let problem = |key: &str| Problem { key: key.into(), message: "is wrong".into() };
        let document = document(TEXT, &["epochs=0"]).unwrap();
        let text = document
            .error(vec![problem("adam.learning_rate"), problem("epochs"), problem("absent")])
            .to_string();
        assert!(text.starts_with("the config has 3 problems"), "{text}");
        assert!(text.contains("a.toml:4:17: adam.learning_rate: is wrong"), "{text}");
        assert!(text.contains("--set epochs = 0: epochs: is wrong"), "{text}");
        assert!(text.contains("a.toml: absent: is wrong"), "{text}");
    }
}
