use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::error::ConvertError;

/// A directory that is written atomically: to a temporary directory beside it, which is then
/// renamed. In an existing empty directory, which may be a link or a mount point, the temporary
/// directory is inside, and its entries are moved up.
pub struct NewDirectory {
    path: PathBuf,
    partial: PathBuf,
    exists: bool,
    parents: NewParents,
}

/// Parent directories created for a path. Removed on drop unless they are kept.
pub struct NewParents(Vec<PathBuf>);

impl NewDirectory {
    /// Creates the temporary directory for `path`, which must not exist or be an empty directory.
    pub fn create(path: &Path) -> Result<Self, ConvertError> {
        check_free(path)?;
        let (exists, parents) = (path.exists(), NewParents::create(path)?);
        let mut name = std::ffi::OsString::from(".");
        name.push(path.file_name().unwrap_or_default());
        name.push(format!(".{}.partial", std::process::id()));
        let partial = if exists { path.join(name) } else { path.with_file_name(name) };
        // May be left from an earlier process with this id.
        let _ = fs::remove_dir_all(&partial);
        fs::create_dir(&partial).map_err(ConvertError::unwritable(path))?;
        Ok(Self { path: path.to_owned(), partial, exists, parents })
    }

    /// Temporary directory to write to.
    pub fn partial(&self) -> &Path {
        &self.partial
    }

    /// Moves the contents to the final path.
    pub fn finish(mut self) -> Result<(), ConvertError> {
        let moved = sync(&self.partial).and_then(|()| self.put_in_place());
        moved.map_err(ConvertError::unwritable(&self.path))?;
        self.parents.keep();
        // Makes the new names durable. Some file systems cannot sync directories.
        let _ = self.partial.parent().map_or(Ok(()), sync);
        Ok(())
    }

    fn put_in_place(&self) -> io::Result<()> {
        if !self.exists {
            return fs::rename(&self.partial, &self.path);
        }
        for entry in fs::read_dir(&self.partial)? {
            let entry = entry?;
            fs::rename(entry.path(), self.path.join(entry.file_name()))?;
        }
        Ok(())
    }
}

impl Drop for NewDirectory {
    fn drop(&mut self) {
        // Contains nothing after `finish`.
        let _ = fs::remove_dir_all(&self.partial);
    }
}

impl NewParents {
    /// Creates the missing parent directories of `path`.
    pub fn create(path: &Path) -> Result<Self, ConvertError> {
        let parents = path.ancestors().skip(1).filter(|parent| !parent.as_os_str().is_empty());
        let missing = parents.take_while(|parent| !parent.exists()).map(Path::to_owned);
        let created = Self(missing.collect());
        if let Some(parent) = created.0.first() {
            fs::create_dir_all(parent).map_err(ConvertError::unwritable(parent))?;
        }
        Ok(created)
    }

    /// Keeps the directories.
    pub fn keep(&mut self) {
        self.0.clear();
    }
}

impl Drop for NewParents {
    fn drop(&mut self) {
        for parent in &self.0 {
            let _ = fs::remove_dir(parent);
        }
    }
}

/// Fails unless `path` does not exist or is an empty directory.
pub fn check_free(path: &Path) -> Result<(), ConvertError> {
    let state = match fs::read_dir(path).map(|mut entries| entries.next().is_none()) {
        Ok(true) => return Ok(()),
        Ok(false) => "is not empty",
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory && path.exists() => "is a file",
        Err(error) => return Err(ConvertError::unwritable(path)(error)),
    };
    Err(ConvertError::OutputExists { path: path.to_owned(), state })
}

fn sync(directory: &Path) -> io::Result<()> {
    let is_current = directory.as_os_str().is_empty();
    File::open(if is_current { Path::new(".") } else { directory })?.sync_all()
}
