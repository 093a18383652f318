//! `trainer predict`: classifies images or points with the best model of a run.

mod inputs;
mod output;

use std::num::NonZeroU16;
use std::path::{Path, PathBuf};

use clap::Args;
use data_sources::images::{BLOCK, DecodedImage, Frame, ImageFacts, ImageFileError, decode_block};
use support::ProgressTask;
use training::Predictor;

use crate::cli::RunsOption;
use crate::context::Context;
use crate::error::Failure;
use crate::{signals, text};
use inputs::{Input, inputs};
use output::Output;

#[derive(Debug, Args)]
pub struct PredictArgs {
    /// Name or directory of the run, or its file best_model.bpk
    #[arg(value_name = "RUN")]
    run: PathBuf,
    #[command(flatten)]
    runs: RunsOption,
    /// Image files, folders, glob patterns, or - for the standard input: an image, or a list of paths
    #[arg(value_name = "IMAGE", required_unless_present = "features")]
    images: Vec<PathBuf>,
    /// Features of a point, for a run on points; may be repeated
    #[arg(long, value_name = "A,B,..", allow_hyphen_values = true, conflicts_with = "images", value_parser = numbers)]
    features: Vec<Vec<f32>>,
    /// Number of classes to print for each input [default: 3, in CSV 1, in JSON all]
    #[arg(long, value_name = "K")]
    top_k: Option<NonZeroU16>,
    /// Answer `unsure` where the probability of the most likely class is below P, 0 to 1
    #[arg(long, value_name = "P", value_parser = probability)]
    threshold: Option<f32>,
    /// Device, as for train [default: the best one]
    #[arg(long, value_name = "DEVICE")]
    device: Option<String>,
    /// Print CSV: input, class, probability
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
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

const UNCALIBRATED: &str = "the probabilities are not calibrated: the model has no temperature, which is fitted on a validation set at the end of a run";

/// Classifies images or points. Images that cannot be read are listed at the end, with exit code 1.
pub fn run(args: &PredictArgs, context: &Context) -> Result<(), Failure> {
    let model = context.predictor(args.runs.path(), &args.run, args.device.as_deref())?;
    if args.threshold.is_some() && model.temperature().is_none() {
        tracing::warn!("{UNCALIBRATED}");
    }
    let mut output = Output::new(args, &model);
    if !args.features.is_empty() {
        output.add(model.predict_features(&args.features)?)?;
        return output.finish(&[]);
    }
    let frame = model.frame()?;
    let inputs = inputs(&args.images)?;
    let (unreadable, facts) = predict_images(&model, frame, &inputs, &mut output)?;
    output.finish(&unreadable)?;
    if let Some(warning) = facts.warning() {
        tracing::warn!("{warning}");
    }
    if unreadable.is_empty() {
        return Ok(());
    }
    Err(Failure::run(list(&unreadable, inputs.len())))
}

/// An input and the reason why it cannot be read.
type Unreadable = (String, String);

/// Predicts block after block of images, and returns those that cannot be read.
fn predict_images(
    model: &Predictor,
    frame: Frame,
    inputs: &[Input],
    output: &mut Output,
) -> Result<(Vec<Unreadable>, ImageFacts), Failure> {
    let signals = signals::listen()?;
    let task = ProgressTask::start("classifying images", inputs.len());
    let (mut unreadable, mut facts) = (Vec::new(), ImageFacts::default());
    for block in inputs.chunks(BLOCK) {
        if let Some(stop) = signals.received() {
            return Err(Failure::stopped("stopped before the last image", stop));
        }
        let (mut names, mut images) = (Vec::new(), Vec::new());
        for (input, pixels) in block.iter().zip(decode(block, frame, &mut facts)) {
            match pixels {
                Ok(pixels) => {
                    names.push(input.name());
                    images.push(pixels);
                }
                Err(error) => unreadable.push((input.name(), error.to_string())),
            }
        }
        output.add(model.predict_images(&names, &images)?)?;
        task.advance(block.len());
    }
    Ok((unreadable, facts))
}

/// Decodes files by all threads. The standard input is a block of its own.
fn decode(
    block: &[Input],
    frame: Frame,
    facts: &mut ImageFacts,
) -> Vec<Result<Vec<u8>, ImageFileError>> {
    if let [Input::Bytes(bytes)] = block {
        let image = DecodedImage::decode(bytes);
        image.iter().for_each(|image| facts.merge(image.facts));
        return vec![image.map(|image| image.pixels(frame))];
    }
    let paths: Vec<&Path> = block.iter().map(Input::path).collect();
    let images = decode_block(&paths, &[frame], facts);
    images.into_iter().map(|rows| rows.map(|rows| rows.concat())).collect()
}

/// Maximum number of unreadable images to list; JSON has all.
const LINES: usize = 50;

fn list(unreadable: &[Unreadable], count: usize) -> String {
    let lines = unreadable.iter();
    let lines =
        lines.map(|(name, reason)| format!("  {}: {}", text::escaped(name), text::escaped(reason)));
    let lines = text::shortened(lines.collect(), LINES, "");
    format!("{} of {count} images cannot be read:\n{lines}", unreadable.len())
}
