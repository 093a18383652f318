use ::config::{Entry, Manual};
use clap::Args;
use training::{ModelRegistry, RunConfig};

use crate::error::Failure;
use crate::style::width;
use crate::table::{self, WIDTH};
use crate::text::{escaped, pad_end};
use crate::{print, style};

#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// Key or table, for example optimizer.adam.beta_1 [default: list the top-level keys]
    #[arg(value_name = "KEY")]
    key: Option<String>,
}

pub fn explain(args: &ExplainArgs, models: &ModelRegistry) -> Result<(), Failure> {
    let manual = Manual::of(&RunConfig::schema(models));
    let key = args.key.as_deref().unwrap_or_default();
    print::result(&match manual.get(key) {
        Some(entry) => of_key(&manual, entry),
        None if key.is_empty() => list(manual.below("").map(item).collect()),
        None => {
            let similar = manual.suggestions(key);
            let similar: Vec<_> = similar.iter().map(|known| format!("`{known}`")).collect();
            let remedy = if similar.is_empty() {
                "`trainer config explain` lists the top-level keys".to_owned()
            } else {
                format!("did you mean {}?", similar.join(" or "))
            };
            let key = escaped(key);
            return Err(Failure::usage(format!("unknown config key `{key}`\n  {remedy}")));
        }
    })
}

fn of_key(manual: &Manual, entry: &Entry) -> String {
    let mut text = format!("{}\n{}\n", style::strong(&entry.key), wrapped(&entry.description, 2));
    if !entry.details.is_empty() {
        text += &format!("\n{}\n", wrapped(&entry.details, 2));
    }
    text += &format!("\n{}\n", wrapped(&format!("type: {}", entry.kind), 2));
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

/// The name of a key, and its description, type and default.
fn item(entry: &Entry) -> (String, String) {
    let default = match &entry.default {
        Some(default) => format!("; default {default}"),
        None if entry.required => "; required".to_owned(),
        None => String::new(),
    };
    (entry.name().to_owned(), format!("{} ({}{default})", entry.description, entry.kind))
}

/// Formats names with their descriptions in a second column.
fn list(items: Vec<(String, String)>) -> String {
    let name_width = items.iter().map(|(name, _)| width(name)).max().unwrap_or(0);
    let lines = items.iter().map(|(name, text)| {
        let text = wrapped(text, name_width + 4);
        format!("  {}  {}", pad_end(name, name_width), text.trim_start())
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Wraps each line of `text` and indents it.
fn wrapped(text: &str, indent: usize) -> String {
    let margin = " ".repeat(indent);
    let lines = text.lines().flat_map(|line| table::wrapped(line, " ", WIDTH - indent));
    let lines: Vec<_> = lines.map(|line| format!("{margin}{line}").trim_end().to_owned()).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_wrapped_and_paragraphs_are_kept() {
        let text = format!("{}\n\nend", "seven77 ".repeat(20).trim_end());
        let shown = wrapped(&text, 2);
        assert!(shown.lines().all(|line| width(line) <= WIDTH), "{shown}");
        assert_eq!(shown.matches("seven77").count(), 20);
        assert!(shown.ends_with("\n\n  end"), "{shown}");
    }

    #[test]
    fn the_explanation_of_every_key_fits_a_terminal() {
        let manual = Manual::of(&RunConfig::schema(&ModelRegistry::new()));
        for entry in manual.entries() {
            let text = of_key(&manual, entry);
            assert!(text.lines().all(|line| width(line) <= WIDTH), "{text}");
        }
    }
}
