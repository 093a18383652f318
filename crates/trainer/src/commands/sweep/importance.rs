//! Importance of the keys of a sweep.

use std::collections::BTreeMap;

use super::trials::Trial;

/// Importance of a key: the share of the variance of the validation accuracy that its values explain
/// alone, from 0 to 1. It is the correlation ratio between the groups of equal values, corrected for
/// their number (Kelley 1935); numbers with more values are divided into groups of adjacent ones. It is
/// a property of the trained settings, and includes no interaction of keys.
pub type Importance = (String, f64);

/// Minimum number of trials.
const TRIALS: usize = 12;
/// Minimum mean number of trials per group.
const PER_GROUP: usize = 3;
/// Maximum number of groups of numbers.
const GROUPS: usize = 5;
/// Variance of equal scores, with their rounding errors.
const NO_VARIANCE: f64 = 1e-12;

/// The importance of each key with several values, most important first. The scores are those of the
/// first round, in which all settings were trained. Empty with few trials, or if all scores are equal.
pub fn importance(trials: &[Trial]) -> Vec<Importance> {
    let score = |trial: &Trial| trial.rounds.first().copied().filter(|score| *score >= 0.0);
    let (trials, scores): (Vec<_>, Vec<_>) =
        trials.iter().filter_map(|trial| Some((trial, score(trial)?))).unzip();
    if trials.len() < TRIALS {
        return Vec::new();
    }
    let keys = trials.first().map_or(&[] as &[_], |trial| &trial.overrides).iter();
    let shares = keys.enumerate().filter_map(|(index, (key, _))| {
        let values: Option<Vec<&str>> =
            trials.iter().map(|trial| Some(trial.overrides.get(index)?.1.as_str())).collect();
        Some((key.clone(), share(&groups(&values?), &scores)?))
    });
    let mut shares: Vec<_> = shares.collect();
    shares.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    shares
}

/// The group of each value: equal values, or for many numbers about as many adjacent ones.
fn groups(values: &[&str]) -> Vec<usize> {
    let numbers: Option<Vec<f64>> = values.iter().map(|value| value.parse().ok()).collect();
    let mut distinct = values.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    let count = GROUPS.min(values.len() / PER_GROUP);
    match numbers {
        Some(numbers) if distinct.len() > count => {
            let below = |number: &f64| numbers.iter().filter(|other| *other < number).count();
            numbers.iter().map(|number| below(number) * count / numbers.len()).collect()
        }
        _ => values.iter().filter_map(|value| distinct.binary_search(value).ok()).collect(),
    }
}

/// Share of the variance between the groups; `None` for one group, for too many, or without variance.
fn share(groups: &[usize], scores: &[f64]) -> Option<f64> {
    let mut members: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for (group, score) in groups.iter().zip(scores) {
        members.entry(*group).or_default().push(*score);
    }
    let (count, all) = (members.len(), scores.len());
    let total = squares(scores) / all.saturating_sub(1) as f64;
    if count < 2 || count * PER_GROUP > all || total < NO_VARIANCE {
        return None;
    }
    let within = members.values().map(|scores| squares(scores)).sum::<f64>() / (all - count) as f64;
    Some((1.0 - within / total).max(0.0))
}

/// Sum of the squared distances from the mean.
fn squares(scores: &[f64]) -> f64 {
    let mean = scores.iter().sum::<f64>() / scores.len() as f64;
    scores.iter().map(|score| (score - mean).powi(2)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Trials of a peak over the logarithm of the rate, 10 points of accuracy for one model, and a key
    /// without effect.
    fn trials(count: usize) -> Vec<Trial> {
        let trial = |index: usize| {
            let exponent = (index * 7 % count) as f64 / count as f64 * 4.0 - 4.0;
            let model = ["\"cnn\"", "\"mlp\""][index % 2];
            let values = [
                ("rate", 10_f64.powf(exponent).to_string()),
                ("model", model.to_owned()),
                ("workers", (index / 2 % 2).to_string()),
                ("constant", "1".to_owned()),
            ];
            let score = 0.9 - 0.1 * (exponent + 2.0).powi(2) - 0.1 * (index % 2) as f64;
            Trial {
                overrides: values.map(|(key, value)| (key.to_owned(), value)).to_vec(),
                rounds: vec![score],
                ..Trial::default()
            }
        };
        (0..count).map(trial).collect()
    }

    #[test]
    fn keys_are_sorted_by_what_they_explain_and_constant_ones_have_no_importance() {
        let importance = importance(&trials(41));
        let keys: Vec<_> = importance.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(keys, ["rate", "model", "workers"]);
        let shares: Vec<_> = importance.iter().map(|(_, share)| *share).collect();
        assert!(shares[0] > 0.6 && shares[1] < 0.3 && shares[2] < 0.05, "{shares:?}");
    }

    #[test]
    fn a_balanced_grid_is_divided_as_in_an_analysis_of_variance() {
        // Three values with means 0, 1 and 2 and a deviation of 1: the sums of squares are 8 between
        // and 12 within the groups.
        let groups: Vec<usize> = (0..12).map(|index| index / 4).collect();
        let scores: Vec<f64> =
            (0..12).map(|index| (index / 4) as f64 + [1.0, -1.0][index % 2]).collect();
        let expected = 1.0 - (12.0 / 9.0) / (20.0 / 11.0);
        assert!((share(&groups, &scores).unwrap() - expected).abs() < 1e-12);
    }

    #[test]
    fn there_is_none_with_few_trials_or_equal_scores() {
        assert_eq!(importance(&trials(11)), []);
        let mut equal = trials(30);
        for trial in &mut equal {
            trial.rounds = vec![0.7];
        }
        assert_eq!(importance(&equal), []);
        // Failed trials have no score.
        let mut failed = trials(13);
        for trial in failed.iter_mut().take(2) {
            trial.rounds = vec![-1.0];
        }
        assert_eq!(importance(&failed), []);
    }

    #[test]
    fn a_choice_with_a_value_of_its_own_for_most_trials_has_no_importance() {
        let groups: Vec<usize> = (0..12).map(|index| index / 2).collect();
        let scores: Vec<f64> = groups.iter().map(|group| *group as f64).collect();
        assert_eq!(share(&groups, &scores), None);
    }
}
