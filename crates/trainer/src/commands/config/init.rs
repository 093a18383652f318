use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use data::{DatasetError, LoadedDataset, Split, SplitConfig, SplitKind};
use data_hdf5::ObjectKeys;
use data_sources::quality::{MirrorSymmetry, Splitting};
use data_sources::{DatasetConfig, FolderConfig, Hdf5Config};
use training::{ModelRegistry, RunConfig};

use super::recipe::Facts;
use super::starter::Starter;
use crate::error::Failure;
use crate::{print, style, text};

/// Reductions of the batch size that are tried: some sizes leave a last batch of one example, which
/// batch normalization cannot use.
const REDUCTIONS: [usize; 4] = [0, 2, 4, 6];

#[derive(Debug, Args)]
pub struct InitArgs {
    /// HDF5 file, directory of such files, or folder of images
    #[arg(value_name = "DATA")]
    data: PathBuf,
    /// Output file [default: the name of the data with .toml]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub fn init(args: &InitArgs) -> Result<(), Failure> {
    if args.data.extension().is_some_and(|ending| ending == "toml") {
        let path = args.data.display();
        return Err(Failure::usage(format!(
            "{path} is the name of a config, not of data\n  give the data, trainer config init data/train.h5 --out {path}; an existing config is checked by `trainer config check {path}`"
        )));
    }
    let path = args.out.clone().unwrap_or_else(|| file_name(&args.data));
    if path.exists() {
        return Err(Failure::usage(format!(
            "{} already exists\n  choose another file with --out, or remove it first",
            path.display()
        )));
    }
    let text = propose(&args.data, &path)?;
    let written = File::create_new(&path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| refused(&path, &error))?;
    let path = text::path(&path);
    let next = style::faint(&format!("next: trainer --config {path}"));
    print::result(&format!("wrote {path}\n{next}"))
}

/// Returns the text of a config, to be stored at `path`, that can be trained on the files or the
/// folder of images `data`.
pub fn propose(data: &Path, path: &Path) -> Result<String, Failure> {
    let mut dataset = dataset_of(&[data.to_owned()])?;
    let source = dataset.load()?;
    if let DatasetConfig::Hdf5(files) = &mut dataset {
        files.fit = source.fit;
    }
    let mut starter = Starter::new(name(data), dataset, facts(&source)?);
    starter.held_out = held_out(&source, starter.held_out)?;
    let split = split_config(starter.held_out);
    // Another seed changes the number of examples of a split by a few at most.
    let (split, _) = Splitting::of_run(&split, 1).apply(source)?;
    let batch_size = starter.recipe.batch_size;
    for reduction in REDUCTIONS {
        starter.recipe.batch_size = batch_size - reduction;
        let text = starter.text();
        if check(&text, &split, path).is_ok() {
            return Ok(text);
        }
    }
    check(&starter.text(), &split, path).map(|()| starter.text())
}

fn facts(source: &LoadedDataset) -> Result<Facts, Failure> {
    let train = &source.train;
    let mut counts = vec![0; source.classes.len()];
    for label in &train.labels {
        if let Some(count) = counts.get_mut(*label as usize) {
            *count += 1;
        }
    }
    let mirror = MirrorSymmetry::of(train)?.verdict;
    Ok(Facts { shape: train.shape, are_images: train.are_images(), counts, mirror })
}

/// Fractions for a validation and a test set: as given, without a test set if there are too few
/// examples, or without both.
fn held_out(source: &LoadedDataset, fractions: [f64; 2]) -> Result<[f64; 2], Failure> {
    for fractions in [fractions, [fractions[0], 0.0]] {
        match Splitting::of_run(&split_config(fractions), 1).divide(source) {
            Err(DatasetError::EmptySplit { .. }) => {}
            division => return Ok(division.map(|_| fractions)?),
        }
    }
    Ok([0.0; 2])
}

fn split_config([validation_fraction, test_fraction]: [f64; 2]) -> SplitConfig {
    SplitConfig { validation_fraction, test_fraction, ..SplitConfig::default() }
}

/// Fails if the config `text` cannot be trained on `data`.
fn check(text: &str, data: &Split, path: &Path) -> Result<(), Failure> {
    Ok(RunConfig::parse(path, text, &[], &ModelRegistry::new())?.check_against(data)?)
}

/// Returns the data set in a folder of images, an HDF5 file or a directory of them, or several files.
pub fn dataset_of(inputs: &[PathBuf]) -> Result<DatasetConfig, Failure> {
    let (data, (directory, files)) = match inputs {
        [data] => (data.as_path(), files(data)?),
        several => {
            let absolute = |path: &PathBuf| std::path::absolute(path).unwrap_or(path.clone());
            (Path::new("."), (PathBuf::from("."), several.iter().map(absolute).collect()))
        }
    };
    Ok(if files.is_empty() {
        DatasetConfig::Folder(FolderConfig::propose(data)?)
    } else {
        DatasetConfig::Hdf5(find(data, directory, files)?)
    })
}

/// Finds the training, validation and test files among `files` of `directory` by their contents.
fn find(data: &Path, directory: PathBuf, files: Vec<PathBuf>) -> Result<Hdf5Config, Failure> {
    let mut found: [Vec<PathBuf>; 3] = Default::default();
    for file in files {
        let splits = splits(&directory.join(&file))?;
        for (split, found) in SplitKind::ALL.iter().zip(&mut found) {
            if splits.contains(split) {
                found.push(file.clone());
            }
        }
    }
    let [train, validation, test] = found;
    let train = only(data, "training", train)?.ok_or_else(|| nothing(data))?;
    Ok(Hdf5Config {
        test: only(data, "test", test)?,
        validation: only(data, "validation", validation)?,
        ..Hdf5Config::new(&directory, &train)
    })
}

/// Parts that the file at `path` serves as. Its name gives the part of objects that name none, and of a
/// validation set under the names of a training set.
fn splits(path: &Path) -> Result<Vec<SplitKind>, Failure> {
    let parts = ObjectKeys::default().parts(path)?;
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let named = data_hdf5::part_of(&stem);
    let part = |part: &Option<SplitKind>| match (part, named) {
        (None, named) => named.unwrap_or(SplitKind::Train),
        (Some(SplitKind::Train), Some(SplitKind::Validation)) if parts.len() == 1 => {
            SplitKind::Validation
        }
        (Some(part), _) => *part,
    };
    Ok(parts.iter().map(part).collect())
}

/// Returns a directory and the names of its HDF5 files.
fn files(data: &Path) -> Result<(PathBuf, Vec<PathBuf>), Failure> {
    if !data.is_dir() {
        let directory = data.parent().filter(|parent| *parent != Path::new(""));
        let file = data.file_name().ok_or_else(|| nothing(data))?;
        return Ok((directory.unwrap_or(Path::new(".")).to_owned(), vec![file.into()]));
    }
    let entries = fs::read_dir(data).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let entries = entries.map_err(|error| refused(data, &error))?;
    let names = entries.iter().map(|entry| PathBuf::from(entry.file_name()));
    let is_data = |name: &PathBuf| {
        let ending = name.extension().and_then(OsStr::to_str);
        ending.is_some_and(|ending| ["h5", "hdf5"].contains(&ending))
    };
    let mut names: Vec<_> = names.filter(is_data).collect();
    names.sort();
    Ok((data.to_owned(), names))
}

/// Returns the only file of `files`; fails if there are several.
fn only(data: &Path, split: &str, files: Vec<PathBuf>) -> Result<Option<PathBuf>, Failure> {
    let names: Vec<_> = files.iter().map(|file| file.display().to_string()).collect();
    match files.len() {
        0 | 1 => Ok(files.into_iter().next()),
        count => Err(Failure::usage(format!(
            "{}: {count} files contain a {split} set: {}\n  pass one of them, or keep only one of them in the directory",
            data.display(),
            names.join(", ")
        ))),
    }
}

/// Default name of the config for `data`.
pub fn file_name(data: &Path) -> PathBuf {
    PathBuf::from(format!("{}.toml", name(data)))
}

/// Derives the name of the experiment from the path of its data.
fn name(data: &Path) -> String {
    let absolute = std::path::absolute(data).unwrap_or_default();
    let stem = if data.is_dir() { absolute.file_name() } else { absolute.file_stem() };
    let stem = stem.map(OsStr::to_string_lossy).unwrap_or_default();
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    let name: String = stem.chars().map(plain).take(64).collect();
    if name.is_empty() { "experiment".to_owned() } else { name }
}

fn nothing(data: &Path) -> Failure {
    Failure::usage(format!(
        "{}: no HDF5 file with a training set, such as `train_set_x` and `train_set_y`\n  pass a .h5 file, or a directory of .h5 or .hdf5 files",
        data.display()
    ))
}

fn refused(path: &Path, error: &std::io::Error) -> Failure {
    Failure::usage(format!("{}: {error}\n  choose another path", path.display()))
}
