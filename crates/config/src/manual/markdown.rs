//! The manual as Markdown.

use super::{Choice, Entry, Manual};

impl Manual {
    /// Returns a page with one table of keys for each table of the config.
    pub fn markdown(&self) -> String {
        let mut page = self.table("");
        for entry in self.entries().iter().filter(|entry| self.has_below(entry)) {
            page += &format!("\n## {}\n\n{}\n\n", entry.key, entry.description);
            if !entry.details.is_empty() {
                page += &format!("{}\n\n", entry.details);
            }
            let choices = entry.choices.iter().map(|choice| format!("- {}\n", describe(choice)));
            let choices: String = choices.collect();
            page += &if choices.is_empty() { choices } else { choices + "\n" };
            page += &self.table(&entry.key);
        }
        page
    }

    fn table(&self, key: &str) -> String {
        let head = "| Key | Type | Default | |\n| --- | --- | --- | --- |\n".to_owned();
        self.below(key).fold(head, |table, entry| table + &self.row(entry))
    }

    fn row(&self, entry: &Entry) -> String {
        let default = match &entry.default {
            Some(default) => format!("`{default}`"),
            None if entry.required => "required".to_owned(),
            None => String::new(),
        };
        // The choices of a key with its own section are listed there.
        let choices = entry.choices.iter().filter(|_| !self.has_below(entry));
        let choices: String = choices.map(|choice| format!("<br>{}", describe(choice))).collect();
        let text = entry.description.clone() + &choices;
        let cells = [format!("`{}`", entry.name()), entry.kind.clone(), default, text];
        format!("| {} |\n", cells.map(|cell| escaped(&cell)).join(" | "))
    }

    fn has_below(&self, entry: &Entry) -> bool {
        self.below(&entry.key).next().is_some()
    }
}

fn describe(choice: &Choice) -> String {
    format!("`{}`: {}", choice.name, choice.description)
}

/// Escapes `cell` for a table.
fn escaped(cell: &str) -> String {
    cell.replace('|', "\\|").replace('\n', " ")
}
