use artifacts::ClassCurves;

/// Largest number of points of a curve.
const MOST_POINTS: usize = 50;

/// Numbers of the negative and the positive examples whose score reaches each threshold, from the
/// highest to the lowest; none at first.
pub struct Thresholds(Vec<[f64; 2]>);

impl Thresholds {
    pub fn new(mut scores: Vec<(f32, bool)>) -> Self {
        scores.sort_unstable_by(|one, other| other.0.total_cmp(&one.0));
        let [mut negative, mut positive] = [0.0; 2];
        let mut counts = vec![[negative, positive]];
        for tied in scores.chunk_by(|one, other| one.0 == other.0) {
            let positives = tied.iter().filter(|(_, is_positive)| *is_positive).count();
            positive += positives as f64;
            negative += (tied.len() - positives) as f64;
            counts.push([negative, positive]);
        }
        Self(counts)
    }

    /// Area under the ROC curve: the Mann-Whitney statistic (Hanley and McNeil 1982), in which ties
    /// count half. `None` if all examples or none are positive.
    pub fn roc_auc(&self) -> Option<f64> {
        let wins = |([n, p], [next_n, next_p]): (&[f64; 2], &[f64; 2])| (next_n - n) * (p + next_p);
        let wins: f64 = self.steps().map(wins).sum();
        let [negatives, positives] = self.totals();
        let pairs = negatives * positives;
        (pairs > 0.0).then(|| 0.5 * wins / pairs)
    }

    /// The areas and, if `with_points`, the points of the curves.
    pub fn curves(&self, with_points: bool) -> ClassCurves {
        let [negatives, positives] = self.totals();
        let precision = |[n, p]: &[f64; 2]| p / (n + p).max(1.0);
        let average =
            self.steps().map(|([_, p], next @ [_, next_p])| (next_p - p) * precision(next));
        let mut curves = ClassCurves {
            roc: Vec::new(),
            precision_recall: Vec::new(),
            roc_auc: self.roc_auc(),
            average_precision: (positives > 0.0).then(|| average.sum::<f64>() / positives),
        };
        if with_points && curves.roc_auc.is_some() {
            let rates = |[n, p]: &[f64; 2]| [n / negatives, p / positives];
            curves.roc = thinned(&self.0.iter().map(rates).collect::<Vec<_>>());
            let points =
                self.0.iter().skip(1).map(|counts @ [_, p]| [p / positives, precision(counts)]);
            curves.precision_recall =
                thinned(&[[0.0, 1.0]].into_iter().chain(points).collect::<Vec<_>>());
        }
        curves
    }

    fn steps(&self) -> impl Iterator<Item = (&[f64; 2], &[f64; 2])> {
        self.0.iter().zip(self.0.iter().skip(1))
    }

    fn totals(&self) -> [f64; 2] {
        self.0.last().copied().unwrap_or_default()
    }
}

/// A part of a curve, with the point that is farthest from the line between its ends.
struct Segment<'a> {
    points: &'a [[f64; 2]],
    farthest: usize,
    /// Twice the area of the triangle of that point and the ends.
    area: f64,
}

impl<'a> Segment<'a> {
    fn new(points: &'a [[f64; 2]]) -> Self {
        let [[a, b], [c, d]] =
            [points.first(), points.last()].map(|end| end.copied().unwrap_or_default());
        let areas = points.iter().map(|[x, y]| ((c - a) * (y - b) - (d - b) * (x - a)).abs());
        let largest = areas.enumerate().max_by(|one, other| one.1.total_cmp(&other.1));
        let (farthest, area) = largest.unwrap_or_default();
        Self { points, farthest, area }
    }

    fn divided(&self) -> [Self; 2] {
        let (before, _) = self.points.split_at(self.farthest + 1);
        let (_, after) = self.points.split_at(self.farthest);
        [Self::new(before), Self::new(after)]
    }
}

/// At most [`MOST_POINTS`] of the points: the ends, and then those that change the shape most (Ramer
/// 1972, Douglas and Peucker 1973).
fn thinned(points: &[[f64; 2]]) -> Vec<[f64; 2]> {
    let mut segments = vec![Segment::new(points)];
    while segments.len() < MOST_POINTS - 1 {
        let largest = segments.iter().enumerate().max_by(|a, b| a.1.area.total_cmp(&b.1.area));
        let Some((index, segment)) = largest.filter(|(_, segment)| segment.area > 1e-9) else {
            break;
        };
        let parts = segment.divided();
        segments.splice(index..=index, parts);
    }
    let points = segments.iter().filter_map(|segment| segment.points.first()).chain(points.last());
    points.map(|point| point.map(|value| (1e4 * value).round() / 1e4)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_areas_are_those_of_scikit_learn() {
        let scores = [(0.9, true), (0.8, false), (0.7, true), (0.7, false), (0.1, false)];
        let curves = Thresholds::new(scores.to_vec()).curves(true);
        // Of 6 pairs: 3 won by 0.9; 0.7 wins against 0.1 and half against 0.7.
        assert_eq!(curves.roc_auc, Some(4.5 / 6.0));
        assert_eq!(curves.average_precision, Some(0.75));
        assert_eq!(curves.roc, [[0.0, 0.0], [0.0, 0.5], [0.3333, 0.5], [0.6667, 1.0], [1.0, 1.0]]);
        assert_eq!(curves.precision_recall.first(), Some(&[0.0, 1.0]));
        assert_eq!(curves.precision_recall.last(), Some(&[1.0, 0.4]));
    }

    #[test]
    fn without_examples_of_both_kinds_there_is_no_curve() {
        let curves = Thresholds::new(vec![(0.3, true), (0.2, true)]).curves(true);
        assert_eq!((curves.roc_auc, curves.average_precision), (None, Some(1.0)));
        assert_eq!((curves.roc, curves.precision_recall), (Vec::new(), Vec::new()));
        let curves = Thresholds::new(vec![(0.3, false)]).curves(true);
        assert_eq!((curves.roc_auc, curves.average_precision), (None, None));
    }

    fn area(points: &[[f64; 2]]) -> f64 {
        let steps = points.iter().zip(&points[1..]);
        steps.map(|([a, b], [c, d])| (c - a) * (b + d) / 2.0).sum()
    }

    #[test]
    fn few_points_keep_the_ends_and_the_area() {
        for overlap in [0.1, 0.6, 1.0] {
            // The positive examples have higher scores, by less with more overlap.
            let score = |k: usize| (k * 7919 % 10_007) as f32 / 10_007.0;
            let scores = (0..10_000)
                .map(|k| (score(k).powf(if k % 4 == 0 { overlap } else { 1.0 }), k % 4 == 0));
            let thresholds = Thresholds::new(scores.collect());
            let curves = thresholds.curves(true);
            for (points, expected) in [
                (&curves.roc, curves.roc_auc.unwrap()),
                (&curves.precision_recall, curves.average_precision.unwrap()),
            ] {
                assert!(points.len() <= 50);
                let difference = area(points) - expected;
                assert!(difference.abs() < 0.01, "{overlap} {expected} {difference}");
            }
            let ends = [curves.roc[0], curves.roc[curves.roc.len() - 1]];
            assert_eq!(ends, [[0.0, 0.0], [1.0, 1.0]]);
        }
    }
}
