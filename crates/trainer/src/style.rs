//! Text styles and their meanings. Texts always carry them; `print` removes them if the output is
//! a file, a pipe or a dumb terminal, or if `NO_COLOR` is set.

use anstream::adapter::strip_str;
use anstyle::{AnsiColor, Style};
use clap::builder::Styles;
use unicode_width::UnicodeWidthStr;

const STRONG: Style = Style::new().bold();
const FAINT: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default();
const DOUBTFUL: Style = AnsiColor::Yellow.on_default();
const BAD: Style = AnsiColor::Red.on_default();
const BUSY: Style = AnsiColor::Cyan.on_default();

pub const HELP: Styles = Styles::styled()
    .header(STRONG)
    .usage(STRONG)
    .literal(BUSY)
    .placeholder(FAINT)
    .error(BAD.bold())
    .valid(GOOD)
    .invalid(DOUBTFUL);

/// Emphasizes the most important part of an output: a score, the best row.
pub fn strong(text: &str) -> String {
    styled(STRONG, text)
}

/// Dims secondary text: next steps, paths of files.
pub fn faint(text: &str) -> String {
    styled(FAINT, text)
}

pub fn good(text: &str) -> String {
    styled(GOOD, text)
}

/// Marks a caveat, such as a score on synthetic data.
pub fn doubtful(text: &str) -> String {
    styled(DOUBTFUL, text)
}

pub fn bad(text: &str) -> String {
    styled(BAD, text)
}

/// Marks activity in progress.
pub fn busy(text: &str) -> String {
    styled(BUSY, text)
}

pub fn error() -> String {
    styled(BAD.bold(), "error:")
}

pub fn warning() -> String {
    styled(DOUBTFUL.bold(), "warning:")
}

pub fn plain(text: &str) -> String {
    strip_str(text).to_string()
}

/// Returns the width of a text in terminal columns, without its styles.
pub fn width(text: &str) -> usize {
    plain(text).width()
}

fn styled(style: Style, text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("{style}{text}{style:#}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_styled_text_is_as_wide_as_the_plain_one() {
        for style in [strong, faint, good, doubtful, bad, busy] {
            assert_eq!((width(&style("abc")), plain(&style("abc")).as_str()), (3, "abc"));
            assert_ne!(style("abc"), "abc");
            assert_eq!(style(""), "");
        }
    }
}
