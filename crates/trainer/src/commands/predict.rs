//! `trainer predict`: classifies images or points with the best model of a run.

mod inputs;
mod output;

use std::path::Path;
use std::process::ExitCode;

use data_sources::images::{BLOCK, DecodedImage, Frame, ImageFacts, ImageFileError, decode_block};
use support::ProgressTask;
use training::Predictor;

use crate::cli::PredictArgs;
use crate::context::Context;
use crate::error::Failure;
use crate::{print, signals, text};
use inputs::{Input, inputs};
use output::Output;

const UNCALIBRATED: &str = "the probabilities are not calibrated: the model has no temperature, which is fitted on a validation set at the end of a run";

/// Classifies images or points. Images that cannot be read are listed at the end, with exit code 1.
pub fn predict(args: &PredictArgs, context: &Context) -> Result<ExitCode, Failure> {
    let model = context.predictor(args.runs.path(), &args.run, args.device.as_deref())?;
    if args.threshold.is_some() && model.temperature().is_none() {
        tracing::warn!("{UNCALIBRATED}");
    }
    let mut output = Output::new(args, &model);
    if !args.features.is_empty() {
        output.add(model.predict_features(&args.features)?)?;
        output.finish(&[])?;
        return Ok(ExitCode::SUCCESS);
    }
    let frame = model.frame()?;
    let inputs = inputs(&args.images)?;
    let (unreadable, facts) = predict_images(&model, frame, &inputs, &mut output)?;
    output.finish(&unreadable)?;
    if let Some(warning) = facts.warning() {
        tracing::warn!("{warning}");
    }
    if unreadable.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    print::error(&list(&unreadable, inputs.len()));
    Ok(ExitCode::FAILURE)
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
    let signals = signals::listen().map_err(|error| Failure::run(&error))?;
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
    let lines = unreadable.iter().take(LINES);
    let lines =
        lines.map(|(name, reason)| format!("  {}: {}", text::escaped(name), text::escaped(reason)));
    let mut lines: Vec<String> = lines.collect();
    let more = unreadable.len().saturating_sub(LINES);
    lines.extend((more > 0).then(|| format!("  and {more} more")));
    format!("{} of {count} images cannot be read:\n{}", unreadable.len(), lines.join("\n"))
}
