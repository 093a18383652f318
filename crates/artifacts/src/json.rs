//! Whole files, written durably and read back.

use std::fs;
use std::io;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use support::durable_fs;

use crate::ArtifactError;

/// Writes a whole file durably: a reader sees the old content or the new one, never a part.
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<(), ArtifactError> {
    durable_fs::write(path, bytes).map_err(|error| ArtifactError::write(path, error))
}

/// Writes `value` as indented JSON, durably.
pub fn write_json(path: &Path, value: &impl Serialize) -> Result<(), ArtifactError> {
    let mut bytes = serde_json::to_vec_pretty(value)
        .map_err(|error| ArtifactError::write(path, error.into()))?;
    bytes.push(b'\n');
    write_file(path, &bytes)
}

/// Reads the JSON file at `path`.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, ArtifactError> {
    let bytes = fs::read(path).map_err(|error| ArtifactError::read(path, error))?;
    serde_json::from_slice(&bytes).map_err(|error| ArtifactError::damaged(path, error.to_string()))
}

/// Reads the JSON file at `path`; `None` if there is no such file.
pub fn read_json_if_exists<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, ArtifactError> {
    match read_json(path) {
        Err(ArtifactError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            Ok(None)
        }
        value => value.map(Some),
    }
}
