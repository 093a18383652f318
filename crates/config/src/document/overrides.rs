//! The arguments of `--set`.

use toml::de::DeValue;

use super::extends;
use super::layer::{self, Layer, Origin};
use crate::error::ConfigError;

/// A layer for each of the `key=value` overrides, the last one first.
pub fn layers(overrides: &[String]) -> Result<Vec<Layer>, ConfigError> {
    let mut layers = Vec::new();
    let texts = overrides.iter().map(|argument| snippet(argument));
    let texts = texts.collect::<Result<Vec<_>, _>>()?;
    for (argument, text) in overrides.iter().zip(texts).rev() {
        layers.push(Layer::after(&layers, Origin::Override(argument.clone()), &text));
        if layer::end(&layers) > extends::LARGEST {
            return Err(refused(argument, "all overrides together are too long"));
        }
    }
    Ok(layers)
}

/// The override `key=value` as TOML. What does not parse as a value is meant as a string.
fn snippet(argument: &str) -> Result<String, ConfigError> {
    let Some((key, value)) = argument.split_once('=') else {
        return Err(refused(argument, "there is no `=`"));
    };
    let (key, value) = (key.trim(), value.trim());
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if key.is_empty() || !key.chars().all(plain) {
        return Err(refused(argument, "a key is letters, digits, `-` and `_`, with dots"));
    }
    if key.split('.').next() == Some(extends::KEY) {
        return Err(refused(argument, "only a file can extend another: give its path instead"));
    }
    match DeValue::parse(value) {
        Ok(_) => Ok(format!("{key} = {value}")),
        Err(_) => Ok(format!("{key} = {}", toml::Value::from(value))),
    }
}

fn refused(argument: &str, reason: &str) -> ConfigError {
    ConfigError::Override { argument: argument.to_owned(), reason: reason.to_owned() }
}
