use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use resvg::tiny_skia::{IntSize, Pixmap};

use crate::cells::by_cell;
use crate::palette::colour;

/// How strong the colour of a class is where it is certain, over white.
const CERTAIN: f32 = 0.42;
/// And where no class is likelier than another.
const UNDECIDED: f32 = 0.08;

/// The colours of the classes, mixed by their probabilities, as a PNG in a data URI: a pixel a
/// cell. `probabilities` has one list a class, `f32 [rows * columns]`, the lowest row first.
pub fn tint(probabilities: &[Vec<f32>], columns: usize, rows: usize) -> Result<String, String> {
    let lines = probabilities.iter().map(|of_class| of_class.chunks_exact(columns).rev());
    let cells = by_cell(lines.map(|lines| lines.flatten().copied()).collect());
    let pixels: Vec<u8> = cells.flat_map(|cell| mixed(&cell)).collect();
    let [width, height] = [columns, rows].map(|cells| u32::try_from(cells).unwrap_or(u32::MAX));
    let image = IntSize::from_wh(width, height).and_then(|size| Pixmap::from_vec(pixels, size));
    let image = image.ok_or_else(|| format!("a grid of {columns} x {rows} is too large"))?;
    let bytes = image.encode_png().map_err(|error| error.to_string())?;
    Ok(format!("data:image/png;base64,{}", STANDARD.encode(bytes)))
}

/// The colour of a cell with one probability a class: red, green, blue and full opacity.
fn mixed(probabilities: &[f32]) -> [u8; 4] {
    let likeliest = probabilities.iter().copied().fold(0.0, f32::max);
    let even = 1.0 / probabilities.len() as f32;
    let certainty = if even < 1.0 { (likeliest - even) / (1.0 - even) } else { 1.0 };
    let strength = UNDECIDED + (CERTAIN - UNDECIDED) * certainty.clamp(0.0, 1.0);
    let mut darkness = [0.0; 3];
    for (class, probability) in probabilities.iter().enumerate() {
        for (sum, part) in darkness.iter_mut().zip(colour(class)) {
            *sum += probability * (255.0 - f32::from(part));
        }
    }
    let [red, green, blue] = darkness.map(|sum| (255.5 - strength * sum) as u8);
    [red, green, blue, 255]
}
