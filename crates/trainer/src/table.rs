//! Tables of text that fit a terminal, and sizes as people read them.

use crate::style;

/// How wide a line may be.
pub const WIDTH: usize = 80;
/// Between two columns.
const GAP: &str = "  ";
/// What is left to the column that gives way, at least.
const NARROWEST: usize = 12;

/// Rows under a head. One column gives way where they would be too wide.
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
    wrapped: usize,
}

/// Where the cells of a column stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

struct Column {
    head: String,
    align: Align,
}

impl Table {
    /// A table with these heads, of which the column `wrapped` gives way: its cells are broken
    /// between words, and a word that is too long stands in a line of its own above its row.
    pub fn new<'a>(heads: impl IntoIterator<Item = (&'a str, Align)>, wrapped: usize) -> Self {
        let column = |(head, align): (&str, _)| Column { head: head.to_owned(), align };
        Self { columns: heads.into_iter().map(column).collect(), rows: Vec::new(), wrapped }
    }

    /// Adds a row, with a cell for each column.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Whether no cell has to be broken.
    pub fn fits(&self) -> bool {
        self.natural_widths().iter().sum::<usize>() + self.gaps() <= WIDTH
    }

    /// The lines of the table, without an end of line behind the last.
    pub fn text(&self) -> String {
        let widths = self.widths();
        let head = self.columns.iter().map(|column| column.head.clone()).collect();
        let rows = [&head].into_iter().chain(&self.rows);
        let lines = rows.flat_map(|row| self.lines(row, &widths));
        lines.collect::<Vec<_>>().join("\n")
    }

    fn natural_widths(&self) -> Vec<usize> {
        let width = |(index, column): (usize, &Column)| {
            let cells = self.rows.iter().filter_map(|row| row.get(index));
            cells.map(|cell| length(cell)).fold(length(&column.head), usize::max)
        };
        self.columns.iter().enumerate().map(width).collect()
    }

    fn widths(&self) -> Vec<usize> {
        let mut widths = self.natural_widths();
        let total = widths.iter().sum::<usize>() + self.gaps();
        if let Some(width) = widths.get_mut(self.wrapped) {
            let least = (*width).min(NARROWEST);
            *width = width.saturating_sub(total.saturating_sub(WIDTH)).max(least);
        }
        widths
    }

    fn gaps(&self) -> usize {
        self.columns.len().saturating_sub(1) * GAP.len()
    }

    /// A row as one or more lines.
    fn lines(&self, row: &[String], widths: &[usize]) -> Vec<String> {
        let width = widths.get(self.wrapped).copied().unwrap_or(WIDTH);
        let mut pieces = wrapped(row.get(self.wrapped).map_or("", String::as_str), " ", width);
        if pieces.first().is_some_and(|piece| length(piece) > width) {
            pieces.insert(1, String::new());
        }
        let main = usize::from(pieces.first().is_some_and(|piece| length(piece) > width));
        let line = |(number, piece): (usize, String)| {
            let is_main = number == main;
            let cells = row.iter().enumerate().map(|(index, cell)| match index == self.wrapped {
                true => piece.as_str(),
                false if is_main => cell.as_str(),
                false => "",
            });
            self.line(cells, widths)
        };
        pieces.into_iter().enumerate().map(line).collect()
    }

    fn line<'a>(&self, cells: impl Iterator<Item = &'a str>, widths: &[usize]) -> String {
        let cells = cells.zip(&self.columns).zip(widths).map(|((cell, column), &width)| {
            let gap = " ".repeat(width.saturating_sub(length(cell)));
            match column.align {
                Align::Left => format!("{cell}{gap}"),
                Align::Right => format!("{gap}{cell}"),
            }
        });
        cells.collect::<Vec<_>>().join(GAP).trim_end().to_owned()
    }
}

/// `text` in lines of at most `width` characters, broken behind `separator`; a longer piece is a line.
pub fn wrapped(text: &str, separator: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for piece in text.split_inclusive(separator) {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(piece),
            Some(line) if length(line) + length(piece.trim_end()) <= width => line.push_str(piece),
            _ => lines.push(piece.to_owned()),
        }
    }
    lines.iter().map(|line| line.trim_end().to_owned()).collect()
}

/// A size as people read it.
pub fn size(bytes: u64) -> String {
    match bytes as f64 {
        bytes if bytes < 1e3 => format!("{bytes} B"),
        bytes if bytes < 1e6 => format!("{:.1} kB", bytes / 1e3),
        bytes if bytes < 1e9 => format!("{:.1} MB", bytes / 1e6),
        bytes => format!("{:.1} GB", bytes / 1e9),
    }
}

fn length(text: &str) -> usize {
    style::width(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(first: &str, second: &str) -> String {
        let mut table = Table::new([("a", Align::Left), ("number", Align::Right)], 0);
        table.row([first.to_owned(), second.to_owned()]);
        table.row(["x".to_owned(), "7".to_owned()]);
        table.text()
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        assert_eq!(table("long", "1"), "a     number\nlong       1\nx          7");
    }

    #[test]
    fn colours_take_no_room() {
        let plain = table("long", "1");
        assert_eq!(style::plain(&table(&style::good("long"), &style::bad("1"))), plain);
    }

    #[test]
    fn a_column_that_is_too_wide_is_broken_between_words() {
        let text = table("word ".repeat(20).trim_end(), "1");
        assert!(text.lines().all(|line| length(line) <= WIDTH), "{text}");
        assert!(text.lines().nth(1).unwrap().ends_with(" 1"), "{text}");
        assert!(text.lines().nth(2).unwrap().starts_with("word"), "{text}");
        assert_eq!(text.matches("word").count(), 20);
    }

    #[test]
    fn a_word_that_is_too_long_stands_above_its_row() {
        let text = table(&"w".repeat(76), "1");
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[1], "w".repeat(76));
        assert_eq!(lines[2].trim_start(), "1");
        assert_eq!(lines.len(), 4);
    }
}
