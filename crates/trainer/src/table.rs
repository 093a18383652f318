//! Text tables that fit a terminal, wrapped text, and sizes with units.

use crate::style::width;
use crate::text::{pad_end, pad_start};

/// Maximum width of a line in columns.
pub const WIDTH: usize = 80;
/// Gap between two columns.
const GAP: &str = "  ";
/// Minimum width of the wrapped column.
const MIN_WRAPPED_WIDTH: usize = 12;

/// Table with a header row.
pub struct Table {
    /// The headers, then the cells.
    rows: Vec<Vec<String>>,
    words: &'static [usize],
}

impl Table {
    /// Creates an empty table with these column headers. The columns `words` are aligned to the left,
    /// others, of numbers, to the right. If the table is wider than [`WIDTH`], cells of the first of
    /// `words` are broken between words; a longer word gets a line of its own above its row.
    pub fn new<H: Into<String>>(
        heads: impl IntoIterator<Item = H>,
        words: &'static [usize],
    ) -> Self {
        Self { rows: vec![heads.into_iter().map(Into::into).collect()], words }
    }

    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Returns true if no cell needs to be wrapped.
    pub fn fits(&self) -> bool {
        total(&self.natural_widths()) <= WIDTH
    }

    /// Returns the lines of the table, without a newline after the last.
    pub fn text(&self) -> String {
        let mut widths = self.natural_widths();
        let excess = total(&widths).saturating_sub(WIDTH);
        if let Some(width) = self.wrapped().and_then(|column| widths.get_mut(column)) {
            let least = (*width).min(MIN_WRAPPED_WIDTH);
            *width = width.saturating_sub(excess).max(least);
        }
        let lines = self.rows.iter().flat_map(|row| self.lines(row, &widths));
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Width of each column without wrapping.
    fn natural_widths(&self) -> Vec<usize> {
        let mut widths = vec![0; self.rows.first().map_or(0, Vec::len)];
        for row in &self.rows {
            for (widest, cell) in widths.iter_mut().zip(row) {
                *widest = width(cell).max(*widest);
            }
        }
        widths
    }

    fn wrapped(&self) -> Option<usize> {
        self.words.first().copied()
    }

    /// Formats a row as one or more lines.
    fn lines(&self, row: &[String], widths: &[usize]) -> Vec<String> {
        let column = self.wrapped().unwrap_or(usize::MAX);
        let room = widths.get(column).copied().unwrap_or(WIDTH);
        let mut pieces = wrapped(row.get(column).map_or("", String::as_str), " ", room);
        let is_too_long = pieces.first().is_some_and(|piece| width(piece) > room);
        if is_too_long {
            pieces.insert(1, String::new());
        }
        let lines = pieces.iter().enumerate().map(|(number, piece)| {
            let has_cells = number == usize::from(is_too_long);
            let cells = row.iter().zip(widths).enumerate().map(|(index, (cell, &width))| {
                let others = if has_cells { cell.as_str() } else { "" };
                let text = if index == column { piece } else { others };
                if self.words.contains(&index) {
                    pad_end(text, width)
                } else {
                    pad_start(text, width)
                }
            });
            cells.collect::<Vec<_>>().join(GAP).trim_end().to_owned()
        });
        lines.collect()
    }
}

/// Width of a line with columns of these widths.
fn total(widths: &[usize]) -> usize {
    widths.iter().sum::<usize>() + widths.len().saturating_sub(1) * GAP.len()
}

/// Breaks `text` after `separator` into lines of at most `columns`; a longer piece is a line.
pub fn wrapped(text: &str, separator: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for piece in text.split_inclusive(separator) {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(piece),
            Some(line) if width(line) + width(piece.trim_end()) <= columns => line.push_str(piece),
            _ => lines.push(piece.to_owned()),
        }
    }
    lines.iter().map(|line| line.trim_end().to_owned()).collect()
}

/// Formats a size in bytes with a decimal unit: `512 B`, `1.5 MB`.
pub fn size(bytes: u64) -> String {
    if bytes < 1000 { format!("{bytes} B") } else { scaled(bytes as f64) + "B" }
}

/// Formats a number from 1000 on with a decimal prefix: `1.5 M`.
pub fn scaled(number: f64) -> String {
    match number {
        number if number < 1e6 => format!("{:.1} k", number / 1e3),
        number if number < 1e9 => format!("{:.1} M", number / 1e6),
        number => format!("{:.1} G", number / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::style;

    fn table(first: &str, second: &str) -> String {
        let mut table = Table::new(["a", "number"], &[0]);
        table.row([first.to_owned(), second.to_owned()]);
        table.row(["x".to_owned(), "7".to_owned()]);
        table.text()
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        assert_eq!(table("long", "1"), "a     number\nlong       1\nx          7");
    }

    #[test]
    fn colours_do_not_widen_a_column() {
        let plain = table("long", "1");
        assert_eq!(style::plain(&table(&style::good("long"), &style::bad("1"))), plain);
    }

    #[test]
    fn columns_of_chinese_accented_and_emoji_names_line_up() {
        assert_eq!(table("猫犬", "1"), "a     number\n猫犬       1\nx          7");
        assert_eq!(
            table("e\u{301}te\u{301}", "1"),
            "a    number\ne\u{301}te\u{301}       1\nx         7"
        );
        assert_eq!(table("👩‍🚀", "1"), "a   number\n👩‍🚀       1\nx        7");
    }

    #[test]
    fn a_column_that_is_too_wide_is_wrapped_between_words() {
        let text = table("word ".repeat(20).trim_end(), "1");
        assert!(text.lines().all(|line| width(line) <= WIDTH), "{text}");
        assert!(text.lines().nth(1).unwrap().ends_with(" 1"), "{text}");
        assert!(text.lines().nth(2).unwrap().starts_with("word"), "{text}");
        assert_eq!(text.matches("word").count(), 20);
    }

    #[test]
    fn a_word_that_is_too_long_is_printed_above_its_row() {
        let text = table(&"w".repeat(76), "1");
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[1], "w".repeat(76));
        assert_eq!(lines[2].trim_start(), "1");
        assert_eq!(lines.len(), 4);
    }
}
