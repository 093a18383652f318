use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use data::SplitKind;

use super::decode;
use super::error::ImagesError;
use super::listing::{class_name, is_image, split_of_folder};
use super::scan::NamedImage;

/// Names of the columns, in lower case.
const PATHS: [&str; 11] = [
    "path",
    "file",
    "filename",
    "file_name",
    "filepath",
    "file_path",
    "image",
    "image_path",
    "image_id",
    "id",
    "img",
];
const LABELS: [&str; 8] =
    ["label", "class", "category", "target", "label_name", "class_name", "breed", "species"];
const SPLITS: [&str; 6] = ["split", "part", "set", "subset", "data set", "dataset"];

const REMEDY: &str = "name the columns `path`, `label` and, if it has parts, `split`, in its first line; \
                      paths are relative to the file or to the directory";

/// Reads a table of image paths and labels, with commas, semicolons or tabs between its columns.
/// Paths are relative to the table or to `directory`, and may lack the extension of the image. Without a
/// column of parts, all are in the training set.
pub fn read(
    table: &Path,
    directory: &Path,
) -> Result<BTreeMap<SplitKind, Vec<NamedImage>>, ImagesError> {
    let bytes = decode::read(table)
        .map_err(|error| ImagesError::unreadable(table)(io::Error::other(error)))?;
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let mut reader =
        csv::ReaderBuilder::new().delimiter(delimiter(text)).trim(csv::Trim::All).from_reader(text);
    let broken = |error: csv::Error| ImagesError::layout(table, error.to_string(), REMEDY);
    let headers = reader.headers().map_err(broken)?.clone();
    let column = |names: &[&str]| {
        names.iter().find_map(|name| headers.iter().position(|own| own.eq_ignore_ascii_case(name)))
    };
    let (Some(path), Some(label)) = (column(&PATHS), column(&LABELS)) else {
        let found: Vec<_> = headers.iter().take(8).collect();
        let found = format!("no column of paths or none of labels among {}", found.join(", "));
        return Err(ImagesError::layout(table, found, REMEDY));
    };
    let split = column(&SPLITS);
    let folders = [table.parent().unwrap_or(Path::new("")), directory];
    let mut parts = BTreeMap::<_, Vec<_>>::new();
    for (number, record) in reader.records().enumerate() {
        let record = record.map_err(broken)?;
        let cell = |column: usize| record.get(column).unwrap_or_default();
        let line = number + 2;
        let (name, class) = (cell(path), class_name(cell(label)));
        if name.is_empty() || class.is_empty() {
            let found = format!("line {line} has no path or no label");
            return Err(ImagesError::layout(table, found, "complete or remove the line"));
        }
        let split = match split.map(cell) {
            None => SplitKind::Train,
            Some(name) => split_of_folder(name).ok_or_else(|| {
                let found = format!("line {line} has the split {name:?}");
                ImagesError::layout(table, found, "write train, validation or test")
            })?,
        };
        let path = find(&folders, name);
        let name = path.display().to_string();
        parts.entry(split).or_default().push(NamedImage { class, name, path });
    }
    Ok(parts)
}

/// The most frequent separator of the first line.
fn delimiter(text: &[u8]) -> u8 {
    let first = text.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let count = |separator: &u8| first.iter().filter(|&byte| byte == separator).count();
    b",;\t".iter().copied().rev().max_by_key(count).unwrap_or(b',')
}

/// The image called `name` in the first folder that has it. Without one, the path in the last
/// folder, which is then reported as unreadable.
fn find(folders: &[&Path], name: &str) -> PathBuf {
    let paths = || folders.iter().map(|folder| folder.join(name));
    let exact = paths().find(|path| path.is_file());
    let with_extension = || {
        let named = |path: PathBuf| {
            ["jpg", "jpeg", "png", "webp", "bmp", "tif", "tiff", "gif", "JPG", "PNG"]
                .iter()
                .map(|extension| PathBuf::from(format!("{}.{extension}", path.display())))
                .find(|path| path.is_file())
        };
        paths().filter(|path| !is_image(path)).find_map(named)
    };
    exact.or_else(with_extension).or_else(|| paths().next_back()).unwrap_or_default()
}
