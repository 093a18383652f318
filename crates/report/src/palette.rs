/// Red, green and blue.
pub type Colour = [u8; 3];

/// What is written, drawn over a tint, and the frame.
pub const INK: Colour = [0x26, 0x26, 0x26];
/// Lines of the grid.
pub const GRID: Colour = [0xe4, 0xe4, 0xe4];
/// Edges of dots.
pub const WHITE: Colour = [0xff; 3];

/// The colour of a class or a curve; darker each time the palette begins again.
pub fn colour(index: usize) -> Colour {
    let darker = 0.6_f32.powi((index / 7).min(3) as i32);
    okabe_ito(index % 7).map(|part| (f32::from(part) * darker) as u8)
}

/// The palette of Okabe and Ito, which the colour-blind can tell apart, without its black.
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

/// A colour as SVG writes it.
pub fn hexadecimal([red, green, blue]: Colour) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}
