use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use resvg::tiny_skia::{IntSize, Pixmap};

use crate::error::ReportError;
use crate::output::write_picture;
use crate::svg::{Anchor, Svg, fitted, width};

/// Images in rows, with words to each.
#[derive(Debug, Clone)]
pub struct Sheet {
    /// What stands above it.
    pub title: String,
    /// Its rows, from top to bottom.
    pub rows: Vec<SheetRow>,
}

/// Images side by side.
#[derive(Debug, Clone)]
pub struct SheetRow {
    /// What stands to the left.
    pub label: String,
    /// Images that belong together stand closer than others.
    pub groups: Vec<Vec<SheetCell>>,
}

/// An image and what stands below it, on two lines.
#[derive(Debug, Clone)]
pub struct SheetCell {
    /// Height, width and channels, 1 or 3.
    pub shape: [usize; 3],
    /// Pixels of this shape, row-major.
    pub pixels: Vec<u8>,
    /// What stands below.
    pub captions: [String; 2],
}

/// The space for an image, in pixels.
const CELL: f64 = 88.0;
/// Between images of a group, and between groups.
const GAPS: [f64; 2] = [8.0, 26.0];
/// The height of a row: an image and its captions.
const ROW: f64 = CELL + 40.0;
/// Around everything, and above the first row.
const MARGIN: f64 = 20.0;
const TOP: f64 = 56.0;
/// Font sizes of title, label and captions.
const FONTS: [f64; 3] = [16.0, 13.0, 10.0];
/// The widest that labels may be.
const LABEL: f64 = 160.0;
/// Images with longer edges are embedded smaller: a cell has no more pixels in the PNG.
const EDGE: usize = 176;

/// Draws `sheet` to `<stem>.svg` and `<stem>.png`.
pub fn draw_sheet(sheet: &Sheet, stem: &Path) -> Result<(), ReportError> {
    let svg = compose(sheet).map_err(|problem| ReportError::render(stem, problem))?;
    write_picture(&svg, stem)
}

fn compose(sheet: &Sheet) -> Result<String, String> {
    let labels = sheet.rows.iter().map(|row| width(&row.label, FONTS[1]));
    let label = labels.fold(0.0, f64::max).min(LABEL);
    let left = MARGIN + if label > 0.0 { label + 14.0 } else { 0.0 };
    let widths = sheet.rows.iter().map(|row| row.width());
    let across = widths.fold(width(&sheet.title, FONTS[0]).min(640.0), f64::max);
    let size = [left + across + MARGIN, TOP + ROW * sheet.rows.len() as f64 + MARGIN / 2.0];
    let mut svg = Svg::new(size, &sheet.title);
    svg.text([MARGIN, 32.0], FONTS[0], Anchor::Start, &sheet.title);
    for (number, row) in sheet.rows.iter().enumerate() {
        let top = TOP + ROW * number as f64;
        let text = fitted(&row.label, FONTS[1], LABEL);
        svg.text([MARGIN, top + CELL / 2.0 + 5.0], FONTS[1], Anchor::Start, &text);
        row.draw([left, top], &mut svg)?;
    }
    Ok(svg.finish())
}

impl SheetRow {
    fn width(&self) -> f64 {
        let cells: usize = self.groups.iter().map(Vec::len).sum();
        let gaps = GAPS[0] * cells.saturating_sub(self.groups.len()) as f64;
        CELL * cells as f64 + gaps + GAPS[1] * self.groups.len().saturating_sub(1) as f64
    }

    fn draw(&self, [left, top]: [f64; 2], svg: &mut Svg) -> Result<(), String> {
        let mut x = left;
        for group in &self.groups {
            for cell in group {
                cell.draw([x, top], svg)?;
                x += CELL + GAPS[0];
            }
            x += GAPS[1] - GAPS[0];
        }
        Ok(())
    }
}

impl SheetCell {
    fn draw(&self, [x, y]: [f64; 2], svg: &mut Svg) -> Result<(), String> {
        let uri = self.uri()?;
        // Small images are enlarged by whole pixels, so that one sees what the model does.
        svg.element(format_args!(
            r#"<image x="{x:.1}" y="{y:.1}" width="{CELL}" height="{CELL}" image-rendering="optimizeSpeed" href="{uri}"/>"#
        ));
        for (line, caption) in self.captions.iter().enumerate() {
            let below = y + CELL + 13.0 + 13.0 * line as f64;
            let text = fitted(caption, FONTS[2], CELL + GAPS[0]);
            svg.text([x + CELL / 2.0, below], FONTS[2], Anchor::Middle, &text);
        }
        Ok(())
    }

    /// The image as a PNG in a data URI.
    pub(crate) fn uri(&self) -> Result<String, String> {
        let ([height, width], pixels) = self.reduced();
        let [width, height] = [width, height].map(|edge| u32::try_from(edge).unwrap_or(u32::MAX));
        let image = IntSize::from_wh(width, height).and_then(|size| Pixmap::from_vec(pixels, size));
        let image = image.ok_or_else(|| format!("an image of {:?} cannot be drawn", self.shape))?;
        let bytes = image.encode_png().map_err(|error| error.to_string())?;
        Ok(format!("data:image/png;base64,{}", STANDARD.encode(bytes)))
    }

    /// The image with no edge longer than [`EDGE`], in red, green, blue and full opacity: every so
    /// many pixels are replaced by their mean.
    fn reduced(&self) -> ([usize; 2], Vec<u8>) {
        let [height, width, channels] = self.shape;
        let step = height.max(width).div_ceil(EDGE).max(1);
        let size = [height / step, width / step].map(|edge| edge.max(1));
        let value = |y: usize, x: usize, channel: usize| {
            let at = (y * width + x) * channels + channel.min(channels.saturating_sub(1));
            self.pixels.get(at).copied().map_or(0, u32::from)
        };
        let mean = |row: usize, column: usize, channel: usize| {
            let (ys, xs) = (
                row * step..height.min((row + 1) * step),
                column * step..width.min((column + 1) * step),
            );
            let count = (ys.len() * xs.len()).max(1) as u32;
            let sum: u32 = ys
                .flat_map(|y| xs.clone().map(move |x| (y, x)))
                .map(|(y, x)| value(y, x, channel))
                .sum();
            (sum / count) as u8
        };
        let mut pixels = Vec::with_capacity(4 * size[0] * size[1]);
        for row in 0..size[0] {
            for column in 0..size[1] {
                pixels.extend([0, 1, 2].map(|channel| mean(row, column, channel)));
                pixels.push(u8::MAX);
            }
        }
        (size, pixels)
    }
}

#[cfg(test)]
mod tests {
    use resvg::tiny_skia::Pixmap;
    use tempfile::TempDir;

    use super::*;

    fn cell(shape: [usize; 3], pixels: Vec<u8>) -> SheetCell {
        SheetCell { shape, pixels, captions: ["train 7".to_owned(), "<cat>".to_owned()] }
    }

    fn drawn(sheet: &Sheet) -> Pixmap {
        let place = TempDir::new().unwrap();
        draw_sheet(sheet, &place.path().join("sheet")).unwrap();
        Pixmap::decode_png(&std::fs::read(place.path().join("sheet.png")).unwrap()).unwrap()
    }

    fn sheet(groups: Vec<Vec<SheetCell>>) -> Sheet {
        let row = SheetRow { label: String::new(), groups };
        Sheet { title: "Pairs".to_owned(), rows: vec![row] }
    }

    #[test]
    fn images_stand_where_they_belong_in_their_colours() {
        let red = cell([1, 1, 3], vec![200, 10, 20]);
        let grey = cell([2, 1, 1], vec![90, 90]);
        let picture = drawn(&sheet(vec![vec![red.clone(), grey], vec![red]]));
        let colour = |x: f64| {
            let [x, y] = [x, TOP + CELL / 2.0].map(|at| (2.0 * at) as u32);
            let pixel = picture.pixel(x, y).unwrap();
            [pixel.red(), pixel.green(), pixel.blue()]
        };
        let second = MARGIN + CELL + GAPS[0];
        assert_eq!(colour(MARGIN + CELL / 2.0), [200, 10, 20]);
        assert_eq!(colour(second + CELL / 2.0), [90; 3]);
        assert_eq!(colour(second + CELL + GAPS[1] / 2.0), [255; 3]);
        assert_eq!(colour(second + CELL + GAPS[1] + CELL / 2.0), [200, 10, 20]);
    }

    #[test]
    fn a_large_image_is_reduced_to_the_means_of_its_pixels() {
        let striped: Vec<u8> =
            (0..400 * 1000).map(|at| if at % 2 == 0 { 0 } else { 100 }).collect();
        let (size, pixels) = cell([400, 1000, 1], striped).reduced();
        assert_eq!(size, [66, 166]);
        assert!(pixels.chunks(4).all(|pixel| pixel == [50, 50, 50, 255]));
    }

    #[test]
    fn a_sheet_without_rows_is_its_title() {
        let picture = drawn(&Sheet { title: "no twins".to_owned(), rows: Vec::new() });
        assert!(picture.pixels().iter().any(|pixel| pixel.red() < 100));
    }
}
