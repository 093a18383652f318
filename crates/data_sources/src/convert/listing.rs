use std::fs;
use std::path::{Path, PathBuf};

use super::error::ConvertError;
use super::marker_files::{CLASSES, SYNTHETIC};

/// What stands in a folder, without what is hidden. Links are what they lead to.
pub struct Listing {
    pub path: PathBuf,
    /// The names of the folders in it.
    pub folders: Vec<String>,
    /// The names of the files that are images by their endings.
    pub images: Vec<String>,
    /// The other files.
    pub others: Vec<PathBuf>,
    /// The lines of the file that names the classes.
    pub classes: Option<Vec<String>>,
    /// Whether it is marked as drawn in place of real data.
    pub synthetic: bool,
}

/// What image files end in. Those of a format that is not built in are told of as images that
/// cannot be read: images that are silently missing would be worse.
const ENDINGS: [&str; 16] = [
    "png", "jpg", "jpeg", "jpe", "jfif", "gif", "bmp", "webp", "tif", "tiff", "heic", "heif",
    "avif", "jxl", "jp2", "ppm",
];

/// What file systems and archives leave beside the files of people.
const LITTER: [&str; 4] = ["__MACOSX", "@eaDir", "Thumbs.db", "desktop.ini"];

impl Listing {
    pub fn of(path: &Path) -> Result<Self, ConvertError> {
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
                let found = format!("{} is a name that is not UTF-8", name.display());
                ConvertError::form(&listing.path, found, "rename it")
            })?;
            if !name.starts_with('.') && !LITTER.contains(&name.as_str()) {
                listing.add(name, path)?;
            }
        }
        Ok(listing)
    }

    fn add(&mut self, name: String, path: PathBuf) -> Result<(), ConvertError> {
        let ending = path.extension().map(|ending| ending.to_ascii_lowercase());
        let is_image = ending.is_some_and(|ending| ENDINGS.iter().any(|&known| ending == known));
        // A link that leads nowhere is an image that cannot be read.
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
