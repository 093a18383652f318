use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

use super::Head;

/// Sums over examples; metrics are ratios of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scores {
    /// Sum of the losses, without penalties.
    pub loss_sum: f64,
    pub correct: u64,
    pub count: u64,
}

impl Scores {
    /// The scores of logits `[labels.len(), outputs]`, row-major.
    ///
    /// Computed on the host: one transfer of the logits costs less than a dozen small operations
    /// on the device and two transfers.
    pub fn new(head: Head, logits: &[f32], labels: &[u32]) -> Self {
        let mut scores = Self::default();
        let outputs = logits.len() / labels.len().max(1);
        for (row, &label) in logits.chunks_exact(outputs.max(1)).zip(labels) {
            scores.count(head, row, label);
        }
        scores
    }

    /// Counts an example with these logits; returns the predicted class.
    fn count(&mut self, head: Head, logits: &[f32], label: u32) -> usize {
        let (loss, predicted) = loss_and_prediction(head, logits, label);
        self.loss_sum += loss;
        self.correct += u64::from(predicted == label as usize);
        self.count += 1;
        predicted
    }

    pub fn loss(&self) -> f64 {
        self.loss_sum / self.count as f64
    }

    /// Share of correct predictions, 0 to 1.
    pub fn accuracy(&self) -> f64 {
        self.correct as f64 / self.count as f64
    }
}

/// Scores of a model on a part of the data.
#[derive(Debug, Clone, PartialEq)]
pub struct Tally {
    /// Loss and accuracy.
    pub sums: Scores,
    /// Number of examples by true class (row) and predicted class (column).
    pub confusion: Vec<Vec<usize>>,
    /// Number of examples whose class is among the five most probable.
    in_top_5: u64,
}

impl Tally {
    /// The scores of no example.
    pub fn new(classes: usize) -> Self {
        let confusion = vec![vec![0; classes]; classes];
        Self { sums: Scores::default(), confusion, in_top_5: 0 }
    }

    /// Counts examples with these labels and logits `[labels.len(), outputs]`; returns their scores.
    pub fn count(&mut self, head: Head, logits: &[f32], labels: &[u32]) -> Scores {
        let mut scores = Scores::default();
        let outputs = logits.len() / labels.len().max(1);
        for (row, &label) in logits.chunks_exact(outputs.max(1)).zip(labels) {
            let predicted = scores.count(head, row, label);
            self.in_top_5 += u64::from(is_in_top_5(row, label as usize));
            let row = self.confusion.get_mut(label as usize);
            if let Some(count) = row.and_then(|row| row.get_mut(predicted)) {
                *count += 1;
            }
        }
        self.sums += scores;
        scores
    }

    /// Share of the examples whose class is among the five most probable, if there are more.
    pub fn top_5(&self) -> Option<f64> {
        (self.confusion.len() > 5).then(|| self.in_top_5 as f64 / self.sums.count as f64)
    }
}

/// Loss and predicted class of the logits `[outputs]` of one example. The loss is NaN if a logit is
/// missing.
pub fn loss_and_prediction(head: Head, logits: &[f32], label: u32) -> (f64, usize) {
    match head {
        Head::Softmax => softmax(logits, label),
        Head::Sigmoid => sigmoid(logits.first().copied().unwrap_or(f32::NAN), label),
    }
}

/// One logit per class of one example: a sigmoid has the probabilities of a softmax whose first
/// logit is 0.
pub fn class_logits(logits: &[f32]) -> impl Iterator<Item = f64> {
    let first = (logits.len() == 1).then_some(0.0);
    first.into_iter().chain(logits.iter().map(|&logit| f64::from(logit)))
}

/// Largest probability of an example with one logit per class, divided by `temperature`.
pub fn confidence(logits: &[f64], temperature: f64) -> f64 {
    let most = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    1.0 / logits.iter().map(|logit| ((logit - most) / temperature).exp()).sum::<f64>()
}

/// Cross-entropy and predicted class of one row of logits.
fn softmax(logits: &[f32], label: u32) -> (f64, usize) {
    let most = f64::from(logits.iter().copied().fold(f32::NEG_INFINITY, f32::max));
    let sum: f64 = logits.iter().map(|&logit| (f64::from(logit) - most).exp()).sum();
    let correct = logits.get(label as usize).copied().unwrap_or(f32::NAN);
    (most + sum.ln() - f64::from(correct), argmax(logits))
}

/// Binary cross-entropy and predicted class of one logit.
fn sigmoid(logit: f32, label: u32) -> (f64, usize) {
    // log(1 + exp(-z)) for label 1 and log(1 + exp(z)) for 0, without overflow.
    let wrong = if label == 1 { -f64::from(logit) } else { f64::from(logit) };
    let loss = wrong.max(0.0) + (-wrong.abs()).exp().ln_1p();
    // NaN must stay NaN: `max` would hide it.
    (if logit.is_nan() { f64::NAN } else { loss }, usize::from(logit > 0.0))
}

/// Index of the largest value, the first of equals.
pub fn argmax(values: &[f32]) -> usize {
    let max = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    values.iter().position(|&value| value == max).unwrap_or(0)
}

/// Whether `class` is among the five with the largest values, the first ones of equals.
fn is_in_top_5(values: &[f32], class: usize) -> bool {
    let (before, rest) = values.split_at(class.min(values.len()));
    let Some((value, after)) = rest.split_first() else { return false };
    let ahead = before.iter().filter(|&other| other >= value).count();
    ahead + after.iter().filter(|&other| other > value).count() < 5
}

impl AddAssign for Scores {
    fn add_assign(&mut self, other: Self) {
        self.loss_sum += other.loss_sum;
        self.correct += other.correct;
        self.count += other.count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_logits_of_a_softmax_score_as_their_difference_under_a_sigmoid() {
        let pairs = [[0.3_f32, -1.2], [2.0, 2.5], [-80.0, 90.0], [1.0, 1.0]];
        for labels in [[0, 1, 0, 1], [1, 0, 1, 0]] {
            let two = Scores::new(Head::Softmax, pairs.as_flattened(), &labels);
            let one = pairs.map(|[no, yes]| yes - no);
            let one = Scores::new(Head::Sigmoid, &one, &labels);
            assert!((two.loss() - one.loss()).abs() < 1e-6, "{two:?} {one:?}");
            assert_eq!((two.correct, two.count), (one.correct, one.count));
        }
    }

    #[test]
    fn logits_that_are_not_finite_give_a_loss_that_is_not() {
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let losses =
                [0, 1].map(|label| Scores::new(Head::Softmax, &[bad, 0.0], &[label]).loss());
            assert!(losses.iter().any(|loss| !loss.is_finite()), "softmax {bad}: {losses:?}");
            let losses = [0, 1].map(|label| Scores::new(Head::Sigmoid, &[bad], &[label]).loss());
            assert!(losses.iter().any(|loss| !loss.is_finite()), "sigmoid {bad}: {losses:?}");
        }
    }

    #[test]
    fn of_equal_logits_the_first_ones_are_among_the_top_five() {
        let logits = [0.5, 0.5, 2.0, 1.0, 0.5, 0.5, 3.0];
        let top: Vec<usize> = (0..8).filter(|&class| is_in_top_5(&logits, class)).collect();
        assert_eq!(top, [0, 1, 2, 3, 6]);
    }
}
