use std::fs;
use std::path::{Path, PathBuf};

use unicode_normalization::UnicodeNormalization;

use super::error::ImagesError;
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
const EXTENSIONS: [&str; 18] = [
    "png", "apng", "jpg", "jpeg", "jpe", "jfif", "gif", "bmp", "dib", "webp", "tif", "tiff",
    "heic", "heif", "avif", "jxl", "jp2", "ppm",
];

/// Names of files that operating systems and archive tools create.
const SYSTEM_FILES: [&str; 4] = ["__MACOSX", "@eaDir", "Thumbs.db", "desktop.ini"];

/// Maximum depth of folders in folders; links may form a circle.
const MAX_DEPTH: usize = 32;

impl Listing {
    /// Lists the folder at `path`.
    pub fn read(path: &Path) -> Result<Self, ImagesError> {
        let mut listing = Self {
            path: path.to_owned(),
            folders: Vec::new(),
            images: Vec::new(),
            others: Vec::new(),
            classes: None,
            synthetic: false,
        };
        let entries = fs::read_dir(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        for entry in entries.map_err(ImagesError::unreadable(path))? {
            let path = entry.path();
            let name = entry.file_name().into_string().map_err(|name| {
                let found = format!("the file name {} is not valid UTF-8", name.display());
                ImagesError::layout(&listing.path, found, "rename the file")
            })?;
            if !name.starts_with('.') && !SYSTEM_FILES.contains(&name.as_str()) {
                listing.add(name, path)?;
            }
        }
        listing.folders.sort();
        listing.images.sort();
        Ok(listing)
    }

    fn add(&mut self, name: String, path: PathBuf) -> Result<(), ImagesError> {
        // A broken link is an unreadable image.
        match fs::metadata(&path) {
            Ok(found) if found.is_dir() => self.folders.push(name),
            Ok(found) if !found.is_file() => self.others.push(path),
            _ if is_image(&path) => self.images.push(name),
            _ if name == CLASSES => self.classes = Some(lines(&path)?),
            _ if name == SYNTHETIC => self.synthetic = true,
            _ => self.others.push(path),
        }
        Ok(())
    }

    /// Paths of the images of this folder and all below it, relative to it, with `/` between their
    /// parts. Other files are added to `others`.
    pub fn images_below(self, others: &mut Vec<PathBuf>) -> Result<Vec<String>, ImagesError> {
        let mut images = Vec::new();
        self.add_images_below("", MAX_DEPTH, &mut images, others)?;
        Ok(images)
    }

    fn add_images_below(
        self,
        prefix: &str,
        depth: usize,
        images: &mut Vec<String>,
        others: &mut Vec<PathBuf>,
    ) -> Result<(), ImagesError> {
        if depth == 0 {
            let found = format!("more than {MAX_DEPTH} folders in each other");
            return Err(ImagesError::layout(&self.path, found, "check for a link to a parent"));
        }
        images.extend(self.images.iter().map(|name| format!("{prefix}{name}")));
        others.extend(self.others);
        for folder in &self.folders {
            let inner = Self::read(&self.path.join(folder))?;
            inner.add_images_below(&format!("{prefix}{folder}/"), depth - 1, images, others)?;
        }
        Ok(())
    }
}

/// Returns true if the file has the extension of an image format.
pub fn is_image(path: &Path) -> bool {
    let extension = path.extension().map(|extension| extension.to_ascii_lowercase());
    extension.is_some_and(|own| EXTENSIONS.iter().any(|&known| own == known))
}

/// The name of a class, in one of the several forms that Unicode has for letters with accents.
pub fn class_name(name: &str) -> String {
    name.nfc().collect()
}

/// Lines of a text file, which may start with a byte order mark.
fn lines(path: &Path) -> Result<Vec<String>, ImagesError> {
    let text = fs::read_to_string(path).map_err(ImagesError::unreadable(path))?;
    let lines = text.trim_start_matches('\u{feff}').lines().map(str::trim_end);
    Ok(lines.filter(|line| !line.is_empty()).map(class_name).collect())
}
