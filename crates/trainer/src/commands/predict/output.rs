use serde_json::{Value, json};
use training::{ClassProbability, Prediction, Predictor};

use super::{PredictArgs, Unreadable};
use crate::commands::SYNTHETIC_NOTICE;
use crate::error::Failure;
use crate::text::escaped;
use crate::{print, style};

/// Prints predictions: as text or CSV while they are made, as JSON at the end.
pub struct Output<'a> {
    args: &'a PredictArgs,
    synthetic: bool,
    /// All predictions, for JSON.
    predictions: Vec<Value>,
    /// Whether the header of the CSV was printed.
    has_header: bool,
}

/// The class of an input whose most likely class is not likely enough.
const UNSURE: &str = "unsure";

/// Number of classes to print as text.
const TEXT_CLASSES: usize = 3;

impl<'a> Output<'a> {
    /// Output for predictions of `model`.
    pub fn new(args: &'a PredictArgs, model: &Predictor) -> Self {
        let synthetic = model.data_identity().synthetic;
        Self { args, synthetic, predictions: Vec::new(), has_header: false }
    }

    /// Prints predictions, or keeps them for JSON.
    pub fn add(&mut self, mut predictions: Vec<Prediction>) -> Result<(), Failure> {
        for prediction in predictions.iter_mut().filter(|one| self.is_unsure(one)) {
            UNSURE.clone_into(&mut prediction.class);
        }
        if self.args.csv {
            return self.csv(&predictions);
        }
        for mut prediction in predictions {
            if self.args.json {
                if self.args.top_k.is_some() {
                    let best = self.best(&prediction, 0).into_iter().cloned().collect();
                    prediction.probabilities = best;
                }
                self.predictions.push(json!(prediction));
            } else {
                print::result(&self.line(&prediction))?;
            }
        }
        Ok(())
    }

    /// Prints what follows the predictions.
    pub fn finish(self, unreadable: &[Unreadable]) -> Result<(), Failure> {
        if self.args.json {
            let unreadable = unreadable.iter();
            let unreadable: Vec<Value> = unreadable
                .map(|(input, reason)| json!({ "input": input, "reason": reason }))
                .collect();
            let (run, synthetic) = (self.args.run.display().to_string(), self.synthetic);
            let predictions = self.predictions;
            return print::json(
                &json!({ "run": run, "synthetic": synthetic, "predictions": predictions, "unreadable": unreadable }),
            );
        }
        if self.synthetic && !self.args.csv {
            print::result(&style::doubtful(SYNTHETIC_NOTICE))?;
        }
        Ok(())
    }

    /// Rows of the input, then the most likely classes, each with its probability; a header first.
    fn csv(&mut self, predictions: &[Prediction]) -> Result<(), Failure> {
        let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
        if !std::mem::replace(&mut self.has_header, true) {
            let top = self.args.top_k.map_or(1, |count| count.get());
            let others =
                (2..=top).flat_map(|rank| [format!("class_{rank}"), format!("probability_{rank}")]);
            let first = ["input", "class", "probability"].map(String::from);
            writer.write_record(first.into_iter().chain(others))?;
        }
        for prediction in predictions {
            let (class, probability) = (&prediction.class, prediction.probability.to_string());
            let others = self.best(prediction, 1).into_iter().skip(1);
            let others = others.flat_map(|one| [one.class.clone(), one.probability.to_string()]);
            let first = [prediction.input.clone(), class.clone(), probability];
            writer.write_record(first.into_iter().chain(others))?;
        }
        print::result(String::from_utf8_lossy(&writer.into_inner()?).trim_end_matches('\n'))
    }

    fn line(&self, prediction: &Prediction) -> String {
        let classes = self.best(prediction, TEXT_CLASSES).into_iter().map(with_percent);
        let (answer, others) = if self.is_unsure(prediction) {
            (style::strong(UNSURE), classes.collect::<Vec<_>>().join(", "))
        } else {
            let class = style::strong(&escaped(&prediction.class));
            let others = classes.skip(1).collect::<Vec<_>>().join(", ");
            let others = if others.is_empty() { String::new() } else { format!("then {others}") };
            (format!("{class} ({:.1} %)", 100.0 * prediction.probability), others)
        };
        let line = format!("{}: {answer}  {}", escaped(&prediction.input), style::faint(&others));
        line.trim_end().to_owned()
    }

    /// Whether the most likely class is less likely than the threshold.
    fn is_unsure(&self, prediction: &Prediction) -> bool {
        let is_sure = |threshold| prediction.probability >= threshold;
        self.args.threshold.is_some_and(|threshold| !is_sure(threshold))
    }

    /// The most likely classes, as many as the option says or `default`.
    fn best<'p>(&self, prediction: &'p Prediction, default: usize) -> Vec<&'p ClassProbability> {
        let mut classes: Vec<_> = prediction.probabilities.iter().collect();
        classes.sort_by(|one, other| other.probability.total_cmp(&one.probability));
        classes.truncate(self.args.top_k.map_or(default, |count| usize::from(count.get())));
        classes
    }
}

fn with_percent(class: &ClassProbability) -> String {
    format!("{} ({:.1} %)", escaped(&class.class), 100.0 * class.probability)
}
