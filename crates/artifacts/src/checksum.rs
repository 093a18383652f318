//! The last line of a run's config: a checksum of the lines above it. A damaged config is often
//! still a valid one, of another run.

use support::sha256;

/// Beginning of the line.
const PREFIX: &str = "# change keys when resuming, not here; SHA-256 of the lines above: ";

/// Appends the checksum line to `text`.
pub fn sign(text: &str) -> String {
    format!("{text}{}", line(text))
}

/// Returns true if `bytes` end with the checksum of the text before it.
pub fn is_valid(bytes: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(bytes) else { return false };
    text.rfind(PREFIX).is_some_and(|end| {
        let (text, signature) = text.split_at(end);
        signature == line(text)
    })
}

fn line(text: &str) -> String {
    format!("{PREFIX}{}\n", sha256(text.as_bytes()))
}
