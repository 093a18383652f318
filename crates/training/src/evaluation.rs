use std::collections::BTreeMap;

use burn::tensor::{Device, Tensor};
use dataset::{DatasetError, Examples, Split, Work};
use serde::{Deserialize, Serialize};

use crate::classifier::Classifier;
use crate::environment::DataIdentity;
use crate::leaks::WithoutTwins;
use crate::scores::judge;
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
    /// Of a binary task: the probability that an example of the second class is given a higher
    /// probability of it than one of the first, the area under the ROC curve. `None` for other
    /// tasks, and where a class has no example.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub roc_auc: Option<f64>,
    /// The score without what has a twin in the training set; none of the training set itself, and
    /// where no twins are looked for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub without_twins: Option<WithoutTwins>,
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
    ) -> Result<Self, DatasetError> {
        let classes = &identity.classes;
        let mut taken = BTreeMap::new();
        let mut loss = 0.0;
        let mut ranked = Vec::new();
        let head = classifier.objective().head;
        let order: Vec<usize> = (0..examples.len()).collect();
        let work = Work::begin(format!("evaluating the {} set", split.as_str()), order.len());
        for items in order.chunks(EVALUATION_BATCH) {
            let logits = rows(classifier.logits(examples, items, device)?);
            for (logits, label) in logits.iter().zip(examples.labels_at(items)) {
                let (item_loss, predicted) = judge(head, logits, label);
                loss += item_loss;
                *taken.entry((label as usize, predicted)).or_default() += 1;
                ranked.extend(margin(logits).map(|margin| (margin, label == 1)));
            }
            work.advance(items.len());
        }
        let confusion = confusion(&taken, classes.len());
        let correct: usize = diagonal(&confusion).sum();
        Ok(Self {
            split,
            stand_in: identity.stand_in,
            count: examples.len(),
            loss: loss / examples.len() as f64,
            accuracy: correct as f64 / examples.len() as f64,
            classes: class_scores(&confusion, classes),
            roc_auc: roc_auc(ranked),
            without_twins: None,
            confusion,
        })
    }

    /// The number of examples that were classified rightly.
    pub fn correct(&self) -> usize {
        diagonal(&self.confusion).sum()
    }
}

/// The natural logarithm of the probability of each class for each of `items`.
pub fn log_probabilities_of(
    classifier: &Classifier,
    examples: &Examples,
    items: &[usize],
    device: &Device,
) -> Result<Vec<Vec<f32>>, DatasetError> {
    let logits = classifier.logits(examples, items, device)?;
    Ok(rows(classifier.objective().head.log_probabilities(logits)))
}

/// The rows of `values` in host memory.
fn rows(values: Tensor<2>) -> Vec<Vec<f32>> {
    let [_, width] = values.dims();
    let values: Vec<f32> = values.into_data().iter::<f32>().collect();
    values.chunks(width).map(<[f32]>::to_vec).collect()
}

/// By how much the logits of one example, of a sigmoid or of a softmax, speak for the second of two
/// classes; `None` if there are more.
fn margin(logits: &[f32]) -> Option<f32> {
    match logits {
        [second] => Some(*second),
        [first, second] => Some(second - first),
        _ => None,
    }
}

/// How often each class was taken for each class, from those that were with what.
fn confusion(taken: &BTreeMap<(usize, usize), usize>, classes: usize) -> Vec<Vec<usize>> {
    let count = |label, predicted| taken.get(&(label, predicted)).copied().unwrap_or(0);
    let row = |label| (0..classes).map(|predicted| count(label, predicted)).collect();
    (0..classes).map(row).collect()
}

/// How many examples of each class were taken for it.
fn diagonal(confusion: &[Vec<usize>]) -> impl Iterator<Item = usize> {
    confusion.iter().enumerate().filter_map(|(class, row)| row.get(class).copied())
}

fn class_scores(confusion: &[Vec<usize>], classes: &[String]) -> Vec<ClassScore> {
    let rows = confusion.iter().zip(diagonal(confusion)).enumerate();
    let score = |(name, (class, (row, right))): (&String, (usize, (&Vec<usize>, usize)))| {
        let count: usize = row.iter().sum();
        let taken: usize = confusion.iter().filter_map(|row| row.get(class)).sum();
        let precision = ratio(right as f64, taken as f64);
        let recall = ratio(right as f64, count as f64);
        let f1 = ratio(2.0 * precision * recall, precision + recall);
        ClassScore { name: name.clone(), precision, recall, f1, count }
    };
    classes.iter().zip(rows).map(score).collect()
}

/// The area under the ROC curve of scores with whether they are of the positive class: the
/// Mann-Whitney statistic (Hanley and McNeil 1982), where equal scores count half.
fn roc_auc(mut ranked: Vec<(f32, bool)>) -> Option<f64> {
    ranked.sort_by(|one, other| one.0.total_cmp(&other.0));
    let (mut below, mut wins) = (0.0, 0.0);
    for tied in ranked.chunk_by(|one, other| one.0 == other.0) {
        let positive = tied.iter().filter(|(_, positive)| *positive).count() as f64;
        let negative = tied.len() as f64 - positive;
        wins += positive * (below + 0.5 * negative);
        below += negative;
    }
    let pairs = below * (ranked.len() as f64 - below);
    (pairs > 0.0).then_some(wins / pairs)
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

    #[test]
    fn the_area_under_the_roc_curve_counts_pairs_in_the_right_order() {
        let scores = [(0.9, true), (0.8, false), (0.7, true), (0.7, false), (0.1, false)];
        // Of 6 pairs: 3 won by 0.9; 0.7 wins against 0.1 and half against 0.7.
        assert_eq!(roc_auc(scores.to_vec()), Some(4.5 / 6.0));
        assert_eq!(roc_auc(vec![(0.3, true), (0.2, true)]), None);
    }
}
