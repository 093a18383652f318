use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use training::{ReferenceConfig, RunConfig};

use super::order::Order;
use crate::error::Failure;

/// An experiment that is known to reach something.
#[derive(Debug, Clone)]
pub struct Experiment {
    /// The file of its config.
    pub path: PathBuf,
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
/// their paths. The overrides are for those alone.
pub fn find(order: &Order) -> Result<Vec<Experiment>, Failure> {
    let mut all = Vec::new();
    for path in toml_files(&order.configs).map_err(|error| unreadable(order, &error))? {
        all.extend(experiment(&path, &[])?);
    }
    let unknown = order.names.iter().find(|name| !all.iter().any(|one| is_meant(one, name)));
    if let Some(unknown) = unknown {
        return Err(Failure::usage(format!(
            "there is no experiment `{unknown}` with a [reference] in {}\n  choose from {}",
            order.configs.display(),
            names(&all)
        )));
    }
    all.retain(|one| order.names.is_empty() || order.names.iter().any(|name| is_meant(one, name)));
    let mut chosen = Vec::new();
    for one in all {
        chosen.extend(experiment(&one.path, &order.overrides)?);
    }
    must_differ(&chosen)?;
    match chosen.is_empty() {
        true => Err(Failure::usage(format!(
            "no config in {} has a [reference]\n  name another directory with --configs",
            order.configs.display()
        ))),
        false => Ok(chosen),
    }
}

fn unreadable(order: &Order, error: &io::Error) -> Failure {
    Failure::usage(format!(
        "cannot read the configs in {}: {error}\n  call this in the trainer's repository, or name them with --configs",
        order.configs.display()
    ))
}

/// The runs of an experiment are called after it.
fn must_differ(experiments: &[Experiment]) -> Result<(), Failure> {
    for (index, one) in experiments.iter().enumerate() {
        let same = experiments.iter().take(index).find(|other| other.name() == one.name());
        if let Some(other) = same {
            return Err(Failure::usage(format!(
                "{} and {} are both called `{}`\n  give each a `name` of its own",
                other.path.display(),
                one.path.display(),
                one.name()
            )));
        }
    }
    Ok(())
}

/// What the experiments are called, for messages.
fn names(experiments: &[Experiment]) -> String {
    let names: Vec<_> = experiments.iter().map(Experiment::name).collect();
    names.join(", ")
}

/// A name is that of an experiment, or of the directory of several.
fn is_meant(experiment: &Experiment, name: &str) -> bool {
    experiment.name() == name || experiment.course == name
}

fn experiment(path: &Path, overrides: &[String]) -> Result<Option<Experiment>, Failure> {
    let config = RunConfig::read(path, overrides)
        .map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
    let course = path.parent().and_then(Path::file_name).unwrap_or_default();
    let course = course.to_string_lossy().into_owned();
    Ok(config.reference.clone().map(|reference| Experiment {
        path: path.to_owned(),
        config,
        reference,
        course,
    }))
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
