use std::process::ExitCode;

use serde_json::json;
use training::{Prediction, Trained};

use super::STAND_IN;
use crate::cli::PredictArgs;
use crate::error::Failure;
use crate::{print, style};

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
    lines.extend(trained.data().stand_in.then(|| style::doubtful(STAND_IN)));
    print::result(&lines.join("\n"))?;
    Ok(ExitCode::SUCCESS)
}

/// The most other classes that are told; JSON has all.
const OTHERS: usize = 2;

fn line(prediction: &Prediction) -> String {
    let percent = |probability: f32| format!("{:.1} %", 100.0 * probability);
    let mut others: Vec<_> = prediction.probabilities.iter().collect();
    others.sort_by(|one, other| other.probability.total_cmp(&one.probability));
    let others = others.iter().skip(1).take(OTHERS);
    let others = others.map(|pair| format!("{} ({})", pair.class, percent(pair.probability)));
    let others = others.collect::<Vec<_>>().join(", ");
    format!(
        "{}: {} ({})  {}",
        prediction.input,
        style::strong(&prediction.class),
        percent(prediction.probability),
        style::faint(&format!("else {others}"))
    )
}
