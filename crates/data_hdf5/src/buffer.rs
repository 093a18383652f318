use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use crate::context::ErrorContext;
use crate::error::Hdf5Error;

/// Returns an empty vector with capacity for `count` elements, or an error if memory is short.
pub fn reserve<T>(context: &ErrorContext, count: usize) -> Result<Vec<T>, Hdf5Error> {
    let mut elements = Vec::new();
    match elements.try_reserve_exact(count) {
        Ok(()) => Ok(elements),
        Err(_) => {
            let found = format!("{} bytes long", count.saturating_mul(size_of::<T>()));
            let remedy = "free memory, or split the file";
            Err(context.structure(found, "what fits in memory", remedy))
        }
    }
}

/// Reads up to `size` bytes of the file at `offset`.
pub fn read_at(context: &ErrorContext, offset: u64, size: usize) -> Result<Vec<u8>, Hdf5Error> {
    let mut bytes = reserve(context, size)?;
    let mut file = File::open(context.file).map_err(|error| context.damaged(error))?;
    file.seek(SeekFrom::Start(offset)).map_err(|error| context.damaged(error))?;
    file.take(size as u64).read_to_end(&mut bytes).map_err(|error| context.damaged(error))?;
    Ok(bytes)
}
