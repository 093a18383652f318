use std::cmp::Reverse;

use data::SplitKind;
use serde::{Deserialize, Serialize};

use crate::Calibration;

/// Scores of a model on one split of the data: `evaluation-<split>.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// The split.
    pub split: SplitKind,
    /// Path of the data, if they are not those of the run.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub data: Option<String>,
    /// True if the data are synthetic.
    pub synthetic: bool,
    /// Number of examples.
    pub count: usize,
    /// Mean loss.
    pub loss: f64,
    /// Share of correct predictions, 0 to 1.
    pub accuracy: f64,
    /// Scores of each class, in the order of the labels.
    pub classes: Vec<ClassScore>,
    /// Area under the ROC curve of a binary task; `None` for other tasks, or if a class has no
    /// example.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub roc_auc: Option<f64>,
    /// Share of the examples whose class is among the five most probable, 0 to 1; `None` if there are
    /// not more classes.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub top_5: Option<f64>,
    /// Calibration of the probabilities; `None` in files of earlier versions.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub calibration: Option<Calibration>,
    /// Score without near-duplicates of training images; `None` for the training set, and if none
    /// were searched for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub deduplicated: Option<DeduplicatedScore>,
    /// Number of examples by true class (row) and predicted class (column).
    pub confusion: Vec<Vec<usize>>,
}

/// One-vs-rest scores of a class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassScore {
    /// Name of the class.
    pub name: String,
    /// Share of the examples predicted as this class that belong to it; 0 if there are none.
    pub precision: f64,
    /// Share of the examples of this class that are predicted as it; 0 if there are none.
    pub recall: f64,
    /// Harmonic mean of precision and recall; 0 if both are 0.
    pub f1: f64,
    /// Number of examples of the class.
    pub count: usize,
}

/// Examples of one class that are predicted as another.
#[derive(Debug, Clone, Copy)]
pub struct Confusion<'a> {
    /// The true class.
    pub class: &'a ClassScore,
    /// The predicted class.
    pub predicted: &'a ClassScore,
    /// Number of examples.
    pub count: usize,
}

impl ClassScore {
    /// Scores of the classes `names` by their confusion matrix, with a row for each true class and a
    /// column for each predicted class.
    pub fn of_confusion(confusion: &[Vec<usize>], names: &[String]) -> Vec<Self> {
        let rows = names.iter().zip(confusion).enumerate();
        rows.map(|(class, (name, row))| {
            let correct = row.get(class).copied().unwrap_or(0) as f64;
            let count: usize = row.iter().sum();
            let predicted: usize = confusion.iter().filter_map(|row| row.get(class)).sum();
            let precision = ratio(correct, predicted as f64);
            let recall = ratio(correct, count as f64);
            let f1 = ratio(2.0 * precision * recall, precision + recall);
            Self { name: name.clone(), precision, recall, f1, count }
        })
        .collect()
    }

    /// Mean F1 of the classes that have examples.
    pub fn macro_f1(classes: &[Self]) -> f64 {
        mean(classes, |class| class.f1)
    }

    /// Mean recall of the classes that have examples.
    pub fn balanced_accuracy(classes: &[Self]) -> f64 {
        mean(classes, |class| class.recall)
    }
}

fn mean(classes: &[ClassScore], score: impl Fn(&ClassScore) -> f64) -> f64 {
    let present = classes.iter().filter(|class| class.count > 0);
    ratio(present.clone().map(score).sum(), present.count() as f64)
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

/// Score on the images without a near-duplicate in the training set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeduplicatedScore {
    /// Indices of the images with a near-duplicate.
    pub near_duplicates: Vec<usize>,
    /// Number of the other images.
    pub count: usize,
    /// Number of correct predictions among these.
    pub correct: usize,
    /// Share of correct predictions; `None` if every image has a near-duplicate.
    pub accuracy: Option<f64>,
}

impl Evaluation {
    /// Number of correct predictions: the diagonal of the confusion matrix.
    pub fn correct(&self) -> usize {
        let rows = self.confusion.iter().enumerate();
        rows.filter_map(|(class, row)| row.get(class)).sum()
    }

    /// Pairs of true and predicted class that are confused, with the number of examples, the most
    /// frequent first.
    pub fn confusions(&self) -> Vec<Confusion<'_>> {
        let mut all = Vec::new();
        for (row, class) in self.confusion.iter().zip(&self.classes) {
            let cells = row.iter().zip(&self.classes).filter(|(count, _)| **count > 0);
            all.extend(cells.map(|(&count, predicted)| Confusion { class, predicted, count }));
        }
        all.retain(|confusion| !std::ptr::eq(confusion.class, confusion.predicted));
        all.sort_by_key(|confusion| Reverse(confusion.count));
        all
    }

    /// The classes, those with the lowest F1 first.
    pub fn worst_classes(&self) -> Vec<&ClassScore> {
        let mut classes: Vec<_> = self.classes.iter().collect();
        classes.sort_by(|one, other| one.f1.total_cmp(&other.f1));
        classes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn class_scores_are_those_of_the_confusion_matrix() {
        let confusion = vec![vec![8, 2, 0], vec![4, 6, 0], vec![0, 0, 0]];
        let names = ["a", "b", "c"].map(String::from);
        let scores = ClassScore::of_confusion(&confusion, &names);
        assert_eq!((scores[0].precision, scores[0].recall), (8.0 / 12.0, 0.8));
        assert_eq!((scores[1].precision, scores[1].recall), (6.0 / 8.0, 0.6));
        assert!((scores[1].f1 - 2.0 / 3.0).abs() < 1e-12);
        assert_eq!((scores[2].precision, scores[2].recall, scores[2].f1), (0.0, 0.0, 0.0));
        assert_eq!(ClassScore::balanced_accuracy(&scores), 0.7);
        assert!((ClassScore::macro_f1(&scores) - (8.0 / 11.0 + 2.0 / 3.0) / 2.0).abs() < 1e-12);
    }

    #[test]
    fn confusions_are_listed_by_their_number_without_correct_predictions() {
        let class = |name: &str, f1| ClassScore {
            name: name.to_owned(),
            precision: f1,
            recall: f1,
            f1,
            count: 5,
        };
        let evaluation = Evaluation {
            split: SplitKind::Test,
            data: None,
            synthetic: false,
            count: 15,
            loss: 0.0,
            accuracy: 0.6,
            classes: vec![class("a", 0.9), class("b", 0.4), class("c", 0.5)],
            roc_auc: None,
            top_5: None,
            calibration: None,
            deduplicated: None,
            confusion: vec![vec![4, 1, 0], vec![0, 2, 3], vec![0, 2, 3]],
        };
        let found: Vec<_> = evaluation
            .confusions()
            .iter()
            .map(|it| (it.class.name.as_str(), it.predicted.name.as_str(), it.count))
            .collect();
        assert_eq!(found, [("b", "c", 3), ("c", "b", 2), ("a", "b", 1)]);
        assert_eq!(evaluation.worst_classes()[0].name, "b");
    }
}
