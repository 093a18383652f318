use std::process::ExitCode;

use serde_json::json;
use training::{Prediction, Trained};

use super::STAND_IN;
use crate::cli::PredictArgs;
use crate::error::Failure;
use crate::print;

/// Classifies images or points with the best model of a run.
pub fn predict(args: &PredictArgs) -> Result<ExitCode, Failure> {
    let trained = Trained::open(&args.run, args.device.as_deref())?;
    let predictions = match args.features.is_empty() {
        true => trained.predict_images(&args.images)?,
        false => trained.predict_features(&args.features)?,
    };
    if args.json {
        let run = args.run.display().to_string();
        let all =
            json!({ "run": run, "stand_in": trained.data().stand_in, "predictions": predictions });
        print::result(&format!("{all:#}"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut lines: Vec<String> = predictions.iter().map(line).collect();
    lines.extend(trained.data().stand_in.then(|| STAND_IN.to_owned()));
    print::result(&lines.join("\n"))?;
    Ok(ExitCode::SUCCESS)
}

fn line(prediction: &Prediction) -> String {
    let percent = |probability: f32| format!("{:.1} %", 100.0 * probability);
    let each = prediction.probabilities.iter();
    let each = each.map(|pair| format!("{} {}", pair.class, percent(pair.probability)));
    format!(
        "{}: {} ({})  [{}]",
        prediction.input,
        prediction.class,
        percent(prediction.probability),
        each.collect::<Vec<_>>().join(", ")
    )
}
