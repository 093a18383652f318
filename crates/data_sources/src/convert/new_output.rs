use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use data::SplitKind;
use support::durable_fs;

use super::error::ConvertError;

/// A directory or file that is written atomically: to a temporary directory, which is then renamed, or whose
/// entries are moved up.
pub struct NewOutput {
    path: PathBuf,
    kind: Kind,
    partial: PathBuf,
    /// Parent directories that did not exist, the lowest first.
    new_parents: Vec<PathBuf>,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    NewDirectory,
    /// An empty directory, maybe a link or a mount point: the temporary directory is inside.
    ExistingDirectory,
    File,
}

impl NewOutput {
    /// Creates the temporary directory for `path`, which must not exist or be an empty directory.
    pub fn directory(path: &Path) -> Result<Self, ConvertError> {
        check_free(path)?;
        let kind = if path.exists() { Kind::ExistingDirectory } else { Kind::NewDirectory };
        Self::create(path, kind)
    }

    /// Creates the temporary directory for the new file `path` and files beside it.
    pub fn file(path: &Path) -> Result<Self, ConvertError> {
        Self::create(path, Kind::File)
    }

    fn create(path: &Path, kind: Kind) -> Result<Self, ConvertError> {
        let mut name = OsString::from(".");
        name.push(path.file_name().unwrap_or_default());
        name.push(format!(".{}.partial", std::process::id()));
        let exists = kind == Kind::ExistingDirectory;
        let partial = if exists { path.join(name) } else { path.with_file_name(name) };
        let parents = path.ancestors().skip(1).filter(|parent| !parent.as_os_str().is_empty());
        let new_parents = parents.take_while(|parent| !parent.exists()).map(Path::to_owned);
        let output =
            Self { path: path.to_owned(), kind, partial, new_parents: new_parents.collect() };
        // May be left from an earlier process with this id.
        let _ = fs::remove_dir_all(&output.partial);
        fs::create_dir_all(&output.partial).map_err(ConvertError::unwritable(path))?;
        Ok(output)
    }

    /// Final path of the HDF5 file of a split.
    pub fn file_of(&self, split: SplitKind) -> PathBuf {
        match self.kind {
            Kind::File => self.path.clone(),
            _ => self.path.join(format!("{split}.h5")),
        }
    }

    /// Temporary directory to write to.
    pub fn partial(&self) -> &Path {
        &self.partial
    }

    /// Where the file at the final path `path` is written to.
    pub fn partial_of(&self, path: &Path) -> PathBuf {
        self.partial.join(path.file_name().unwrap_or_default())
    }

    /// Moves the contents to the final path.
    pub fn finish(self) -> Result<(), ConvertError> {
        let moved = durable_fs::sync_dir(&self.partial).and_then(|()| self.put_in_place());
        moved.map_err(ConvertError::unwritable(&self.path))?;
        // Makes the new names durable. Some file systems cannot sync directories.
        let _ = durable_fs::sync_parent(&self.partial);
        Ok(())
    }

    fn put_in_place(&self) -> io::Result<()> {
        if self.kind == Kind::NewDirectory {
            return fs::rename(&self.partial, &self.path);
        }
        for entry in fs::read_dir(&self.partial)? {
            let entry = entry?;
            fs::rename(entry.path(), self.partial.with_file_name(entry.file_name()))?;
        }
        Ok(())
    }
}

impl Drop for NewOutput {
    fn drop(&mut self) {
        // After `finish`, the first has no contents and the parents are not empty.
        let _ = fs::remove_dir_all(&self.partial);
        for parent in &self.new_parents {
            let _ = fs::remove_dir(parent);
        }
    }
}

/// Fails unless `path` does not exist or is an empty directory.
pub fn check_free(path: &Path) -> Result<(), ConvertError> {
    let found = match fs::read_dir(path).map(|mut entries| entries.next().is_none()) {
        Ok(true) => return Ok(()),
        Ok(false) => "is not empty",
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory && path.exists() => "is a file",
        Err(error) => return Err(ConvertError::unwritable(path)(error)),
    };
    Err(ConvertError::in_use(path, found))
}
