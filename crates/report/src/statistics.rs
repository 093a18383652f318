//! Intervals and tests of proportions.

/// The 95 % confidence interval of a proportion (Wilson 1927).
pub fn wilson(successes: usize, trials: usize) -> [f64; 2] {
    // The 97.5 % quantile of the normal distribution.
    const Z: f64 = 1.959_963_984_540_054;
    if trials == 0 {
        return [0.0, 1.0];
    }
    let (count, share) = (trials as f64, successes as f64 / trials as f64);
    let square = Z * Z / count;
    let centre = (share + square / 2.0) / (1.0 + square);
    let radius =
        Z / (1.0 + square) * (share * (1.0 - share) / count + square / (4.0 * count)).sqrt();
    [(centre - radius).max(0.0), (centre + radius).min(1.0)]
}

/// The two-sided p-value of the exact binomial test of `one` against `other` with equal probabilities:
/// McNemar's test (1947) of two classifiers, of which these are the numbers of examples that only one
/// misclassifies.
pub fn mcnemar(one: usize, other: usize) -> f64 {
    let count = one + other;
    // Logarithms, since 0.5 to the power of more than 1,074 is 0.
    let mut probability = count as f64 * 0.5_f64.ln();
    let mut sum = 0.0;
    for heads in 0..=one.min(other) {
        sum += probability.exp();
        probability += ((count - heads) as f64 / (heads + 1) as f64).ln();
    }
    (2.0 * sum).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_equal_those_of_r() {
        // R: prop.test(119, 120, correct = FALSE), and prop.test(81, 263, correct = FALSE).
        for (successes, trials, low, high) in [
            (119, 120, 0.954_291, 0.998_527),
            (81, 263, 0.255_270, 0.366_224),
            (0, 10, 0.0, 0.277_533),
        ] {
            let [found_low, found_high] = wilson(successes, trials);
            assert!((found_low - low).abs() < 2e-4, "{found_low} {low}");
            assert!((found_high - high).abs() < 2e-4, "{found_high} {high}");
        }
        assert_eq!(wilson(0, 0), [0.0, 1.0]);
    }

    #[test]
    fn p_values_are_those_of_the_binomial_distribution() {
        assert_eq!(mcnemar(0, 0), 1.0);
        assert!((mcnemar(1, 5) - 2.0 * 7.0 / 64.0).abs() < 1e-12);
        assert!((mcnemar(0, 10) - 2.0 / 1024.0).abs() < 1e-12);
        assert_eq!(mcnemar(3, 3), 1.0);
        assert!(mcnemar(1000, 1000) > 0.99 && mcnemar(800, 1000) < 1e-5);
    }
}
