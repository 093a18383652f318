use serde_json::{Value, json};
use training::{ClassProbability, Prediction, Predictor};

use super::Unreadable;
use crate::cli::PredictArgs;
use crate::commands::SYNTHETIC_NOTICE;
use crate::error::Failure;
use crate::text::escaped;
use crate::{print, style};

/// Prints predictions: as text or CSV while they are made, as JSON at the end.
pub struct Output {
    format: Format,
    run: String,
    synthetic: bool,
    /// Number of classes to print; `None` for the default of the format.
    top: Option<usize>,
    /// Probability of the most likely class below which the answer is [`UNSURE`].
    threshold: Option<f32>,
    predictions: Vec<Value>,
    /// Whether the header of the CSV was printed.
    has_header: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Text,
    Csv,
    Json,
}

/// The class of an input whose most likely class is not likely enough.
const UNSURE: &str = "unsure";

/// Number of classes to print as text.
const TEXT_CLASSES: usize = 3;

impl Output {
    /// Output for predictions of `model`.
    pub fn new(args: &PredictArgs, model: &Predictor) -> Self {
        let format = match (args.json, args.csv) {
            (true, _) => Format::Json,
            (_, true) => Format::Csv,
            _ => Format::Text,
        };
        Self {
            format,
            run: args.run.display().to_string(),
            synthetic: model.data_identity().synthetic,
            top: args.top_k.map(|count| usize::from(count.get())),
            threshold: args.threshold,
            predictions: Vec::new(),
            has_header: false,
        }
    }

    /// Prints predictions, or keeps them for JSON.
    pub fn add(&mut self, mut predictions: Vec<Prediction>) -> Result<(), Failure> {
        for prediction in predictions.iter_mut().filter(|one| self.is_unsure(one)) {
            UNSURE.clone_into(&mut prediction.class);
        }
        match self.format {
            Format::Json => {
                let top = self.top;
                self.predictions.extend(predictions.into_iter().map(|one| as_json(one, top)));
                Ok(())
            }
            Format::Csv => self.csv(&predictions),
            Format::Text => predictions.iter().try_for_each(|one| print::result(&self.line(one))),
        }
    }

    /// Prints what follows the predictions.
    pub fn finish(self, unreadable: &[Unreadable]) -> Result<(), Failure> {
        match self.format {
            Format::Json => {
                let unreadable = unreadable.iter();
                let unreadable: Vec<Value> = unreadable
                    .map(|(input, reason)| json!({ "input": input, "reason": reason }))
                    .collect();
                let Self { run, synthetic, predictions, .. } = self;
                print::result(&format!(
                    "{:#}",
                    json!({ "run": run, "synthetic": synthetic, "predictions": predictions, "unreadable": unreadable })
                ))
            }
            Format::Text if self.synthetic => print::result(&style::doubtful(SYNTHETIC_NOTICE)),
            Format::Text | Format::Csv => Ok(()),
        }
    }

    /// Rows of the input, then the most likely classes, each with its probability; a header first.
    fn csv(&mut self, predictions: &[Prediction]) -> Result<(), Failure> {
        let top = self.top.unwrap_or(1);
        let mut rows = Vec::new();
        if !std::mem::replace(&mut self.has_header, true) {
            let numbers =
                (2..=top).flat_map(|rank| [format!("class_{rank}"), format!("probability_{rank}")]);
            rows.push(
                ["input", "class", "probability"]
                    .map(String::from)
                    .into_iter()
                    .chain(numbers)
                    .collect(),
            );
        }
        rows.extend(predictions.iter().map(|prediction| {
            let (class, probability) = (&prediction.class, prediction.probability.to_string());
            let others = best(prediction, top).into_iter().skip(1);
            let others = others.flat_map(|one| [one.class.clone(), one.probability.to_string()]);
            let first = [prediction.input.clone(), class.clone(), probability];
            first.into_iter().chain(others).collect::<Vec<String>>()
        }));
        let failed = |error: csv::Error| Failure::unstyled(&error.to_string());
        let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
        rows.iter().try_for_each(|row| writer.write_record(row)).map_err(failed)?;
        let bytes = writer.into_inner().map_err(|error| Failure::unstyled(&error.to_string()))?;
        print::result(String::from_utf8_lossy(&bytes).trim_end_matches('\n'))
    }

    fn line(&self, prediction: &Prediction) -> String {
        let classes = best(prediction, self.top.unwrap_or(TEXT_CLASSES)).into_iter();
        let mut classes: Vec<_> = classes.map(with_percent).collect();
        let (answer, others) = if self.is_unsure(prediction) {
            (style::strong(UNSURE), classes.join(", "))
        } else {
            classes.drain(..1);
            let class = style::strong(&escaped(&prediction.class));
            let others = if classes.is_empty() {
                String::new()
            } else {
                format!("then {}", classes.join(", "))
            };
            (format!("{class} ({:.1} %)", 100.0 * prediction.probability), others)
        };
        let line = format!("{}: {answer}  {}", escaped(&prediction.input), style::faint(&others));
        line.trim_end().to_owned()
    }

    /// Whether the most likely class is less likely than the threshold.
    fn is_unsure(&self, prediction: &Prediction) -> bool {
        let is_sure = |threshold| prediction.probability >= threshold;
        self.threshold.is_some_and(|threshold| !is_sure(threshold))
    }
}

/// A prediction as JSON, with the `top` most likely classes, or all.
fn as_json(mut prediction: Prediction, top: Option<usize>) -> Value {
    if let Some(top) = top {
        prediction.probabilities = best(&prediction, top).into_iter().cloned().collect();
    }
    json!(prediction)
}

/// The `count` most likely classes.
fn best(prediction: &Prediction, count: usize) -> Vec<&ClassProbability> {
    let mut classes: Vec<_> = prediction.probabilities.iter().collect();
    classes.sort_by(|one, other| other.probability.total_cmp(&one.probability));
    classes.truncate(count);
    classes
}

fn with_percent(class: &ClassProbability) -> String {
    format!("{} ({:.1} %)", escaped(&class.class), 100.0 * class.probability)
}
