//! Files that extend others.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use toml::de::DeValue;

use super::layer::{self, Layer, Origin};
use crate::error::ConfigError;

/// The key of a file that names its base.
pub const KEY: &str = "extends";

/// How many bases a file may have, one under the other.
const DEEPEST: usize = 8;

/// The most text of a config, its bases and overrides together, in bytes. More than any config
/// needs; a mebibyte of small values took half a second and 80 MiB to parse.
pub const LARGEST: usize = 64 << 10;

/// Pushes the file at `path` with its `text`, its base, the base of that, and so on.
pub fn push_files(layers: &mut Vec<Layer>, first: &Path, text: &str) -> Result<(), ConfigError> {
    let mut next = Some((first.to_owned(), text.to_owned()));
    while let Some((path, text)) = next {
        // Only at the very start of a document would TOML allow a byte order mark.
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let file = Layer::after(layers, Origin::File(path), text);
        let chain: Vec<_> = layers.iter().chain([&file]).filter_map(Layer::path).collect();
        next = base(&chain, &file)?;
        layers.push(file);
        if layer::end(layers) > LARGEST {
            return Err(ConfigError::TooLarge { path: first.to_owned(), most: LARGEST >> 10 });
        }
    }
    Ok(())
}

/// The text of the file at `path`, which may also be a pipe.
pub fn read(path: &Path) -> Result<String, ConfigError> {
    let unreadable = |source| ConfigError::Unreadable { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(LARGEST as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() > LARGEST {
        return Err(ConfigError::TooLarge { path: path.to_owned(), most: LARGEST >> 10 });
    }
    let not_text = |_| unreadable(io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8"));
    String::from_utf8(bytes).map_err(not_text)
}

/// The path and the text of the base of `file`, if it has one. `chain` ends with its own path.
fn base(chain: &[&Path], file: &Layer) -> Result<Option<(PathBuf, String)>, ConfigError> {
    let table = file.parse()?;
    let Some(value) = table.get(KEY) else { return Ok(None) };
    let refused = |message| file.error(value.span(), Some(KEY.to_owned()), message);
    let path = locate(chain, value.get_ref()).map_err(refused)?;
    match read_base(&path) {
        Ok(text) => Ok(Some((path, text))),
        Err(reason) => Err(refused(format!(
            "cannot read the base {}: {reason}: write its path relative to this file",
            path.display(),
        ))),
    }
}

fn read_base(path: &Path) -> Result<String, String> {
    // To open a pipe that nobody writes to would wait for ever.
    if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return Err("it is not a file".to_owned());
    }
    read(path).map_err(|error| match error {
        ConfigError::Unreadable { source, .. } => source.to_string(),
        ConfigError::TooLarge { most, .. } => format!("it is larger than {most} KiB"),
        other => other.to_string(),
    })
}

/// Where the base is that the last file of `chain` calls `name`.
fn locate(chain: &[&Path], name: &DeValue) -> Result<PathBuf, String> {
    let DeValue::String(name) = name else {
        let found = name.type_str();
        return Err(format!("expected a path in quotes such as \"base.toml\", found {found}"));
    };
    let folder = chain.last().and_then(|path| path.parent()).unwrap_or(Path::new(""));
    let base = folder.join(name.as_ref());
    must_end(chain, &base)?;
    Ok(base)
}

/// Fails if `base` is one of the files of `chain`, or one too many.
fn must_end(chain: &[&Path], base: &Path) -> Result<(), String> {
    let names = chain.iter().copied().chain([base]).map(|path| path.display().to_string());
    let names = names.collect::<Vec<_>>().join(" -> ");
    if chain.iter().any(|path| same_file(path, base)) {
        return Err(format!("these files extend each other, {names}: remove one `{KEY}`"));
    }
    if chain.len() > DEEPEST {
        return Err(format!("more than {DEEPEST} bases, {names}: merge some of these files"));
    }
    Ok(())
}

/// Compares where the paths lead, however they are spelt.
fn same_file(a: &Path, b: &Path) -> bool {
    a == b || fs::canonicalize(a).is_ok_and(|a| fs::canonicalize(b).is_ok_and(|b| a == b))
}
