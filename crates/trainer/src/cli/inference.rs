//! The arguments of `trainer evaluate`, `predict`, `serve`, `export` and `report`.

use std::num::NonZeroU16;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use data::SplitKind;

use super::experiment::assignment;
use super::{RunsOption, split_kind};

#[derive(Debug, Args)]
pub struct EvaluateArgs {
    /// Name or directory of the run
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    #[command(flatten)]
    pub runs: RunsOption,
    /// Split of the data [default: test, or validation if there is no test set]
    #[arg(long, value_parser = split_kind())]
    pub split: Option<SplitKind>,
    /// Other data: an HDF5 file, a folder of images, or a config, of which the data are used
    #[arg(long, value_name = "PATH")]
    pub data: Option<PathBuf>,
    /// Override a key of the data, for example dataset.hdf5.directory=elsewhere
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = assignment)]
    pub overrides: Vec<String>,
    /// Device, as for train [default: the best one]
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct PredictArgs {
    /// Name or directory of the run, or its file best_model.bpk
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    #[command(flatten)]
    pub runs: RunsOption,
    /// Image files, folders, glob patterns, or - for the standard input: an image, or a list of paths
    #[arg(value_name = "IMAGE", required_unless_present = "features")]
    pub images: Vec<PathBuf>,
    /// Features of a point, for a run on points; may be repeated
    #[arg(long, value_name = "A,B,..", allow_hyphen_values = true, conflicts_with = "images", value_parser = numbers)]
    pub features: Vec<Vec<f32>>,
    /// Number of classes to print for each input [default: 3, in CSV 1, in JSON all]
    #[arg(long, value_name = "K")]
    pub top_k: Option<NonZeroU16>,
    /// Answer `unsure` where the probability of the most likely class is below P, 0 to 1
    #[arg(long, value_name = "P", value_parser = probability)]
    pub threshold: Option<f32>,
    /// Device, as for train [default: the best one]
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<String>,
    /// Print CSV: input, class, probability
    #[arg(long, conflicts_with = "json")]
    pub csv: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[cfg(feature = "serve")]
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Names or directories of the runs
    #[arg(value_name = "RUN", required = true)]
    pub run: Vec<PathBuf>,
    #[command(flatten)]
    pub runs: RunsOption,
    /// Address and port; port 0 selects a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    pub bind: String,
    /// Device, as for train [default: the best one]
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<String>,
}

#[derive(Debug, Args)]
pub struct ExportModelArgs {
    /// Name or directory of the run, or its file best_model.bpk
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    #[command(flatten)]
    pub runs: RunsOption,
    /// Format of the model
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub to: ExportFormat,
    /// Output file or, for safetensors and web, directory [default: NAME.onnx, NAME-pytorch, NAME-web]
    #[arg(long, value_name = "PATH")]
    pub out: Option<PathBuf>,
    /// Folder of ONNX Runtime for browsers, for web [default: where scripts/onnxruntime_web puts it]
    #[arg(long, value_name = "DIR")]
    pub runtime: Option<PathBuf>,
    /// Device, as for train [default: the best one]
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<String>,
}

/// Format of an exported model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// A file for ONNX Runtime and others, with normalisation and probabilities
    Onnx,
    /// A directory with the weights and a PyTorch module that loads them
    Safetensors,
    /// A directory with a page that classifies images in the browser, for any web server
    Web,
}

#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Name or directory of the run
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    #[command(flatten)]
    pub runs: RunsOption,
    /// Write a comparison with this run instead
    #[arg(long, value_name = "RUN")]
    pub against: Option<PathBuf>,
    /// Device of the model [default: the best one]
    #[arg(long, value_name = "DEVICE", conflicts_with = "against")]
    pub device: Option<String>,
}

fn numbers(text: &str) -> Result<Vec<f32>, String> {
    let numbers = text.split(',').map(finite).collect::<Option<_>>();
    numbers.ok_or_else(|| "expected finite numbers separated by commas".to_owned())
}

fn probability(text: &str) -> Result<f32, String> {
    let value = finite(text).filter(|value| (0.0..=1.0).contains(value));
    value.ok_or_else(|| "expected a number from 0 to 1".to_owned())
}

fn finite(text: &str) -> Option<f32> {
    text.trim().parse().ok().filter(|value: &f32| value.is_finite())
}
