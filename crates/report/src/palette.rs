/// RGB colour.
pub type Colour = [u8; 3];

/// Text, lines over a coloured background, and frames.
pub const INK: Colour = [0x26, 0x26, 0x26];
/// Grid lines.
pub const GRID: Colour = [0xe4, 0xe4, 0xe4];
/// Edges of points.
pub const WHITE: Colour = [0xff; 3];

/// Returns the colour of a class or a curve; each repetition of the palette is darker.
pub fn colour(index: usize) -> Colour {
    let darker = 0.6_f32.powi((index / 7).min(3) as i32);
    okabe_ito(index % 7).map(|part| (f32::from(part) * darker) as u8)
}

/// Returns a colour of the palette of Okabe and Ito, which is safe for colour-blind readers, without
/// its black.
fn okabe_ito(index: usize) -> Colour {
    match index {
        0 => [0x00, 0x72, 0xb2],
        1 => [0xd5, 0x5e, 0x00],
        2 => [0x00, 0x9e, 0x73],
        3 => [0xcc, 0x79, 0xa7],
        4 => [0xe6, 0x9f, 0x00],
        5 => [0x56, 0xb4, 0xe9],
        _ => [0xf0, 0xe4, 0x42],
    }
}

/// Formats a colour for SVG.
pub fn hexadecimal([red, green, blue]: Colour) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}
