use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use resvg::tiny_skia::{IntSize, Pixmap};

use crate::palette::colour;

/// How strong the colour of a class is where it is certain, over white.
const CERTAIN: f32 = 0.42;
/// And where no class is likelier than another.
const UNDECIDED: f32 = 0.08;

/// The colours of the classes, mixed by their probabilities, as a PNG in a data URI: a pixel a
/// cell. `probabilities` has one list a class, `f32 [rows * columns]`, the lowest row first.
pub fn tint(probabilities: &[Vec<f32>], columns: usize, rows: usize) -> Result<String, String> {
    let cells = (0..rows).rev().flat_map(|row| row * columns..(row + 1) * columns);
    let pixels: Vec<u8> = cells.flat_map(|cell| mixed(probabilities, cell)).collect();
    let [width, height] = [columns, rows].map(|cells| u32::try_from(cells).unwrap_or(u32::MAX));
    let image = IntSize::from_wh(width, height).and_then(|size| Pixmap::from_vec(pixels, size));
    let image = image.ok_or_else(|| format!("a grid of {columns} x {rows} is too large"))?;
    let bytes = image.encode_png().map_err(|error| error.to_string())?;
    Ok(format!("data:image/png;base64,{}", STANDARD.encode(bytes)))
}

/// The colour of a cell: red, green, blue and full opacity.
fn mixed(probabilities: &[Vec<f32>], cell: usize) -> [u8; 4] {
    let likeliest = probabilities.iter().map(|of_class| of_class[cell]).fold(0.0, f32::max);
    let even = 1.0 / probabilities.len() as f32;
    let certainty = if even < 1.0 { (likeliest - even) / (1.0 - even) } else { 1.0 };
    let strength = UNDECIDED + (CERTAIN - UNDECIDED) * certainty.clamp(0.0, 1.0);
    let darkness = |part: usize| {
        let of_class = |(class, of_class): (usize, &Vec<f32>)| {
            of_class[cell] * (255.0 - f32::from(colour(class)[part]))
        };
        probabilities.iter().enumerate().map(of_class).sum::<f32>()
    };
    let [red, green, blue] = [0, 1, 2].map(|part| (255.5 - strength * darkness(part)) as u8);
    [red, green, blue, 255]
}
