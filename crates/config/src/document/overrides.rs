//! Overrides of the form `key=value`.

use toml::de::DeValue;

use super::extends;
use crate::error::ConfigError;
use crate::layer::{self, Layer, Origin};

/// Returns a layer for each `key=value` override, the last one first.
pub fn layers(overrides: &[String]) -> Result<Vec<Layer>, ConfigError> {
    let texts = overrides.iter().map(|argument| as_toml(argument));
    let texts = texts.collect::<Result<Vec<_>, _>>()?;
    let mut layers = Vec::new();
    for (index, (argument, text)) in overrides.iter().zip(texts).enumerate().rev() {
        layers.push(Layer::after(&layers, Origin::Override(index + 1), &text));
        if layer::end(&layers) > extends::MAX_BYTES {
            return Err(invalid(argument, "the overrides are longer than 64 KiB in total"));
        }
    }
    Ok(layers)
}

/// Converts the override `key=value` to TOML. A value that is not valid TOML is a string.
fn as_toml(argument: &str) -> Result<String, ConfigError> {
    let Some((key, value)) = argument.split_once('=') else {
        return Err(invalid(argument, "there is no `=`"));
    };
    let (key, value) = (key.trim(), value.trim());
    if key.is_empty() || !key.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)) {
        return Err(invalid(argument, "a key consists of letters, digits, `-`, `_` and dots"));
    }
    if key.split('.').next() == Some(extends::KEY) {
        return Err(invalid(argument, "only a file can extend another: give its path instead"));
    }
    match DeValue::parse(value) {
        Ok(_) => Ok(format!("{key} = {value}")),
        Err(_) => Ok(format!("{key} = {}", toml::Value::from(value))),
    }
}

fn invalid(argument: &str, reason: &str) -> ConfigError {
    ConfigError::Override { argument: argument.to_owned(), reason: reason.to_owned() }
}
