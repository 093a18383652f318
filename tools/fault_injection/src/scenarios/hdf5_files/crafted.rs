//! Malicious files.

mod patches;
mod references;
mod values;

use std::error::Error;
use std::path::Path;

use hdf5::dataset::{AllocTime, DatasetBuilder};
use hdf5::types::{IntSize, TypeDescriptor, VarLenUnicode};
use hdf5::{File, Group};

use super::bases::earliest;
use super::reading::{Case, TestDirectory};

/// Name and contents of a file. The path is that of the decoy, which must not be opened.
type Attack = (&'static str, fn(&File, &Path) -> hdf5::Result<()>);

/// Creates all of them.
pub fn all(directory: &TestDirectory) -> Result<Vec<Case>, Box<dyn Error>> {
    let decoy = directory.decoy();
    let mut cases = Vec::new();
    for (name, fill) in references::ATTACKS.iter().chain(values::ATTACKS) {
        let bytes = directory.create_file(earliest, |file| fill(file, &decoy));
        let bytes = bytes.map_err(|error| format!("{name}: {error}"))?;
        cases.push(Case { name: (*name).to_owned(), bytes });
    }
    for (name, fill, pattern, offset, patch) in patches::PATCHES {
        let bytes = directory.create_file(earliest, fill);
        let mut bytes = bytes.map_err(|error| format!("{name}: {error}"))?;
        let found = bytes.windows(pattern.len()).position(|window| window == *pattern);
        let start =
            found.ok_or_else(|| format!("{name}: the pattern is not in the file"))? + offset;
        bytes.iter_mut().skip(start).zip(*patch).for_each(|(byte, &new)| *byte = new);
        cases.push(Case { name: (*name).to_owned(), bytes });
    }
    Ok(cases)
}

const BYTE: TypeDescriptor = TypeDescriptor::Unsigned(IntSize::U1);

/// A dataset whose space is allocated at once, so that only its type is invalid.
fn create(
    file: &Group,
    name: &str,
    shape: &[usize],
    dtype: TypeDescriptor,
    settings: impl FnOnce(DatasetBuilder) -> DatasetBuilder,
) -> hdf5::Result<()> {
    let builder = settings(file.new_dataset_builder().alloc_time(Some(AllocTime::Early)));
    builder.empty_as(dtype).shape(shape).create(name).map(drop)
}

fn heap_names() -> hdf5::Result<Vec<VarLenUnicode>> {
    let names = ["red", "green", "blue"].map(|name| name.parse().map_err(|_| "a name".into()));
    names.into_iter().collect()
}
