use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use png::{BitDepth, ColorType, Encoder};
use support::durable_fs;

use crate::error::ReportError;

/// Writes a picture to `<stem>.svg` and, with the feature `png`, to `<stem>.png`.
pub fn write_picture(svg: &str, stem: &Path) -> Result<(), ReportError> {
    write_file(&with_extension(stem, "svg"), svg.as_bytes())?;
    #[cfg(feature = "png")]
    {
        let path = with_extension(stem, "png");
        let png = raster::render(svg).map_err(|problem| ReportError::render(&path, problem))?;
        write_file(&path, &png)?;
    }
    Ok(())
}

/// Writes a file durably, as a whole or not at all.
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<(), ReportError> {
    durable_fs::write(path, bytes)
        .map_err(|source| ReportError::Write { path: path.to_owned(), source })
}

/// Appends `.extension` to `stem`, keeping everything after a dot in it.
fn with_extension(stem: &Path, extension: &str) -> PathBuf {
    let mut name = stem.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    name.into()
}

/// Encodes pixels, row-major, as a PNG in a data URI.
pub fn png_data_uri(
    [width, height]: [usize; 2],
    colour: ColorType,
    pixels: &[u8],
) -> Result<String, String> {
    let bytes = encoded([width, height], colour, pixels)
        .map_err(|error| format!("an image of {width} x {height} cannot be encoded: {error}"))?;
    Ok(format!("data:image/png;base64,{}", STANDARD.encode(bytes)))
}

fn encoded(
    size: [usize; 2],
    colour: ColorType,
    pixels: &[u8],
) -> Result<Vec<u8>, png::EncodingError> {
    let [width, height] = size.map(|edge| u32::try_from(edge).unwrap_or(u32::MAX));
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, width, height);
    encoder.set_color(colour);
    encoder.set_depth(BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(bytes)
}

#[cfg(feature = "png")]
mod raster {
    use std::sync::Arc;

    use resvg::tiny_skia::{Pixmap, Transform};
    use resvg::usvg::{Options, Tree, fontdb};

    /// DejaVu Sans with Latin, Greek and Cyrillic letters.
    const FONT: &[u8] = include_bytes!("../assets/DejaVuSans-subset.ttf");

    /// Pixels of the PNG per unit of the SVG.
    const SCALE: f32 = 2.0;

    /// Renders `svg` as PNG.
    pub fn render(svg: &str) -> Result<Vec<u8>, String> {
        let mut fonts = fontdb::Database::new();
        fonts.load_font_data(FONT.to_vec());
        let options = Options { fontdb: Arc::new(fonts), ..Options::default() };
        let tree = Tree::from_str(svg, &options).map_err(|error| error.to_string())?;
        let [width, height] =
            [tree.size().width(), tree.size().height()].map(|edge| (edge * SCALE) as u32);
        let mut pixels =
            Pixmap::new(width, height).ok_or_else(|| format!("{width} x {height} pixels"))?;
        resvg::render(&tree, Transform::from_scale(SCALE, SCALE), &mut pixels.as_mut());
        pixels.encode_png().map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Cursor;

    use super::*;
    use crate::svg::Svg;

    #[test]
    fn a_picture_has_the_name_of_its_stem() {
        let folder = tempfile::TempDir::new().unwrap();
        write_picture(&Svg::new([20.0, 10.0], "a").finish(), &folder.path().join("a.b")).unwrap();
        let mut names: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        let expected: &[&str] =
            if cfg!(feature = "png") { &["a.b.png", "a.b.svg"] } else { &["a.b.svg"] };
        assert_eq!(names, expected);
        #[cfg(feature = "png")]
        assert!(fs::read(folder.path().join("a.b.png")).unwrap().starts_with(b"\x89PNG"));
    }

    #[test]
    fn a_file_that_cannot_be_written_is_named() {
        let folder = tempfile::TempDir::new().unwrap();
        let stem = folder.path().join("missing/curves");
        let error = write_picture("<svg/>", &stem).unwrap_err().to_string();
        assert!(error.contains(&format!("cannot write {}.svg", stem.display())), "{error}");
    }

    #[test]
    fn an_image_is_decoded_unchanged() {
        let pixels: Vec<u8> = (0..18).collect();
        let uri = png_data_uri([3, 2], ColorType::Rgb, &pixels).unwrap();
        let bytes = STANDARD.decode(uri.strip_prefix("data:image/png;base64,").unwrap()).unwrap();
        let mut reader = png::Decoder::new(Cursor::new(bytes)).read_info().unwrap();
        let mut decoded = vec![0; 18];
        let info = reader.next_frame(&mut decoded).unwrap();
        assert_eq!((info.width, info.height, decoded), (3, 2, pixels));
        assert!(png_data_uri([3, 3], ColorType::Rgb, &[0; 18]).unwrap_err().contains("3 x 3"));
    }
}
