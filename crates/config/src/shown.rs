//! Text of unknown origin on its way to a terminal, which would obey its control characters.

/// How many characters of a long text are shown of its start, and of its end.
const ENDS: usize = 500;

/// `text` in one line, without its middle if it is very long.
pub fn shown(text: &str) -> String {
    let escaped: String = text.chars().flat_map(escape).collect();
    let cut = |skipped: usize| escaped.char_indices().nth(skipped).map(|(position, _)| position);
    let count = escaped.chars().count();
    match (cut(ENDS), cut(count.saturating_sub(ENDS))) {
        (Some(start), Some(end)) if start < end => {
            let (start, end) = (escaped.get(..start), escaped.get(end..));
            format!("{} .. {}", start.unwrap_or_default(), end.unwrap_or_default())
        }
        _ => escaped,
    }
}

/// `characters` with one that is harmless in place of each that is not, so that columns stay.
pub fn one_column_each(characters: impl Iterator<Item = char>) -> String {
    let harmless = |character: char| match character {
        '\t' => ' ',
        control if control.is_control() => char::REPLACEMENT_CHARACTER,
        other => other,
    };
    characters.map(harmless).collect()
}

fn escape(character: char) -> impl Iterator<Item = char> {
    let (plain, escaped) = match character.is_control() {
        true => (None, Some(character.escape_default())),
        false => (Some(character), None),
    };
    plain.into_iter().chain(escaped.into_iter().flatten())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_shown_by_its_ends() {
        let text = format!("unknown key `{}`: did you mean `epochs`?", "\u{e9}".repeat(100_000));
        let text = shown(&text);
        assert!(text.starts_with("unknown key `\u{e9}"), "{text}");
        assert!(text.ends_with("\u{e9}`: did you mean `epochs`?"), "{text}");
        assert_eq!(text.chars().count(), 2 * ENDS + 4);
        let just = "a".repeat(2 * ENDS);
        assert_eq!(shown(&just), just);
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        assert_eq!(shown("a\u{1b}[2Jb\r\n\u{9b}c"), "a\\u{1b}[2Jb\\r\\n\\u{9b}c");
        assert_eq!(one_column_each("a\u{1b}\tb".chars()), "a\u{fffd} b");
    }
}
