use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};

use crate::error::ReportError;

/// DejaVu Sans with Latin, Greek and Cyrillic letters.
const FONT: &[u8] = include_bytes!("../fonts/DejaVuSans-subset.ttf");

/// Pixels of the PNG along one of the SVG.
const SCALE: f32 = 2.0;

/// Writes a picture to `<stem>.svg` and `<stem>.png`, each whole or not at all.
pub fn write_picture(svg: &str, stem: &Path) -> Result<(), ReportError> {
    let [svg_path, png_path] = ["svg", "png"].map(|ending| with_ending(stem, ending));
    let png = render(svg, &png_path)?;
    let pictures = [(&svg_path, svg.as_bytes()), (&png_path, &png)];
    let written = pictures.iter().try_for_each(|(path, bytes)| stage(path, bytes));
    let done = written.and_then(|()| pictures.iter().try_for_each(|(path, _)| commit(path)));
    if done.is_err() {
        for (path, _) in pictures {
            fs::remove_file(staged(path)).ok();
        }
    }
    done
}

/// Writes a file, whole or not at all.
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<(), ReportError> {
    let done = stage(path, bytes).and_then(|()| commit(path));
    if done.is_err() {
        fs::remove_file(staged(path)).ok();
    }
    done
}

/// The PNG of an SVG, `SCALE` times its size.
fn render(svg: &str, path: &Path) -> Result<Vec<u8>, ReportError> {
    let mut fonts = fontdb::Database::new();
    fonts.load_font_data(FONT.to_vec());
    let options = Options { fontdb: Arc::new(fonts), ..Options::default() };
    let tree = Tree::from_str(svg, &options).map_err(|error| ReportError::render(path, error))?;
    let [width, height] =
        [tree.size().width(), tree.size().height()].map(|edge| (edge * SCALE) as u32);
    let mut pixels = Pixmap::new(width, height)
        .ok_or_else(|| ReportError::render(path, format!("{width} x {height} pixels")))?;
    resvg::render(&tree, Transform::from_scale(SCALE, SCALE), &mut pixels.as_mut());
    pixels.encode_png().map_err(|error| ReportError::render(path, error))
}

/// Writes a file durably under another name beside it.
fn stage(path: &Path, bytes: &[u8]) -> Result<(), ReportError> {
    let write = || {
        let mut file = File::create(staged(path))?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(|error: io::Error| ReportError::write(path, error))
}

/// Gives a staged file its name.
fn commit(path: &Path) -> Result<(), ReportError> {
    fs::rename(staged(path), path).map_err(|error| ReportError::write(path, error))
}

fn staged(path: &Path) -> PathBuf {
    with_ending(path, &format!("{}.tmp", std::process::id()))
}

/// `path` with `.ending` appended; what it ended with before stays.
fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    name.into()
}
