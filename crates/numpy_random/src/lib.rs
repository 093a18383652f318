//! NumPy's legacy random number generator (`np.random.seed`).
//!
//! Follows `legacy-distributions.c`, `distributions.c` and `_mt19937.pyx` of NumPy, whose streams
//! are frozen by its compatibility policy (NEP 19).

#![forbid(unsafe_code)]

use rand_mt::Mt;

/// `np.random.RandomState`: a Mersenne Twister (MT19937) and its distributions.
#[derive(Debug)]
pub struct RandomState {
    generator: Mt,
    /// Second normal value of the last pair of the polar method.
    cached_normal: Option<f64>,
}

impl RandomState {
    /// Equivalent to `np.random.seed(seed)`.
    pub fn new(seed: u32) -> Self {
        Self { generator: Mt::new(seed), cached_normal: None }
    }

    /// Equivalent to `np.random.random_sample()`: uniform in `[0, 1)` with 53 random bits.
    pub fn random_sample(&mut self) -> f64 {
        let high = f64::from(self.generator.next_u32() >> 5);
        let low = f64::from(self.generator.next_u32() >> 6);
        (high * 67_108_864.0 + low) / 9_007_199_254_740_992.0
    }

    /// Equivalent to `np.random.uniform(low, high)`.
    pub fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.random_sample()
    }

    /// Equivalent to `np.random.randn()`: standard normal, by Marsaglia's polar method.
    pub fn randn(&mut self) -> f64 {
        if let Some(normal) = self.cached_normal.take() {
            return normal;
        }
        loop {
            let x = 2.0 * self.random_sample() - 1.0;
            let y = 2.0 * self.random_sample() - 1.0;
            let r2 = x * x + y * y;
            if r2 < 1.0 && r2 != 0.0 {
                let factor = (-2.0 * r2.ln() / r2).sqrt();
                self.cached_normal = Some(factor * x);
                return factor * y;
            }
        }
    }

    /// Equivalent to `np.random.shuffle(items)`: Fisher-Yates from the end.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.interval(last));
        }
    }

    /// Returns an integer in `0..=max`, `max` < 2^32, by masked rejection sampling.
    fn interval(&mut self, max: usize) -> usize {
        let mask = (max + 1).next_power_of_two() - 1;
        loop {
            let value = self.generator.next_u32() as usize & mask;
            if value <= max {
                return value;
            }
        }
    }
}

/// Equivalent to `np.linspace(start, stop, count)`.
pub fn linspace(start: f64, stop: f64, count: usize) -> impl Iterator<Item = f64> {
    let last = count.saturating_sub(1);
    let step = (stop - start) / last.max(1) as f64;
    let inner = (0..last.max(1)).map(move |index| index as f64 * step + start);
    inner.chain(std::iter::once(stop)).take(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seed_1_reproduces_the_stream_of_numpy() {
        let mut random = RandomState::new(1);
        assert_eq!(random.random_sample(), 0.417022004702574);
        assert_eq!(random.random_sample(), 0.7203244934421581);
        let mut random = RandomState::new(1);
        let mut items = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
        random.shuffle(&mut items);
        assert_eq!(items, [2, 9, 6, 4, 0, 3, 1, 7, 8, 5]);
    }

    #[test]
    fn normal_values_reproduce_the_stream_of_numpy() {
        let mut random = RandomState::new(1);
        let values: [f64; 5] = std::array::from_fn(|_| random.randn());
        let expected = [
            1.6243453636632417,
            -0.6117564136500754,
            -0.5281717522634557,
            -1.0729686221561705,
            0.8654076293246785,
        ];
        for (value, expected) in values.into_iter().zip(expected) {
            assert!((value - expected).abs() < 1e-12, "{value} {expected}");
        }
    }

    #[test]
    fn linspace_includes_its_stop() {
        assert_eq!(linspace(0.0, 3.12, 3).collect::<Vec<_>>(), [0.0, 1.56, 3.12]);
        assert_eq!(linspace(1.0, 2.0, 1).collect::<Vec<_>>(), [1.0]);
        assert_eq!(linspace(1.0, 2.0, 0).count(), 0);
    }
}
