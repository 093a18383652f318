use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::error::ConvertError;

/// A directory that appears whole or not at all: it is filled beside its place, then moved there. An
/// empty directory that is there already, perhaps a link or on a disk of its own, is filled within.
pub struct NewDirectory {
    path: PathBuf,
    partial: PathBuf,
    is_within: bool,
    parents: NewParents,
}

/// The directories above a path that were made for it, removed again unless they are kept.
pub struct NewParents(Vec<PathBuf>);

impl NewDirectory {
    /// Begins to make one at `path`, where nothing or an empty directory is.
    pub fn begin(path: &Path) -> Result<Self, ConvertError> {
        must_be_free(path)?;
        let (is_within, parents) = (path.exists(), NewParents::of(path)?);
        let mut name = std::ffi::OsString::from(".");
        name.push(path.file_name().unwrap_or_default());
        name.push(format!(".{}.partial", std::process::id()));
        let partial = if is_within { path.join(name) } else { path.with_file_name(name) };
        // A leftover of an earlier process of this number.
        let _ = fs::remove_dir_all(&partial);
        fs::create_dir(&partial).map_err(ConvertError::unwritable(path))?;
        Ok(Self { path: path.to_owned(), partial, is_within, parents })
    }

    /// Where it is filled.
    pub fn partial(&self) -> &Path {
        &self.partial
    }

    /// Moves it to its place.
    pub fn finish(mut self) -> Result<(), ConvertError> {
        let moved = sync(&self.partial).and_then(|()| self.put_in_place());
        moved.map_err(ConvertError::unwritable(&self.path))?;
        self.parents.keep();
        // The new names are durable once their folder is; not every file system can say so.
        let _ = self.partial.parent().map_or(Ok(()), sync);
        Ok(())
    }

    fn put_in_place(&self) -> io::Result<()> {
        if !self.is_within {
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
        // What was moved to its place is no longer here.
        let _ = fs::remove_dir_all(&self.partial);
    }
}

impl NewParents {
    /// Makes those above `path` that are not there.
    pub fn of(path: &Path) -> Result<Self, ConvertError> {
        let above = path.ancestors().skip(1).filter(|above| !above.as_os_str().is_empty());
        let missing = above.take_while(|above| !above.exists()).map(Path::to_owned);
        let made = Self(missing.collect());
        if let Some(parent) = made.0.first() {
            fs::create_dir_all(parent).map_err(ConvertError::unwritable(parent))?;
        }
        Ok(made)
    }

    /// Keeps them.
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

/// Fails unless nothing or an empty directory is at `path`.
pub fn must_be_free(path: &Path) -> Result<(), ConvertError> {
    let occupied = |found| Err(ConvertError::Occupied { path: path.to_owned(), found });
    match fs::read_dir(path).map(|mut entries| entries.next().is_none()) {
        Ok(true) => Ok(()),
        Ok(false) => occupied("is not empty"),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory && path.exists() => {
            occupied("is a file")
        }
        Err(error) => Err(ConvertError::Unwritable { path: path.to_owned(), source: error }),
    }
}

fn sync(directory: &Path) -> io::Result<()> {
    let here = directory.as_os_str().is_empty();
    File::open(if here { Path::new(".") } else { directory })?.sync_all()
}
