use std::fmt::{Display, Write};

/// RGB colour.
pub type Colour = [u8; 3];

/// Text, lines over a coloured background, and frames.
pub const INK: Colour = [0x26; 3];
/// Grid lines.
pub const GRID: Colour = [0xe4; 3];
/// Edges of points.
pub const WHITE: Colour = [0xff; 3];

/// The palette of Okabe and Ito, which is safe for colour-blind readers, without its black; its last
/// three colours are darker, so that lines have a contrast of 3 with white.
pub const PALETTE: [Colour; 7] = [
    [0x00, 0x72, 0xb2],
    [0xd5, 0x5e, 0x00],
    [0x00, 0x9e, 0x73],
    [0xcc, 0x79, 0xa7],
    [0xb3, 0x7a, 0x00],
    [0x2f, 0x90, 0xc9],
    [0x8a, 0x7f, 0x00],
];

/// Position in pixels from the top left.
pub type Point = [f64; 2];

/// The bundled font, then similar ones that a browser may have.
const FONTS: &str = "DejaVu Sans, Verdana, Arial, sans-serif";

/// Average width of a letter relative to the font size.
const LETTER: f64 = 0.6;

/// Builder of an SVG document.
pub struct Svg {
    body: String,
    size: [f64; 2],
}

/// Alignment of a text to its position.
#[derive(Clone, Copy)]
pub enum Anchor {
    /// The text starts at the position.
    Start,
    /// The text is centred on the position.
    Middle,
    /// The text ends at the position.
    End,
}

impl Svg {
    /// Creates a white picture of a width and a height in pixels.
    pub fn new(size: [f64; 2], title: &str) -> Self {
        let mut svg = Self { body: String::new(), size };
        svg.element(format_args!("<title>{}</title>", escaped(title)));
        svg.element(format_args!(r##"<rect width="100%" height="100%" fill="#fff"/>"##));
        svg
    }

    /// Adds an element verbatim.
    pub fn element(&mut self, element: impl Display) {
        // Writing into a string cannot fail.
        writeln!(self.body, "{element}").ok();
    }

    /// Adds a text of a font size in pixels.
    pub fn text(&mut self, [x, y]: Point, size: f64, anchor: Anchor, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let text = escaped(text);
        self.element(format_args!(
            r#"<text x="{x:.1}" y="{y:.1}" font-size="{size}" text-anchor="{anchor}">{text}</text>"#
        ));
    }

    /// Adds a text that reads upwards.
    pub fn upright(&mut self, [x, y]: Point, size: f64, anchor: Anchor, text: &str) {
        self.element(format_args!(r#"<g transform="translate({x:.1} {y:.1}) rotate(-90)">"#));
        self.text([0.0, 0.0], size, anchor, text);
        self.element("</g>");
    }

    pub fn line(&mut self, [a, b]: Point, [c, d]: Point, colour: Colour, width: f64) {
        let colour = hexadecimal(colour);
        self.element(format_args!(
            r#"<path d="M{a:.1} {b:.1}L{c:.1} {d:.1}" stroke="{colour}" stroke-width="{width}"/>"#
        ));
    }

    pub fn dashed(&mut self, [a, b]: Point, [c, d]: Point, colour: Colour) {
        let colour = hexadecimal(colour);
        self.element(format_args!(
            r#"<path d="M{a:.1} {b:.1}L{c:.1} {d:.1}" stroke="{colour}" stroke-width="1" stroke-dasharray="4 4"/>"#
        ));
    }

    pub fn finish(self) -> String {
        let Self { body, size: [width, height] } = self;
        let ink = hexadecimal(INK);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
             viewBox=\"0 0 {width:.0} {height:.0}\" font-family=\"{FONTS}\" fill=\"{ink}\">\n\
             {body}</svg>\n"
        )
    }
}

/// Returns the colour of a class or a curve; each repetition of the palette is darker.
pub fn colour(index: usize) -> Colour {
    let darker = 0.6_f32.powi((index / PALETTE.len()).min(3) as i32);
    let plain = PALETTE.get(index % PALETTE.len()).copied().unwrap_or(INK);
    plain.map(|part| (f32::from(part) * darker) as u8)
}

pub fn hexadecimal([red, green, blue]: Colour) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// Truncates `text` to a width in pixels.
pub fn fitted(text: &str, size: f64, width: f64) -> String {
    let most = ((width / (size * LETTER)) as usize).max(1);
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

/// Estimates the width of a text in pixels.
pub fn width(text: &str, size: f64) -> f64 {
    text.chars().count() as f64 * size * LETTER
}

/// Escapes `text` for XML and replaces characters that XML does not allow.
pub fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            letter if letter.is_control() => escaped.push(' '),
            letter => escaped.push(letter),
        }
    }
    escaped
}
