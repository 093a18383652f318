//! Classifies images with a trained model: `predict MODEL IMAGE..`, with the file `best_model.bpk` of
//! a run.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, process::ExitCode};

use data_sources::images::DecodedImage;
use training::{ModelRegistry, Prediction, Predictor};

fn main() -> ExitCode {
    let args: Vec<PathBuf> = env::args_os().skip(1).map(PathBuf::from).collect();
    let [model, images @ ..] = args.as_slice() else {
        eprintln!("usage: predict MODEL IMAGE..");
        return ExitCode::from(2);
    };
    match predict(model, images) {
        Ok(predictions) => {
            for Prediction { input, class, probability, .. } in predictions {
                println!("{input}: {class} ({:.1} %)", 100.0 * probability);
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn predict(model: &Path, images: &[PathBuf]) -> Result<Vec<Prediction>, Box<dyn Error>> {
    let model = Predictor::open(model, None, &ModelRegistry::new())?;
    let frame = model.frame()?;
    let names: Vec<String> = images.iter().map(|path| path.display().to_string()).collect();
    let pixels = images.iter().map(|path| Ok(DecodedImage::open(path)?.pixels(frame)));
    let pixels = pixels.collect::<Result<Vec<_>, Box<dyn Error>>>()?;
    Ok(model.predict_images(&names, &pixels)?)
}
