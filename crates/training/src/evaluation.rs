use burn::tensor::Device;
use dataset::{Examples, Split};
use serde::{Deserialize, Serialize};

use crate::classifier::Classifier;
use crate::environment::DataIdentity;
use crate::scores::largest;
use crate::session::EVALUATION_BATCH;

/// A part of the data that a model can be evaluated on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SplitName {
    /// What the run trained on.
    Train,
    /// What the run chose its best epoch by.
    Validation,
    /// What the run never saw.
    Test,
}

/// How well a model classifies one part of the data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Which part.
    pub split: SplitName,
    /// Whether they are the drawn stand-in rather than real data.
    pub stand_in: bool,
    /// The number of its examples.
    pub count: usize,
    /// The mean loss.
    pub loss: f64,
    /// The share classified rightly.
    pub accuracy: f64,
    /// The scores of each class.
    pub classes: Vec<ClassScore>,
    /// How many examples of each class (row) were taken for each class (column).
    pub confusion: Vec<Vec<usize>>,
}

/// How well one class is told from the others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassScore {
    /// The name of the class.
    pub name: String,
    /// Of what was taken for the class, the share that is; 0 if nothing was.
    pub precision: f64,
    /// Of the class, the share that was taken for it; 0 if there is none.
    pub recall: f64,
    /// The harmonic mean of both; 0 if both are.
    pub f1: f64,
    /// The number of examples of the class.
    pub count: usize,
}

impl SplitName {
    /// The examples of this part, if there are any.
    pub fn of(self, data: &Split) -> Option<&Examples> {
        match self {
            Self::Train => Some(&data.train),
            Self::Validation => data.validation.as_ref(),
            Self::Test => Some(&data.test),
        }
    }

    /// The name as commands and files spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }
}

impl Evaluation {
    /// Evaluates `classifier`, which must be in inference mode on `device`.
    pub fn of(
        classifier: &Classifier,
        split: SplitName,
        examples: &Examples,
        identity: &DataIdentity,
        device: &Device,
    ) -> Self {
        let classes = &identity.classes;
        let mut confusion = vec![vec![0; classes.len()]; classes.len()];
        let mut loss = 0.0;
        let order: Vec<usize> = (0..examples.len()).collect();
        for items in order.chunks(EVALUATION_BATCH) {
            let rows = log_probabilities_of(classifier, examples, items, device);
            for (log_probabilities, &item) in rows.iter().zip(items) {
                let label = examples.labels[item] as usize;
                confusion[label][largest(log_probabilities)] += 1;
                loss -= f64::from(log_probabilities[label]);
            }
        }
        let correct: usize = (0..classes.len()).map(|class| confusion[class][class]).sum();
        Self {
            split,
            stand_in: identity.stand_in,
            count: examples.len(),
            loss: loss / examples.len() as f64,
            accuracy: correct as f64 / examples.len() as f64,
            classes: class_scores(&confusion, classes),
            confusion,
        }
    }
}

/// The natural logarithm of the probability of each class for each of `items`.
pub fn log_probabilities_of(
    classifier: &Classifier,
    examples: &Examples,
    items: &[usize],
    device: &Device,
) -> Vec<Vec<f32>> {
    let logits = classifier.logits(examples, items, device);
    let log_probabilities = classifier.objective().head.log_probabilities(logits);
    let [_, classes] = log_probabilities.dims();
    let values: Vec<f32> = log_probabilities.into_data().iter::<f32>().collect();
    values.chunks(classes).map(<[f32]>::to_vec).collect()
}

fn class_scores(confusion: &[Vec<usize>], classes: &[String]) -> Vec<ClassScore> {
    let score = |(class, name): (usize, &String)| {
        let right = confusion[class][class] as f64;
        let count: usize = confusion[class].iter().sum();
        let taken: usize = confusion.iter().map(|row| row[class]).sum();
        let precision = ratio(right, taken as f64);
        let recall = ratio(right, count as f64);
        let f1 = ratio(2.0 * precision * recall, precision + recall);
        ClassScore { name: name.clone(), precision, recall, f1, count }
    };
    classes.iter().enumerate().map(score).collect()
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn class_scores_are_those_of_the_confusion_matrix() {
        let confusion = vec![vec![8, 2, 0], vec![4, 6, 0], vec![0, 0, 0]];
        let names = ["a", "b", "c"].map(String::from);
        let scores = class_scores(&confusion, &names);
        assert_eq!((scores[0].precision, scores[0].recall), (8.0 / 12.0, 0.8));
        assert_eq!((scores[1].precision, scores[1].recall), (6.0 / 8.0, 0.6));
        assert!((scores[1].f1 - 2.0 / 3.0).abs() < 1e-12);
        assert_eq!((scores[2].precision, scores[2].recall, scores[2].f1), (0.0, 0.0, 0.0));
    }
}
