//! Escapes text of unknown origin for the terminal.

/// Number of characters kept at the start and at the end of a long text.
const KEPT: usize = 500;

/// Returns `text` on one line, with control characters escaped and the middle of a very long text
/// removed.
pub fn escape(text: &str) -> String {
    let mut escaped: Vec<char> = Vec::new();
    for character in text.chars() {
        if character.is_control() {
            escaped.extend(character.escape_default());
        } else {
            escaped.push(character);
        }
    }
    if escaped.len() <= 2 * KEPT {
        return escaped.into_iter().collect();
    }
    let end = escaped.iter().skip(escaped.len() - KEPT);
    escaped.iter().take(KEPT).chain(&[' ', '.', '.', ' ']).chain(end).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_reduced_to_its_start_and_end() {
        let text = format!("unknown key `{}`: did you mean `epochs`?", "\u{e9}".repeat(100_000));
        let text = escape(&text);
        assert!(text.starts_with("unknown key `\u{e9}"), "{text}");
        assert!(text.ends_with("\u{e9}`: did you mean `epochs`?"), "{text}");
        assert_eq!(text.chars().count(), 2 * KEPT + 4);
        let longest = "a".repeat(2 * KEPT);
        assert_eq!(escape(&longest), longest);
    }

    #[test]
    fn control_characters_are_escaped() {
        assert_eq!(escape("a\u{1b}[2Jb\r\n\u{9b}c"), "a\\u{1b}[2Jb\\r\\n\\u{9b}c");
    }
}
