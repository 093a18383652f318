//! `trainer evaluate`: scores of the best model of a run.

mod other_data;

use std::iter;
use std::path::PathBuf;

use artifacts::{Calibration, DeduplicatedScore, Evaluation};
use clap::Args;
use data::SplitKind;

use super::SYNTHETIC_NOTICE;
use super::runs::find_run;
use crate::cli::{RunsOption, assignment, split_kind};
use crate::context::Context;
use crate::error::Failure;
use crate::table::Table;
use crate::text::escaped;
use crate::{print, style};

#[derive(Debug, Args)]
pub struct EvaluateArgs {
    /// Name or directory of the run
    #[arg(value_name = "RUN")]
    run: PathBuf,
    #[command(flatten)]
    runs: RunsOption,
    /// Split of the data [default: test, or validation if there is no test set]
    #[arg(long, value_parser = split_kind())]
    split: Option<SplitKind>,
    /// Other data: an HDF5 file, a folder of images, or a config, of which the data are used
    #[arg(long, value_name = "PATH")]
    data: Option<PathBuf>,
    /// Override a key of the data, for example dataset.hdf5.directory=elsewhere
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = assignment)]
    overrides: Vec<String>,
    /// Device, as for train [default: the best one]
    #[arg(long, value_name = "DEVICE")]
    device: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

const TRAINING_SCORE: &str = "the model was trained on these examples, and the run has no others: the score says nothing about new data";

pub fn run(args: &EvaluateArgs, context: &Context) -> Result<(), Failure> {
    let model = context.open(&find_run(args.runs.path(), &args.run)?, args.device.as_deref())?;
    let evaluation = match other_data::load(args, &model, context)? {
        Some(data) => model.evaluate_on(data)?,
        None => {
            let reported = model.data_identity().reported();
            if reported == SplitKind::Train {
                tracing::warn!("{TRAINING_SCORE}");
            }
            model.evaluate(args.split.unwrap_or(reported))?
        }
    };
    print::json_or_text(args.json, &evaluation, || text(&evaluation))
}

fn text(evaluation: &Evaluation) -> String {
    let correct = evaluation.correct();
    let data = evaluation.data.as_ref().map_or(String::new(), |path| escaped(path) + ", ");
    let mut text = format!(
        "{data}{} set: {} ({correct} of {}), loss {:.4}\n",
        evaluation.split,
        style::strong(&format!("accuracy {:.1} %", 100.0 * evaluation.accuracy)),
        evaluation.count,
        evaluation.loss
    );
    text += &evaluation.deduplicated.as_ref().map_or(String::new(), deduplicated);
    text += &evaluation.calibration.as_ref().map_or(String::new(), calibration);
    text.push('\n');
    text += &class_table(evaluation);
    if let Some(top_5) = evaluation.top_5 {
        text += &format!("top-5 accuracy {:.1} %\n", 100.0 * top_5);
    }
    if let Some(roc_auc) = evaluation.roc_auc {
        text += &format!("ROC AUC {roc_auc:.4}\n");
    }
    text += &confusion(evaluation);
    if evaluation.synthetic {
        text = text + "\n\n" + &style::doubtful(SYNTHETIC_NOTICE);
    }
    text
}

/// Score without the images that have near-duplicates in the training set, if there are any.
fn deduplicated(score: &DeduplicatedScore) -> String {
    let images = match score.near_duplicates.len() {
        0 => return String::new(),
        1 => "1 image with a near-duplicate".to_owned(),
        count => format!("{count} images with near-duplicates"),
    };
    let rest = match score.accuracy {
        None => "none left".to_owned(),
        Some(accuracy) => {
            format!("{:.1} % ({} of {})", 100.0 * accuracy, score.correct, score.count)
        }
    };
    format!("without {images} in the training set: {rest}\n")
}

/// The expected calibration error, without and with the temperature of the model.
fn calibration(calibration: &Calibration) -> String {
    let before = 100.0 * calibration.error_before;
    match (calibration.temperature, calibration.error_after) {
        (Some(temperature), Some(after)) => format!(
            "calibration error {before:.1} % before, {:.1} % after the temperature {temperature:.3}\n",
            100.0 * after
        ),
        _ => format!(
            "calibration error {before:.1} %; no temperature, since there is no validation set\n"
        ),
    }
}

/// Number of classes up to which the table has all of them, and number of the worst ones otherwise.
const CLASSES: [usize; 2] = [40, 20];

fn class_table(evaluation: &Evaluation) -> String {
    let [most, worst] = CLASSES;
    let count = evaluation.classes.len();
    let (classes, note) = if count > most {
        let note = format!("the {worst} classes with the lowest F1, of {count}; --json has all\n");
        (evaluation.worst_classes().into_iter().take(worst).collect(), note)
    } else {
        (evaluation.classes.iter().collect::<Vec<_>>(), String::new())
    };
    let mut table = Table::new(["class", "precision", "recall", "f1", "count"], &[0]);
    for class in classes {
        let [precision, recall, f1] = [class.precision, class.recall, class.f1]
            .map(|value| format!("{:.1} %", 100.0 * value));
        table.row([escaped(&class.name), precision, recall, f1, class.count.to_string()]);
    }
    note + &table.text() + "\n"
}

/// Maximum number of class pairs to list.
const PAIRS: usize = 10;

/// The confusion matrix if it fits, otherwise the most frequent confusions.
fn confusion(evaluation: &Evaluation) -> String {
    if evaluation.classes.len() <= CLASSES[0] {
        let names: Vec<_> = evaluation.classes.iter().map(|class| escaped(&class.name)).collect();
        let mut matrix = Table::new(iter::once(&String::new()).chain(&names), &[0]);
        for (name, row) in names.iter().zip(&evaluation.confusion) {
            matrix.row(iter::once(name.clone()).chain(row.iter().map(usize::to_string)));
        }
        if matrix.fits() {
            let head = "confusion matrix: a row per true class, a column per prediction";
            return format!("\n{head}\n{}", matrix.text());
        }
    }
    let pairs = evaluation.confusions();
    let mut table = Table::new(["class", "predicted as", "count"], &[0, 1]);
    for pair in pairs.iter().take(PAIRS) {
        let [class, predicted] = [pair.class, pair.predicted].map(|class| escaped(&class.name));
        table.row([class, predicted, pair.count.to_string()]);
    }
    match pairs.len() {
        0 => "\nno example is misclassified".to_owned(),
        1..=PAIRS => format!("\nmost frequent confusions\n{}", table.text()),
        all => format!("\nmost frequent confusions, {PAIRS} of {all} pairs\n{}", table.text()),
    }
}
