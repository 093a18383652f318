//! Arguments that several commands share: the config, its overrides, and the directory of the runs.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::commands::RUNS_DIR;

/// The config of a command, as an argument or an option.
#[derive(Debug, Args)]
pub struct ConfigPath {
    /// TOML file of the experiment, or a run to use its config
    #[arg(value_name = "CONFIG", required_unless_present = "config")]
    argument: Option<PathBuf>,
    /// The same as CONFIG
    #[arg(long, value_name = "FILE", conflicts_with = "argument")]
    config: Option<PathBuf>,
}

impl ConfigPath {
    /// The path as given.
    pub fn as_path(&self) -> &Path {
        let path = self.argument.as_deref().or(self.config.as_deref());
        path.unwrap_or(Path::new(""))
    }
}

#[derive(Debug, Args)]
pub struct Overrides {
    /// Override a key of the config, for example training.epochs=10
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = assignment)]
    pub overrides: Vec<String>,
}

#[derive(Debug, Default, Args)]
pub struct RunsOption {
    /// Directory of the runs [default: runs]
    #[arg(long, value_name = "DIR")]
    pub runs: Option<PathBuf>,
}

impl RunsOption {
    /// The directory of the runs.
    pub fn path(&self) -> &Path {
        self.runs.as_deref().unwrap_or(Path::new(RUNS_DIR))
    }
}

/// Fails for an argument without `=`, which is often followed by its value.
pub fn assignment(argument: &str) -> Result<String, String> {
    if argument.contains('=') {
        return Ok(argument.to_owned());
    }
    let key = if argument.is_empty() { "training.epochs" } else { argument };
    Err(format!(
        "--set {argument}: there is no `=`\n  write KEY=VALUE without spaces, for example --set {key}=10"
    ))
}
