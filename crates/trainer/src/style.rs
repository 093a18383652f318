//! The few colours of the program, and what they mean. Texts carry them always; `print` takes them
//! out where nobody can see them: in a file, in a pipe, on a dumb terminal, with `NO_COLOR`.

use anstream::adapter::strip_str;
use anstyle::{AnsiColor, Style};
use clap::builder::Styles;

const STRONG: Style = Style::new().bold();
const FAINT: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default();
const DOUBTFUL: Style = AnsiColor::Yellow.on_default();
const BAD: Style = AnsiColor::Red.on_default();
const BUSY: Style = AnsiColor::Cyan.on_default();

/// How the help looks.
pub const HELP: Styles = Styles::styled()
    .header(STRONG)
    .usage(STRONG)
    .literal(BUSY)
    .placeholder(FAINT)
    .error(BAD.bold())
    .valid(GOOD)
    .invalid(DOUBTFUL);

/// What one looks for first: a score, the best row.
pub fn strong(text: &str) -> String {
    styled(STRONG, text)
}

/// What one may pass over: what can be done next, where files lie.
pub fn faint(text: &str) -> String {
    styled(FAINT, text)
}

/// What is as it should be.
pub fn good(text: &str) -> String {
    styled(GOOD, text)
}

/// What one should know before one believes a number.
pub fn doubtful(text: &str) -> String {
    styled(DOUBTFUL, text)
}

/// What went wrong.
pub fn bad(text: &str) -> String {
    styled(BAD, text)
}

/// What goes on.
pub fn busy(text: &str) -> String {
    styled(BUSY, text)
}

/// The first word of a line that tells what went wrong.
pub fn error() -> String {
    styled(BAD.bold(), "error:")
}

/// The first word of a line that warns.
pub fn warning() -> String {
    styled(DOUBTFUL.bold(), "warning:")
}

/// The text alone.
pub fn plain(text: &str) -> String {
    strip_str(text).to_string()
}

/// How many columns a text takes.
pub fn width(text: &str) -> usize {
    plain(text).chars().count()
}

fn styled(style: Style, text: &str) -> String {
    match text.is_empty() {
        true => String::new(),
        false => format!("{style}{text}{style:#}"),
    }
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
