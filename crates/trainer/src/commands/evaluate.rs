use std::process::ExitCode;

use training::{Evaluation, Trained, WithoutTwins};

use super::STAND_IN;
use crate::cli::EvaluateArgs;
use crate::error::Failure;
use crate::print;

/// Scores the best model of a run on one part of its data.
pub fn evaluate(args: &EvaluateArgs) -> Result<ExitCode, Failure> {
    let trained = Trained::open(&args.run, args.device.as_deref())?;
    let evaluation = trained.evaluate(args.split.into())?;
    print::result(&match args.json {
        true => format!("{:#}", serde_json::json!(evaluation)),
        false => text(&evaluation),
    })?;
    Ok(ExitCode::SUCCESS)
}

fn text(evaluation: &Evaluation) -> String {
    let correct = evaluation.correct();
    let mut text = format!(
        "{} set: accuracy {:.1} % ({correct} of {}), loss {:.4}\n",
        evaluation.split.as_str(),
        100.0 * evaluation.accuracy,
        evaluation.count,
        evaluation.loss
    );
    text += &evaluation.without_twins.as_ref().map_or(String::new(), without_twins);
    text.push('\n');
    text += &class_table(evaluation);
    if let Some(roc_auc) = evaluation.roc_auc {
        text += &format!("ROC AUC {roc_auc:.4}\n");
    }
    text += &confusion_table(evaluation);
    if evaluation.stand_in {
        text = text + "\n\n" + STAND_IN;
    }
    text
}

/// The score that no image of the training set helps, where there are such.
fn without_twins(score: &WithoutTwins) -> String {
    let images = match score.twins.len() {
        0 => return String::new(),
        1 => "1 image".to_owned(),
        count => format!("{count} images"),
    };
    let rest = match score.accuracy {
        None => "none is left".to_owned(),
        Some(accuracy) => {
            format!("{:.1} % ({} of {})", 100.0 * accuracy, score.correct, score.count)
        }
    };
    format!("without {images} with a twin in the training set: {rest}\n")
}

fn class_table(evaluation: &Evaluation) -> String {
    let width = name_width(evaluation);
    let mut table = format!("{:<width$}  precision   recall       f1    count\n", "class");
    for class in &evaluation.classes {
        let percent = |value: f64| format!("{:.1} %", 100.0 * value);
        let (precision, recall, f1) =
            (percent(class.precision), percent(class.recall), percent(class.f1));
        let (name, count) = (&class.name, class.count);
        let row = format!("{name:<width$}  {precision:>9}  {recall:>7}  {f1:>7}  {count:>7}\n");
        table += &row;
    }
    table
}

fn confusion_table(evaluation: &Evaluation) -> String {
    let width = name_width(evaluation);
    let line = |head: &str, cells: Vec<String>| {
        let cells: String = cells.iter().map(|cell| format!(" {cell:>7}")).collect();
        format!("{head:<width$}{cells}\n")
    };
    let names = evaluation.classes.iter().map(|class| class.name.clone());
    let mut table = String::from("\nconfusion, one row a true class, one column a predicted one\n");
    table += &line("", names.collect());
    for (class, row) in evaluation.classes.iter().zip(&evaluation.confusion) {
        table += &line(&class.name, row.iter().map(usize::to_string).collect());
    }
    table.trim_end().to_owned()
}

fn name_width(evaluation: &Evaluation) -> usize {
    let names = evaluation.classes.iter().map(|class| class.name.chars().count());
    names.max().unwrap_or(0).max("class".len())
}
