//! The layers of a document: overrides of the form `key=value`, and files that extend a base file.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use toml::de::DeValue;

use super::syntax::repair;
use crate::diagnostics::Diagnostic;
use crate::error::ConfigError;
use crate::layer::{self, Layer, Origin};

/// Key that names the base of a file.
pub const EXTENDS: &str = "extends";

/// Largest length of a chain of bases.
const MAX_BASES: usize = 8;

/// Largest size in bytes of a config with its bases and overrides. Far larger than any config;
/// parsing 1 MiB of small values takes 0.5 s and 80 MiB of memory.
const MAX_BYTES: usize = 64 << 10;

/// Pushes the file `first` with its `text`, then its base, the base of that, and so on. Returns the
/// syntax errors of all.
pub fn push_files(
    layers: &mut Vec<Layer>,
    first: &Path,
    text: &str,
) -> Result<Vec<Diagnostic>, ConfigError> {
    let mut errors = Vec::new();
    let mut next = Some((first.to_owned(), text.to_owned()));
    while let Some((path, text)) = next {
        // TOML allows a byte order mark at the start of a document only.
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let mut file = Layer::after(layers, Origin::File(path), text);
        errors.extend(repair(&mut file));
        let chain: Vec<_> = layers.iter().chain([&file]).filter_map(Layer::path).collect();
        next = base(&chain, &file)?;
        layers.push(file);
        if layer::end(layers) > MAX_BYTES {
            return Err(too_large(first));
        }
    }
    Ok(errors)
}

/// Reads the text of the file at `path`, which may also be a pipe.
pub fn read(path: &Path) -> Result<String, ConfigError> {
    let unreadable = |source| ConfigError::Unreadable { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() > MAX_BYTES {
        return Err(too_large(path));
    }
    String::from_utf8(bytes)
        .map_err(|_| unreadable(io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8")))
}

fn too_large(path: &Path) -> ConfigError {
    ConfigError::TooLarge { path: path.to_owned(), limit_kib: MAX_BYTES >> 10 }
}

/// Returns path and text of the base of `file`, if it has one. `chain` ends with its own path.
fn base(chain: &[&Path], file: &Layer) -> Result<Option<(PathBuf, String)>, ConfigError> {
    let table = file.parse()?;
    let Some(value) = table.get(EXTENDS) else { return Ok(None) };
    let invalid = |message| file.error(value.span(), Some(EXTENDS.to_owned()), message);
    let path = resolve(chain, value.get_ref()).map_err(invalid)?;
    match read_base(&path) {
        Ok(text) => Ok(Some((path, text))),
        Err(reason) => Err(invalid(format!(
            "cannot read the base {}: {reason}: write its path relative to this file",
            path.display(),
        ))),
    }
}

fn read_base(path: &Path) -> Result<String, String> {
    // Opening a pipe without a writer would block.
    if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return Err("it is not a file".to_owned());
    }
    read(path).map_err(|error| match error {
        ConfigError::Unreadable { source, .. } => source.to_string(),
        ConfigError::TooLarge { limit_kib, .. } => format!("it is larger than {limit_kib} KiB"),
        other => other.to_string(),
    })
}

/// Returns the path of the base that the last file of `chain` calls `name`.
fn resolve(chain: &[&Path], name: &DeValue) -> Result<PathBuf, String> {
    let DeValue::String(name) = name else {
        let found = name.type_str();
        return Err(format!("expected a path in quotes such as \"base.toml\", found {found}"));
    };
    let folder = chain.last().and_then(|path| path.parent()).unwrap_or(Path::new(""));
    let base = folder.join(name.as_ref());
    check_chain(chain, &base)?;
    Ok(base)
}

/// Fails if `base` is already in `chain`, or makes it too long.
fn check_chain(chain: &[&Path], base: &Path) -> Result<(), String> {
    let names = chain.iter().copied().chain([base]).map(|path| path.display().to_string());
    let names = names.collect::<Vec<_>>().join(" -> ");
    if chain.iter().any(|path| same_file(path, base)) {
        return Err(format!("these files extend each other, {names}: remove one `{EXTENDS}`"));
    }
    if chain.len() > MAX_BASES {
        return Err(format!("more than {MAX_BASES} bases, {names}: merge some of these files"));
    }
    Ok(())
}

/// Whether both paths lead to the same file.
fn same_file(a: &Path, b: &Path) -> bool {
    a == b || fs::canonicalize(a).is_ok_and(|a| fs::canonicalize(b).is_ok_and(|b| a == b))
}

/// Returns a layer for each `key=value` override, the last one first.
pub fn of_overrides(overrides: &[String]) -> Result<Vec<Layer>, ConfigError> {
    let texts = overrides.iter().map(|argument| as_toml(argument));
    let texts = texts.collect::<Result<Vec<_>, _>>()?;
    let mut layers = Vec::new();
    for (index, (argument, text)) in overrides.iter().zip(texts).enumerate().rev() {
        layers.push(Layer::after(&layers, Origin::Override(index + 1), &text));
        if layer::end(&layers) > MAX_BYTES {
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
    if key.split('.').next() == Some(EXTENDS) {
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
