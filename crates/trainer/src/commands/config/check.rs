use std::path::Path;

use ::config::ConfigError;
use serde_json::{Value, json};
use training::RunConfig;

use crate::cli::CheckArgs;
use crate::error::Failure;
use crate::{print, style};

/// Checks every config, and fails with all that is wrong.
pub fn check(args: &CheckArgs) -> Result<(), Failure> {
    let check = |path| (path, RunConfig::read(path, &args.overrides).err());
    let checked: Vec<(&Path, _)> = args.configs.iter().map(|path| check(path.as_path())).collect();
    let wrong: Vec<_> = checked.iter().filter_map(|(_, error)| error.as_ref()).collect();
    print::result(&match args.json {
        true => format!("{:#}", checked.iter().map(of_file).collect::<Value>()),
        false => checked.iter().map(line).collect::<Vec<_>>().join("\n"),
    })?;
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(Failure::usage(
            wrong.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n\n"),
        )),
    }
}

fn line((path, error): &(&Path, Option<ConfigError>)) -> String {
    let verdict = match error {
        None => style::good("fine"),
        Some(_) => style::bad("wrong"),
    };
    format!("{}: {verdict}", path.display())
}

fn of_file((path, error): &(&Path, Option<ConfigError>)) -> Value {
    let problems = match error {
        None => Vec::new(),
        Some(ConfigError::Invalid(findings)) => findings
            .iter()
            .map(
                |found| json!({ "place": found.place, "key": found.key, "message": found.message }),
            )
            .collect(),
        Some(other) => vec![json!({ "place": null, "key": null, "message": other.to_string() })],
    };
    json!({ "config": path.display().to_string(), "problems": problems })
}
