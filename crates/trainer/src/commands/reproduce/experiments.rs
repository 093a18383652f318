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
        let reference = config.reference.clone();
        Ok(reference.map(|reference| Self { path: path.to_owned(), config, reference }))
    }

    /// Whether `name` is that of the experiment or of its course, the directory of the config.
    fn matches(&self, name: &str) -> bool {
        let course = self.path.parent().and_then(Path::file_name);
        self.name() == name || course.is_some_and(|course| course == name)
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
    let mut requested: Vec<ReferenceExperiment> = Vec::new();
    for one in all {
        let overrides = &args.overrides;
        let Some(one) = ReferenceExperiment::read(&one.path, overrides, models)? else { continue };
        // Their run directories are named after them.
        if let Some(other) = requested.iter().find(|other| other.name() == one.name()) {
            return Err(Failure::usage(format!(
                "{} and {} are both called `{}`\n  give each a `name` of its own",
                other.path.display(),
                one.path.display(),
                one.name()
            )));
        }
        requested.push(one);
    }
    if requested.is_empty() {
        return Err(Failure::usage(format!(
            "no config in {} has a [reference]\n  name another directory with --configs",
            args.configs.display()
        )));
    }
    Ok(requested)
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
