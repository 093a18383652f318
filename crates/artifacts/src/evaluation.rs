use std::cmp::Reverse;

use data::SplitKind;
use serde::{Deserialize, Serialize};

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
