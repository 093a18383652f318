//! `trainer evaluate RUN --data ..`.

use std::path::Path;

use data::SplitKind;
use data_hdf5::{Hdf5Error, Hdf5ErrorKind, Hdf5File, Residency};
use data_sources::{DatasetConfig, FolderConfig};
use training::{OtherData, TrainedModel};

use super::EvaluateArgs;
use crate::commands::inspect::is_config;
use crate::context::Context;
use crate::error::Failure;

/// Loads the data that the arguments name in place of those of the run; `None` if they name none.
pub fn load(
    args: &EvaluateArgs,
    model: &TrainedModel,
    context: &Context,
) -> Result<Option<OtherData>, Failure> {
    let EvaluateArgs { data, split, overrides, .. } = args;
    match data {
        None if overrides.is_empty() => Ok(None),
        None => {
            check_keys(overrides)?;
            let config = model.run().config();
            of_config(&config, args, context, overrides.join(" ")).map(Some)
        }
        Some(path) if is_config(path) => {
            of_config(path, args, context, path.display().to_string()).map(Some)
        }
        Some(_) if !overrides.is_empty() => Err(Failure::usage(
            "--set changes keys of a config, and --data names a file\n  give one of them",
        )),
        Some(path) if path.is_dir() => of_folder(path, *split, model).map(Some),
        Some(path) => Ok(Some(of_file(path, *split, model)?)),
    }
}

fn of_config(
    path: &Path,
    args: &EvaluateArgs,
    context: &Context,
    name: String,
) -> Result<OtherData, Failure> {
    let config = context.read_config(path, &args.overrides)?;
    Ok(OtherData::of_config(&config, args.split, name)?)
}

/// Fails if a key does not concern the data.
fn check_keys(overrides: &[String]) -> Result<(), Failure> {
    let tables = ["dataset", "split"];
    let changes_data = |key: &str| tables.contains(&key.split(['.', '=']).next().unwrap_or(key));
    match overrides.iter().find(|assignment| !changes_data(assignment.trim())) {
        None => Ok(()),
        Some(other) => Err(Failure::usage(format!(
            "--set {other} does not change the data, and a trained model is evaluated as it is\n  set keys of `dataset` and `split`"
        ))),
    }
}

/// One part of a folder of images, resized as those of the run. By default the one whose scores
/// would be reported.
fn of_folder(
    path: &Path,
    split: Option<SplitKind>,
    model: &TrainedModel,
) -> Result<OtherData, Failure> {
    let name = path.display().to_string();
    let folder = FolderConfig::new(path, model.predictor().frame()?).resolve()?;
    Ok(OtherData::of_dataset(folder.load()?, split, name)?)
}

/// One part of an HDF5 file, by default its test set if it has one, otherwise its only part. Images are
/// resized if those of the run were.
fn of_file(
    path: &Path,
    split: Option<SplitKind>,
    model: &TrainedModel,
) -> Result<OtherData, Hdf5Error> {
    let open = |split| data_hdf5::open(path, split, Residency::Automatic);
    let (split, mut file) = match (split, open(split.unwrap_or(SplitKind::Test))) {
        (None, Err(error)) if error.kind == Hdf5ErrorKind::WrongPart => {
            (SplitKind::Train, open(SplitKind::Train)?)
        }
        (split, file) => (split.unwrap_or(SplitKind::Test), file?),
    };
    if let DatasetConfig::Hdf5(config) = &model.config().dataset {
        config.resize(&mut file, model.data_identity().fit.unwrap_or_default());
    }
    let Hdf5File { examples, classes, synthetic, sha256, .. } = file;
    let path = path.display().to_string();
    Ok(OtherData { path, split, examples, classes, synthetic, sha256: Some(sha256) })
}
