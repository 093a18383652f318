//! The last line of the config of a run: a sum over the lines above it. A config that was damaged is
//! often still one, of another run.

use dataset::sha256;

/// What the line begins with.
const SUM: &str = "# to change a key, resume with --set; SHA-256 of the lines above: ";

/// `text` with its sum.
pub fn sealed(text: &str) -> String {
    format!("{text}{}", line(text))
}

/// Whether `bytes` are a text with its sum.
pub fn is_sealed(bytes: &[u8]) -> bool {
    let text = str::from_utf8(bytes).ok();
    text.and_then(|text| Some((text, text.rfind(SUM)?)))
        .is_some_and(|(text, end)| text.split_at(end).1 == line(text.split_at(end).0))
}

fn line(text: &str) -> String {
    format!("{SUM}{}\n", sha256(text.as_bytes()))
}
