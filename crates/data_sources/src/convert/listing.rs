use std::fs;
use std::path::{Path, PathBuf};

use super::error::ConvertError;
use super::marker_files::{CLASSES, SYNTHETIC};

/// Contents of a folder, without hidden entries. Links are followed.
pub struct Listing {
    pub path: PathBuf,
    /// Names of subfolders.
    pub folders: Vec<String>,
    /// Names of files with the extension of an image format.
    pub images: Vec<String>,
    /// Other files.
    pub others: Vec<PathBuf>,
    /// Lines of `classes.txt`.
    pub classes: Option<Vec<String>>,
    /// Whether the folder is marked as synthetic data.
    pub synthetic: bool,
}

/// Extensions of image files. Those of unsupported formats are reported as unreadable images, so that
/// no image is dropped silently.
const EXTENSIONS: [&str; 16] = [
    "png", "jpg", "jpeg", "jpe", "jfif", "gif", "bmp", "webp", "tif", "tiff", "heic", "heif",
    "avif", "jxl", "jp2", "ppm",
];

/// Names of files that operating systems and archive tools create.
const SYSTEM_FILES: [&str; 4] = ["__MACOSX", "@eaDir", "Thumbs.db", "desktop.ini"];

impl Listing {
    /// Lists the folder at `path`.
    pub fn read(path: &Path) -> Result<Self, ConvertError> {
        let mut listing = Self {
            path: path.to_owned(),
            folders: Vec::new(),
            images: Vec::new(),
            others: Vec::new(),
            classes: None,
            synthetic: false,
        };
        let entries = fs::read_dir(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        for entry in entries.map_err(ConvertError::unreadable(path))? {
            let path = entry.path();
            let name = entry.file_name().into_string().map_err(|name| {
                let found = format!("the file name {} is not valid UTF-8", name.display());
                ConvertError::layout(&listing.path, found, "rename the file")
            })?;
            if !name.starts_with('.') && !SYSTEM_FILES.contains(&name.as_str()) {
                listing.add(name, path)?;
            }
        }
        Ok(listing)
    }

    fn add(&mut self, name: String, path: PathBuf) -> Result<(), ConvertError> {
        let extension = path.extension().map(|extension| extension.to_ascii_lowercase());
        let is_image = extension.is_some_and(|own| EXTENSIONS.iter().any(|&known| own == known));
        // A broken link is an unreadable image.
        match fs::metadata(&path) {
            Ok(found) if found.is_dir() => self.folders.push(name),
            Ok(found) if !found.is_file() => self.others.push(path),
            _ if is_image => self.images.push(name),
            _ if name == CLASSES => self.classes = Some(lines(&path)?),
            _ if name == SYNTHETIC => self.synthetic = true,
            _ => self.others.push(path),
        }
        Ok(())
    }
}

fn lines(path: &Path) -> Result<Vec<String>, ConvertError> {
    let text = fs::read_to_string(path).map_err(ConvertError::unreadable(path))?;
    Ok(text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect())
}
