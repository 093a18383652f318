use std::cmp::Reverse;
use std::process::ExitCode;

use training::{ClassScore, Evaluation, Trained, WithoutTwins};

use super::STAND_IN;
use crate::cli::EvaluateArgs;
use crate::error::Failure;
use crate::table::{Align, Table};
use crate::{print, style};

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
        "{} set: {} ({correct} of {}), loss {:.4}\n",
        evaluation.split.as_str(),
        style::strong(&format!("accuracy {:.1} %", 100.0 * evaluation.accuracy)),
        evaluation.count,
        evaluation.loss
    );
    text += &evaluation.without_twins.as_ref().map_or(String::new(), without_twins);
    text.push('\n');
    text += &class_table(evaluation);
    if let Some(roc_auc) = evaluation.roc_auc {
        text += &format!("ROC AUC {roc_auc:.4}\n");
    }
    text += &confusion(evaluation);
    if evaluation.stand_in {
        text = text + "\n\n" + &style::doubtful(STAND_IN);
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
    let numbers = ["precision", "recall", "f1", "count"].map(|head| (head, Align::Right));
    let mut table = Table::new([("class", Align::Left)].into_iter().chain(numbers), 0);
    for class in &evaluation.classes {
        let [precision, recall, f1] = [class.precision, class.recall, class.f1]
            .map(|value| format!("{:.1} %", 100.0 * value));
        table.row([class.name.clone(), precision, recall, f1, class.count.to_string()]);
    }
    table.text() + "\n"
}

/// The whole table where it fits, else what is confused most.
fn confusion(evaluation: &Evaluation) -> String {
    let names = evaluation.classes.iter().map(|class| class.name.as_str());
    let heads = names.map(|name| (name, Align::Right));
    let mut table = Table::new([("", Align::Left)].into_iter().chain(heads), 0);
    for (class, row) in evaluation.classes.iter().zip(&evaluation.confusion) {
        table.row([class.name.clone()].into_iter().chain(row.iter().map(usize::to_string)));
    }
    match table.fits() {
        true => {
            let head = "confusion, one row a true class, one column a predicted one";
            format!("\n{head}\n{}", table.text())
        }
        false => confused(evaluation),
    }
}

/// The most pairs of classes that are listed.
const PAIRS: usize = 10;

/// Which classes are taken for which others, the most frequent first.
fn confused(evaluation: &Evaluation) -> String {
    let rows = evaluation.confusion.iter().enumerate();
    let cells = rows.flat_map(|(of, row)| {
        row.iter().enumerate().map(move |(taken, &count)| (count, of, taken))
    });
    let mut wrong: Vec<_> = cells.filter(|(count, of, taken)| *count > 0 && of != taken).collect();
    wrong.sort_by_key(|&(count, of, taken)| (Reverse(count), of, taken));
    let name = |class| evaluation.classes.get(class).map(|class: &ClassScore| class.name.clone());
    let heads = [("class", Align::Left), ("taken for", Align::Left), ("times", Align::Right)];
    let mut table = Table::new(heads, 0);
    for &(count, of, taken) in wrong.iter().take(PAIRS) {
        table.row([name(of), name(taken), Some(count.to_string())].map(Option::unwrap_or_default));
    }
    match wrong.len() {
        0 => "\nno class is taken for another".to_owned(),
        1..=PAIRS => format!("\nconfused most\n{}", table.text()),
        all => format!("\nconfused most, {PAIRS} of {all} pairs\n{}", table.text()),
    }
}
