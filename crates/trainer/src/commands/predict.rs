use std::process::ExitCode;

use serde_json::json;
use training::{ClassProbability, Prediction};

use super::SYNTHETIC_NOTICE;
use super::runs::find_run;
use crate::cli::PredictArgs;
use crate::context::Context;
use crate::error::Failure;
use crate::text::escaped;
use crate::{print, style};

/// Classifies images or points with the best model of a run.
pub fn predict(args: &PredictArgs, context: &Context) -> Result<ExitCode, Failure> {
    let model = context.open(&find_run(args.runs.path(), &args.run)?, args.device.as_deref())?;
    let predictions = if args.features.is_empty() {
        model.predict_images(&args.images)?
    } else {
        model.predict_features(&args.features)?
    };
    let synthetic = model.data_identity().synthetic;
    print::result(&if args.json {
        let run = args.run.display().to_string();
        format!("{:#}", json!({ "run": run, "synthetic": synthetic, "predictions": predictions }))
    } else {
        let mut lines: Vec<String> = predictions.iter().map(line).collect();
        lines.extend(synthetic.then(|| style::doubtful(SYNTHETIC_NOTICE)));
        lines.join("\n")
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Maximum number of less probable classes to print; JSON has all.
const RUNNERS_UP: usize = 2;

fn line(prediction: &Prediction) -> String {
    let mut classes: Vec<_> = prediction.probabilities.iter().collect();
    classes.sort_by(|one, other| other.probability.total_cmp(&one.probability));
    let others: Vec<_> = classes.into_iter().skip(1).take(RUNNERS_UP).map(with_percent).collect();
    format!(
        "{}: {} ({:.1} %)  {}",
        escaped(&prediction.input),
        style::strong(&escaped(&prediction.class)),
        100.0 * prediction.probability,
        style::faint(&format!("then {}", others.join(", ")))
    )
}

fn with_percent(class: &ClassProbability) -> String {
    format!("{} ({:.1} %)", escaped(&class.class), 100.0 * class.probability)
}
