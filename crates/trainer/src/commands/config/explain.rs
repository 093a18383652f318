use ::config::{Entry, Manual};
use training::RunConfig;

use crate::cli::ExplainArgs;
use crate::error::Failure;
use crate::{print, style};

/// How wide a line may be.
const WIDTH: usize = 80;

/// Tells what a key means.
pub fn explain(args: &ExplainArgs) -> Result<(), Failure> {
    let manual = Manual::of(&RunConfig::schema());
    let key = args.key.as_deref().unwrap_or_default();
    print::result(&match manual.get(key) {
        Some(entry) => of_key(&manual, entry),
        None if key.is_empty() => list(manual.below("").map(item).collect()),
        None => return Err(unknown(&manual, key)),
    })
}

fn unknown(manual: &Manual, key: &str) -> Failure {
    let meant = manual.meant(key);
    let meant: Vec<_> = meant.iter().map(|known| format!("`{known}`")).collect();
    let remedy = match meant.is_empty() {
        true => "`trainer config explain` lists all at the top".to_owned(),
        false => format!("did you mean {}?", meant.join(" or ")),
    };
    Failure::usage(format!("no config has a key `{}`: {remedy}", key.escape_debug()))
}

fn of_key(manual: &Manual, entry: &Entry) -> String {
    let mut text = format!("{}\n{}\n", style::strong(&entry.key), wrapped(&entry.description, 2));
    if !entry.details.is_empty() {
        text += &format!("\n{}\n", wrapped(&entry.details, 2));
    }
    text += &format!("\n  type: {}\n", entry.kind);
    text += &match &entry.default {
        Some(default) => format!("  default: {default}\n"),
        None if entry.required => "  required\n".to_owned(),
        None => String::new(),
    };
    let choices = entry.choices.iter();
    let choices = choices.map(|choice| (choice.name.clone(), choice.description.clone()));
    let items: Vec<_> = choices.chain(manual.below(&entry.key).map(item)).collect();
    if items.is_empty() { text.trim_end().to_owned() } else { text + "\n" + &list(items) }
}

/// The name of a key, and what there is to say of it in a list.
fn item(entry: &Entry) -> (String, String) {
    let default = match &entry.default {
        Some(default) => format!("; default {default}"),
        None if entry.required => "; required".to_owned(),
        None => String::new(),
    };
    (entry.name().to_owned(), format!("{} ({}{default})", entry.description, entry.kind))
}

/// Names, and what they mean beside them.
fn list(items: Vec<(String, String)>) -> String {
    let names = items.iter().map(|(name, _)| name.chars().count());
    let indent = names.max().unwrap_or(0) + 4;
    let lines = items.iter().map(|(name, text)| {
        let text = wrapped(text, indent);
        format!("  {name:<width$}  {}", text.trim_start(), width = indent - 4)
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// `text` in lines that begin with so many spaces.
fn wrapped(text: &str, indent: usize) -> String {
    let margin = " ".repeat(indent);
    let mut lines = vec![margin.clone()];
    for word in text.split(' ').flat_map(|word| word.split_inclusive('\n')) {
        match lines.last_mut() {
            Some(line) if *line == margin => *line += word.trim_end(),
            Some(line) if line.chars().count() + word.trim_end().chars().count() < WIDTH => {
                *line += &format!(" {}", word.trim_end());
            }
            _ => lines.push(format!("{margin}{}", word.trim_end())),
        }
        if word.ends_with('\n') {
            lines.push(margin.clone());
        }
    }
    lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_broken_between_words_and_paragraphs_stay() {
        let text = format!("{}\n\nend", "seven77 ".repeat(20).trim_end());
        let shown = wrapped(&text, 2);
        assert!(shown.lines().all(|line| line.chars().count() <= WIDTH), "{shown}");
        assert_eq!(shown.matches("seven77").count(), 20);
        assert!(shown.ends_with("\n\n  end"), "{shown}");
    }

    #[test]
    fn every_key_is_told_within_the_width_of_a_terminal() {
        let manual = Manual::of(&RunConfig::schema());
        for entry in manual.entries() {
            let text = of_key(&manual, entry);
            assert!(text.lines().all(|line| style::width(line) <= WIDTH), "{text}");
        }
    }
}
