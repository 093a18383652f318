use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use training::{ModelRegistry, ReferenceConfig, RunConfig};

use super::ReproduceArgs;
use crate::error::Failure;

/// An experiment with known scores.
#[derive(Debug, Clone)]
pub struct ReferenceExperiment {
    pub path: PathBuf,
    pub config: RunConfig,
    pub reference: ReferenceConfig,
    /// Name of the directory of the config.
    pub course: String,
}

impl ReferenceExperiment {
    pub fn name(&self) -> &str {
        &self.config.name
    }

    fn read(
        path: &Path,
        overrides: &[String],
        models: &ModelRegistry,
    ) -> Result<Option<Self>, Failure> {
        let config = RunConfig::read_with_models(path, overrides, models)
            .map_err(|error| Failure::usage(format!("{}: {error:#}", path.display())))?;
        let course = path.parent().and_then(Path::file_name).unwrap_or_default();
        let course = course.to_string_lossy().into_owned();
        let reference = config.reference.clone();
        Ok(reference.map(|reference| Self { path: path.to_owned(), config, reference, course }))
    }

    /// Whether `name` is that of the experiment or of its course.
    fn matches(&self, name: &str) -> bool {
        self.name() == name || self.course == name
    }
}

/// Reads the requested experiments, sorted by path. The overrides apply to these alone.
pub fn find(
    args: &ReproduceArgs,
    models: &ModelRegistry,
) -> Result<Vec<ReferenceExperiment>, Failure> {
    let mut all = Vec::new();
    let files = toml_files(&args.configs).map_err(|error| {
        Failure::usage(format!(
            "cannot read the configs in {}: {error}\n  call this in the trainer's repository, or name them with --configs",
            args.configs.display()
        ))
    })?;
    for path in files {
        all.extend(ReferenceExperiment::read(&path, &[], models)?);
    }
    if let Some(unknown) = args.names.iter().find(|name| !all.iter().any(|one| one.matches(name))) {
        let names: Vec<_> = all.iter().map(ReferenceExperiment::name).collect();
        return Err(Failure::usage(format!(
            "there is no experiment `{unknown}` with a [reference] in {}\n  choose from {}",
            args.configs.display(),
            names.join(", ")
        )));
    }
    all.retain(|one| args.names.is_empty() || args.names.iter().any(|name| one.matches(name)));
    let mut requested = Vec::new();
    for one in all {
        requested.extend(ReferenceExperiment::read(&one.path, &args.overrides, models)?);
    }
    check_unique_names(&requested)?;
    if requested.is_empty() {
        return Err(Failure::usage(format!(
            "no config in {} has a [reference]\n  name another directory with --configs",
            args.configs.display()
        )));
    }
    Ok(requested)
}

/// Fails if two experiments have the same name: their run directories are named after them.
fn check_unique_names(experiments: &[ReferenceExperiment]) -> Result<(), Failure> {
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

/// The TOML files in `directory` and in its direct subdirectories, sorted.
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
