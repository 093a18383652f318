use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use training::{ReferenceConfig, RunConfig};

use super::names;
use crate::cli::ReproduceArgs;
use crate::error::Failure;

/// An experiment that is known to reach something.
#[derive(Debug, Clone)]
pub struct Experiment {
    /// Its config.
    pub config: RunConfig,
    /// What it is known to reach.
    pub reference: ReferenceConfig,
    /// The name of the directory of the config.
    pub course: String,
}

impl Experiment {
    /// The name of the config.
    pub fn name(&self) -> &str {
        &self.config.name
    }
}

/// The experiments below the directory of configs, all of them or those named, in the order of
/// their paths.
pub fn find(args: &ReproduceArgs) -> Result<Vec<Experiment>, Failure> {
    let unreadable = |error: io::Error| {
        Failure::usage(format!(
            "cannot read the configs in {}: {error}\n  call this in the trainer's repository, or name them with --configs",
            args.configs.display()
        ))
    };
    let paths = toml_files(&args.configs).map_err(unreadable)?;
    let mut all = Vec::new();
    for path in paths {
        all.extend(experiment(&path, &args.overrides)?);
    }
    let unknown = args.names.iter().find(|name| !all.iter().any(|one| is_meant(one, name)));
    if let Some(unknown) = unknown {
        return Err(Failure::usage(format!(
            "there is no experiment `{unknown}` with a [reference] in {}\n  choose from {}",
            args.configs.display(),
            names(&all)
        )));
    }
    all.retain(|one| args.names.is_empty() || args.names.iter().any(|name| is_meant(one, name)));
    match all.is_empty() {
        true => Err(Failure::usage(format!(
            "no config in {} has a [reference]\n  name another directory with --configs",
            args.configs.display()
        ))),
        false => Ok(all),
    }
}

/// A name is that of an experiment, or of the directory of several.
fn is_meant(experiment: &Experiment, name: &str) -> bool {
    experiment.name() == name || experiment.course == name
}

fn experiment(path: &Path, overrides: &[String]) -> Result<Option<Experiment>, Failure> {
    let config =
        RunConfig::read(path, overrides).map_err(|error| Failure::usage(error.to_string()))?;
    let course = path.parent().and_then(Path::file_name).unwrap_or_default();
    let course = course.to_string_lossy().into_owned();
    Ok(config.reference.clone().map(|reference| Experiment { config, reference, course }))
}

/// The TOML files of `directory` and of the directories in it, sorted.
fn toml_files(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            let inner = fs::read_dir(&path)?.map(|entry| Ok(entry?.path()));
            files.extend(inner.collect::<io::Result<Vec<_>>>()?);
        } else {
            files.push(path);
        }
    }
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    Ok(files)
}
