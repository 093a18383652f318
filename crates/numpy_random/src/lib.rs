//! NumPy's legacy random numbers: what follows `np.random.seed(..)`.
//!
//! The formulas are those of `legacy-distributions.c`, `distributions.c` and `_mt19937.pyx` in
//! NumPy, which promises never to change them.

#![forbid(unsafe_code)]

use rand_mt::Mt;

/// `np.random.RandomState(seed)`.
#[derive(Debug)]
pub struct RandomState {
    bits: Mt,
    /// The second number of the pair that the polar method makes.
    kept: Option<f64>,
}

impl RandomState {
    /// `np.random.seed(seed)`.
    pub fn new(seed: u32) -> Self {
        Self { bits: Mt::new(seed), kept: None }
    }

    /// `np.random.random_sample()`: 53 random bits as a number of at least 0 and less than 1.
    pub fn random_sample(&mut self) -> f64 {
        let high = f64::from(self.bits.next_u32() >> 5);
        let low = f64::from(self.bits.next_u32() >> 6);
        (high * 67_108_864.0 + low) / 9_007_199_254_740_992.0
    }

    /// `np.random.uniform(low, high)`.
    pub fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.random_sample()
    }

    /// `np.random.randn()`, by the polar method of Marsaglia.
    pub fn randn(&mut self) -> f64 {
        if let Some(kept) = self.kept.take() {
            return kept;
        }
        loop {
            let one = 2.0 * self.random_sample() - 1.0;
            let other = 2.0 * self.random_sample() - 1.0;
            let square = one * one + other * other;
            if square < 1.0 && square != 0.0 {
                let factor = (-2.0 * square.ln() / square).sqrt();
                self.kept = Some(factor * one);
                return factor * other;
            }
        }
    }

    /// `np.random.shuffle(items)`: Fisher-Yates from the end.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.interval(last));
        }
    }

    /// A whole number from 0 to `most` < 2^32: `most`'s bits, drawn again while they are too many.
    fn interval(&mut self, most: usize) -> usize {
        let mask = (most + 1).next_power_of_two() - 1;
        loop {
            let value = self.bits.next_u32() as usize & mask;
            if value <= most {
                return value;
            }
        }
    }
}

/// `np.linspace(start, stop, count)`.
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
    fn the_numbers_of_seed_1_are_those_of_numpy() {
        let mut random = RandomState::new(1);
        assert_eq!(random.random_sample(), 0.417022004702574);
        assert_eq!(random.random_sample(), 0.7203244934421581);
        let mut random = RandomState::new(1);
        let mut items = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
        random.shuffle(&mut items);
        assert_eq!(items, [2, 9, 6, 4, 0, 3, 1, 7, 8, 5]);
    }

    #[test]
    fn the_second_normal_number_of_a_pair_is_kept_over_uniform_ones() {
        let mut random = RandomState::new(1);
        let drawn: [f64; 5] = std::array::from_fn(|_| random.randn());
        let expected = [
            1.6243453636632417,
            -0.6117564136500754,
            -0.5281717522634557,
            -1.0729686221561705,
            0.8654076293246785,
        ];
        for (value, expected) in drawn.into_iter().zip(expected) {
            assert!((value - expected).abs() < 1e-12, "{value} {expected}");
        }
    }

    #[test]
    fn linspace_ends_at_its_stop() {
        assert_eq!(linspace(0.0, 3.12, 3).collect::<Vec<_>>(), [0.0, 1.56, 3.12]);
        assert_eq!(linspace(1.0, 2.0, 1).collect::<Vec<_>>(), [1.0]);
        assert_eq!(linspace(1.0, 2.0, 0).count(), 0);
    }
}
