//! Reading files whose path a user gave.

use std::path::Path;
use std::{fs, io};

/// Reads a whole file. Fails for a pipe, which would block, and for a device, which may never end.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    if fs::metadata(path)?.is_file() {
        return fs::read(path);
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file"))
}
