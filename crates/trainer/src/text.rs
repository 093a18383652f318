//! Names from files and folders as text for a terminal: escaped, padded and cut by columns.

use std::collections::BTreeMap;
use std::path::Path;

use data::SplitKind;
use unicode_width::UnicodeWidthChar;

use crate::style::width;

/// Returns `name` with control characters and bidirectional formatting characters escaped, such as
/// `\u{1b}` and `\u{202e}`, so that a name can neither control the terminal nor reorder a line.
pub fn escaped(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for letter in name.chars() {
        if letter.is_control() || is_formatting(letter) {
            text.extend(letter.escape_unicode());
        } else {
            text.push(letter);
        }
    }
    text
}

/// Returns each line of a message [`escaped`], except for its ANSI styles.
pub fn escaped_message(text: &str) -> String {
    text.lines().map(escaped_except_styles).collect::<Vec<_>>().join("\n")
}

fn escaped_except_styles(line: &str) -> String {
    let mut pieces = line.split('\u{1b}');
    let mut text = escaped(pieces.next().unwrap_or_default());
    for piece in pieces {
        let rest = piece.trim_start_matches(|letter: char| "[;0123456789".contains(letter));
        let is_style = piece.starts_with('[') && rest.starts_with('m');
        text += if is_style { "\u{1b}" } else { "\\u{1b}" };
        text += &escaped(piece);
    }
    text
}

/// `path` as text, [`escaped`].
pub fn path(path: &Path) -> String {
    escaped(&path.display().to_string())
}

/// The kind and the shape of examples, which is 1, 1 and the number of features for points.
pub fn examples(are_images: bool, sizes: [usize; 3]) -> String {
    match sizes {
        _ if are_images => format!("images of {}", shape(&sizes)),
        [.., features] => format!("points of {features} features"),
    }
}

/// Numbers of examples by the names of their parts, in the usual order.
pub fn counts(counts: &BTreeMap<String, usize>) -> String {
    let parts = SplitKind::ALL.map(SplitKind::as_str).into_iter();
    let counts = parts.filter_map(|part| Some(format!("{} {part}", counts.get(part)?)));
    counts.collect::<Vec<_>>().join(", ")
}

/// A share in percent with one decimal, or a dash.
pub fn percent(share: Option<f64>) -> String {
    share.map_or("-".to_owned(), |share| format!("{:.1}", 100.0 * share))
}

/// The sizes of the dimensions of a tensor: `64x64x3`.
pub fn shape(sizes: &[usize]) -> String {
    sizes.iter().map(usize::to_string).collect::<Vec<_>>().join("x")
}

/// Joins the first `most` lines and counts the others; `note` follows their number.
pub fn shortened(mut lines: Vec<String>, most: usize, note: &str) -> String {
    let more = lines.len().saturating_sub(most);
    lines.truncate(most);
    lines.extend((more > 0).then(|| format!("  and {more} more{note}")));
    lines.join("\n")
}

/// Returns true for line separators and marks that change the direction of text.
fn is_formatting(letter: char) -> bool {
    matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Pads `text` with spaces at its end to `columns`.
pub fn pad_end(text: &str, columns: usize) -> String {
    text.to_owned() + &spaces(text, columns)
}

/// Pads `text` with spaces at its start to `columns`.
pub fn pad_start(text: &str, columns: usize) -> String {
    spaces(text, columns) + text
}

fn spaces(text: &str, columns: usize) -> String {
    " ".repeat(columns.saturating_sub(width(text)))
}

/// Returns `text` in at most `columns`; `..` replaces the middle of a longer one.
pub fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let room = columns.saturating_sub(2);
    let head = fitting(text.chars(), room / 2);
    let tail = fitting(text.chars().rev(), room - room / 2);
    let tail: String = tail.chars().rev().collect();
    let tail = tail.trim_start_matches(|letter| columns_of(letter) == 0);
    head + &".".repeat(columns.min(2)) + tail
}

/// Returns the first of `letters` that fit into `columns`.
fn fitting(letters: impl Iterator<Item = char>, columns: usize) -> String {
    let sums = letters.scan(0, |sum, letter| {
        *sum += columns_of(letter);
        Some((*sum, letter))
    });
    sums.take_while(|(sum, _)| *sum <= columns).map(|(_, letter)| letter).collect()
}

fn columns_of(letter: char) -> usize {
    letter.width().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [(&str, usize); 5] =
        [("猫と犬", 6), ("cafe\u{301}", 4), ("👩‍🚀🦊", 4), ("שלום", 4), ("plain", 5)];

    #[test]
    fn width_counts_terminal_columns_of_wide_letters_accents_and_emoji() {
        for (name, columns) in NAMES {
            assert_eq!(width(name), columns, "{name}");
            assert_eq!(escaped(name), name);
        }
    }

    #[test]
    fn padded_names_are_of_equal_width() {
        for (name, columns) in NAMES {
            assert_eq!(width(&pad_end(name, 9)), 9, "{name}");
            assert_eq!(pad_start(name, 9), " ".repeat(9 - columns) + name);
            assert_eq!(pad_end(name, 3), name);
        }
    }

    #[test]
    fn control_and_bidirectional_characters_are_escaped() {
        assert_eq!(escaped("cat\u{202e}gpj.exe"), "cat\\u{202e}gpj.exe");
        assert_eq!(escaped("\u{1b}[31mred\r\n"), "\\u{1b}[31mred\\u{d}\\u{a}");
        for letter in "\0\t\u{7f}\u{9b}\u{200e}\u{200f}\u{202a}\u{2066}\u{2069}".chars() {
            let code = u32::from(letter);
            assert_eq!(escaped(&letter.to_string()), format!("\\u{{{code:x}}}"));
        }
        assert_eq!(path(Path::new("a\u{1b}/b")), "a\\u{1b}/b");
        let message = "\u{1b}[1;31merror\u{1b}[0m\u{202e}\n  a\u{1b}[2J\u{1b}]0m";
        let escaped = "\u{1b}[1;31merror\u{1b}[0m\\u{202e}\n  a\\u{1b}[2J\\u{1b}]0m";
        assert_eq!(escaped_message(message), escaped);
    }

    #[test]
    fn long_names_are_cut_in_the_middle_to_the_columns_available() {
        assert_eq!(cut("abcdefgh", 6), "ab..gh");
        assert_eq!(cut("猫猫猫猫猫", 7), "猫..猫");
        assert_eq!(cut("abcde\u{301}\u{301}fgh", 7), "ab..fgh");
        for (name, _) in NAMES {
            let long = name.repeat(9);
            assert!((0..9).all(|columns| width(&cut(&long, columns)) <= columns), "{name}");
            assert_eq!(cut(name, 9), name);
        }
    }
}
