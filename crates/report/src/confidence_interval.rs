/// Returns the 95 % confidence interval of a proportion (Wilson 1927).
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
}
