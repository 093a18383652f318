use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use dataset::hdf5::{self, Hdf5Error, Keep, Part};
use dataset::{
    DatasetConfig, DatasetError, Hdf5Config, OnMissing, Split, SplitConfig, StandInConfig,
};
use training::{RunConfig, RunError};

use super::starter::Starter;
use crate::cli::InitArgs;
use crate::error::Failure;
use crate::{print, style};

/// The numbers of examples of a batch that are tried: with some, batch norm would get a batch of
/// one.
const FEWER: [usize; 4] = [0, 2, 4, 6];

/// Writes a first config for given data.
pub fn init(args: &InitArgs) -> Result<(), Failure> {
    let name = name(&args.data);
    let path = args.out.clone().unwrap_or_else(|| PathBuf::from(format!("{name}.toml")));
    if path.exists() {
        return Err(exists(&path));
    }
    let dataset = find(&args.data)?;
    let text = fitting(name, dataset, &path)?;
    let mut file = File::create_new(&path).map_err(|error| refused(&path, &error))?;
    file.write_all(text.as_bytes()).map_err(|error| refused(&path, &error))?;
    let path = path.display();
    let next = style::faint(&format!("next: trainer --config {path}"));
    print::result(&format!("{path}: written\n{next}"))
}

/// The text of a config that can be trained on `dataset`.
fn fitting(name: String, dataset: Hdf5Config, path: &Path) -> Result<String, Failure> {
    let has = (dataset.validation.is_some(), dataset.test.is_some());
    let source = DatasetConfig::Hdf5(dataset.clone()).load().map_err(RunError::from)?;
    let (train, classes) = (&source.train, source.classes.len());
    let mut starter = Starter::new(name, dataset, (train.shape, train.are_images()), classes);
    starter.size(train.len());
    let fraction = |has| if has { 0.0 } else { starter.held_out };
    let split =
        SplitConfig { validation_fraction: fraction(has.0), test_fraction: fraction(has.1) };
    // The seed changes no number of examples.
    let split = split.apply(source, 1).map_err(too_few)?;
    let batch_size = starter.batch_size;
    let texts = FEWER.map(|fewer| {
        starter.batch_size = batch_size - fewer;
        starter.text()
    });
    let refusals = texts.iter().map(|text| objection(text, &split, path));
    let mut tried = refusals.zip(&texts);
    match tried.find(|(refusal, _)| refusal.is_ok()) {
        Some((_, text)) => Ok(text.clone()),
        None => objection(&starter.text(), &split, path).map(|()| starter.text()),
    }
}

/// The error in words of someone who has set no fraction.
fn too_few(error: DatasetError) -> Failure {
    match error {
        DatasetError::EmptySplit { part, count, .. } => Failure::usage(format!(
            "{count} examples are too few to hold a {part} set out of them\n  name data with more, or with a {part} set of their own"
        )),
        error => RunError::from(error).into(),
    }
}

/// Fails if the config `text` cannot be trained on `data`.
fn objection(text: &str, data: &Split, path: &Path) -> Result<(), Failure> {
    let config = RunConfig::parse(path, text).map_err(|error| Failure::usage(error.to_string()))?;
    Ok(config.check_against(data)?)
}

/// The files at `data`, by what is in them.
fn find(data: &Path) -> Result<Hdf5Config, Failure> {
    let (directory, files) = files(data)?;
    let (mut trains, mut tests) = (Vec::new(), Vec::new());
    for file in files {
        let path = directory.join(&file);
        let holds = [holds(&path, Part::Train)?, holds(&path, Part::Test)?];
        if let [true, _] = holds {
            trains.push(file.clone());
        }
        if let [_, true] = holds {
            tests.push(file);
        }
    }
    let validation = (trains.len() == 2).then(|| trains.iter().position(|f| is_validation(f)));
    let validation = validation.flatten().map(|place| trains.remove(place));
    Ok(Hdf5Config {
        train: only(data, "training", trains)?.ok_or_else(|| nothing(data))?,
        test: only(data, "test", tests)?,
        validation,
        directory,
        directory_env: None,
        in_memory: None,
        on_missing: OnMissing::Fail,
        stand_in: StandInConfig::default(),
    })
}

/// A directory, and the names of the files in it that may be data.
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

fn holds(path: &Path, part: Part) -> Result<bool, Failure> {
    match hdf5::open(path, part, Keep::Automatic) {
        Ok(_) => Ok(true),
        Err(Hdf5Error::WrongPart { .. } | Hdf5Error::Missing { .. }) => Ok(false),
        Err(error) => Err(Failure::run(&error)),
    }
}

fn is_validation(file: &Path) -> bool {
    let name = file.to_string_lossy().to_lowercase();
    ["val", "dev"].iter().any(|part| name.contains(part))
}

/// The only one of `files`, if there is one.
fn only(data: &Path, part: &str, files: Vec<PathBuf>) -> Result<Option<PathBuf>, Failure> {
    let names: Vec<_> = files.iter().map(|file| file.display().to_string()).collect();
    match files.len() {
        0 | 1 => Ok(files.into_iter().next()),
        count => Err(Failure::usage(format!(
            "{}: {count} files hold a {part} set: {}\n  name one of them, or leave one of them there",
            data.display(),
            names.join(", ")
        ))),
    }
}

/// The name of the experiment on `data`.
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
        "{}: no HDF5 file with a training set, `train_set_x` and `train_set_y`\n  name a .h5 file, or a directory of .h5 or .hdf5 files",
        data.display()
    ))
}

fn exists(path: &Path) -> Failure {
    Failure::usage(format!(
        "{} exists\n  name another file with --out, or remove it first",
        path.display()
    ))
}

fn refused(path: &Path, error: &std::io::Error) -> Failure {
    Failure::usage(format!("{}: {error}\n  name another one", path.display()))
}
