//! The manifest of a converted data set: the file of each example.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use data::{DatasetError, Examples, Origin, SplitKind};
use serde::{Deserialize, Serialize};
use support::sha256::hexadecimal;

use crate::quality::checksums;

/// Name of the manifest in the directory of the files of the parts.
pub const FILE_NAME: &str = "manifest.csv";

/// An example of a converted data set: a line of its manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestRow {
    /// Part, which is the name of its file without ending.
    pub part: SplitKind,
    /// Index in the file of the part.
    pub index: usize,
    /// Path of the original file, or file and index of an example of an HDF5 file.
    pub file: String,
    /// Label.
    pub label: u32,
    /// Name of the class.
    pub class: String,
    /// Name of the group that must stay in one part; empty if it has no other example.
    pub group: String,
    /// SHA-256 of the original file, or of the values, in hexadecimal.
    pub sha256: String,
}

/// Path of the manifest of the HDF5 file at `path`: `manifest.csv` beside the files of a directory, and
/// `NAME.manifest.csv` for a file that is not named after a part.
pub fn manifest_path(path: &Path) -> PathBuf {
    match part_of(path) {
        Some(_) => path.with_file_name(FILE_NAME),
        None => path.with_extension(FILE_NAME),
    }
}

/// Gives examples without origins those of an HDF5 file: `file` with their `indices` in it, and the SHA-256
/// of their values. Fails if the examples are in a file that cannot be read.
pub fn number_examples(
    examples: &mut Examples,
    file: &str,
    indices: impl Iterator<Item = usize>,
) -> Result<(), DatasetError> {
    if examples.origins.is_empty() {
        let checksums = checksums(examples)?.into_iter().zip(indices);
        let origins = checksums.map(|(sha256, index)| Origin {
            file: format!("{file}:{index}").into(),
            sha256,
            group: None,
        });
        examples.origins = origins.collect();
    }
    Ok(())
}

/// Writes a manifest. Fails if the file cannot be written.
pub fn write(path: &Path, rows: Vec<ManifestRow>) -> io::Result<()> {
    let mut writer = csv::Writer::from_path(path)?;
    for row in rows {
        writer.serialize(row)?;
    }
    writer.flush()?;
    File::open(path)?.sync_all()
}

/// Reads the origins of the `examples` of the HDF5 file at `path` from its manifest, if there is one. The
/// error is the reason, in one sentence, why the manifest does not describe the examples.
pub fn read_origins(path: &Path, examples: &mut Examples) -> Result<(), String> {
    let manifest = manifest_path(path);
    if !manifest.is_file() {
        return Ok(());
    }
    let name = |path: &Path| path.file_name().unwrap_or_default().display().to_string();
    let ignored = |reason: String| format!("{} is ignored: {reason}", name(&manifest));
    let part = part_of(path);
    let (mut origins, mut labels) = (Vec::new(), Vec::new());
    let mut reader =
        csv::Reader::from_path(&manifest).map_err(|error| ignored(error.to_string()))?;
    for row in reader.deserialize() {
        let row: ManifestRow = row.map_err(|error| ignored(error.to_string()))?;
        if part.is_none_or(|part| part == row.part) {
            labels.push(row.label);
            origins.push(row.origin().map_err(&ignored)?);
        }
    }
    if labels.is_empty() {
        return Ok(());
    }
    if labels != examples.labels {
        let reason = format!(
            "it has {} examples for {}, which has {} or other labels",
            labels.len(),
            name(path),
            examples.len()
        );
        return Err(ignored(reason));
    }
    examples.origins = origins;
    Ok(())
}

impl ManifestRow {
    /// The row of the example at `index` of the file of `part`.
    pub fn new(
        part: SplitKind,
        index: usize,
        origin: &Origin,
        label: u32,
        classes: &[String],
    ) -> Self {
        Self {
            part,
            index,
            file: origin.file.to_string(),
            label,
            class: classes.get(label as usize).cloned().unwrap_or_default(),
            group: origin.group.as_deref().unwrap_or_default().to_owned(),
            sha256: hexadecimal(&origin.sha256),
        }
    }

    fn origin(self) -> Result<Origin, String> {
        let invalid = || format!("{:?} is no SHA-256", self.sha256);
        let digits = |start| u8::from_str_radix(self.sha256.get(start..start + 2)?, 16).ok();
        let bytes: Option<Vec<u8>> = (0..self.sha256.len()).step_by(2).map(digits).collect();
        let sha256 = bytes.and_then(|bytes| bytes.try_into().ok()).ok_or_else(invalid)?;
        let group = (!self.group.is_empty()).then(|| self.group.into());
        Ok(Origin { file: self.file.into(), sha256, group })
    }
}

/// The part that the file at `path` is named after.
fn part_of(path: &Path) -> Option<SplitKind> {
    path.file_stem()?.to_str()?.parse().ok()
}
