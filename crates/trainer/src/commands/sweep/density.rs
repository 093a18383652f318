use rand::rngs::ChaCha8Rng;
use rand::{RngExt, distr::Open01};

/// Density of the values of a key in some trials, with the windows and the prior of Optuna 4.
pub enum Density {
    /// Probability of each choice: one more than its trials have, in proportion.
    Choice(Vec<f64>),
    /// Mean of a normal distribution around each number and one around the middle of the range, each
    /// limited to the range.
    Numbers { windows: Vec<Window>, range: [f64; 2] },
}

/// A normal distribution.
pub struct Window {
    mean: f64,
    deviation: f64,
    /// Its integral over the range.
    mass: f64,
}

impl Density {
    /// Density of choices by index.
    pub fn of_choices(choices: usize, indices: &[f64]) -> Self {
        let count =
            |choice: usize| indices.iter().filter(|index| **index as usize == choice).count();
        let all = (indices.len() + choices) as f64;
        Self::Choice((0..choices).map(|choice| (count(choice) + 1) as f64 / all).collect())
    }

    /// Density of numbers. The deviation of a window is the distance to its farther neighbour, at least
    /// the range divided by the number of windows plus 1, or by 100; that of the one in the middle is the
    /// range.
    pub fn of_numbers(range: [f64; 2], numbers: &[f64]) -> Self {
        let [low, high] = range;
        let (width, middle) = (high - low, f64::midpoint(low, high));
        let mut means = numbers.to_vec();
        means.push(middle);
        means.sort_by(f64::total_cmp);
        let prior = means.partition_point(|mean| *mean < middle);
        let gaps: Vec<f64> =
            means.windows(2).map(|pair| pair.iter().fold(0.0, |a, b| b - a)).collect();
        let narrowest = width / (means.len() as f64 + 1.0).min(100.0);
        let windows = means.iter().enumerate().map(|(index, mean)| {
            let before = index.checked_sub(1).and_then(|index| gaps.get(index));
            let neighbours = before.into_iter().chain(gaps.get(index));
            let farther = neighbours.copied().fold(narrowest, f64::max);
            Window::new(*mean, if index == prior { width } else { farther.min(width) }, range)
        });
        Self::Numbers { windows: windows.collect(), range }
    }

    /// A sampled position.
    pub fn sample(&self, rng: &mut ChaCha8Rng) -> f64 {
        match self {
            Self::Choice(shares) => {
                let mut left: f64 = rng.random();
                let index = shares.iter().position(|share| {
                    left -= share;
                    left < 0.0
                });
                index.unwrap_or(0) as f64
            }
            Self::Numbers { windows, range: [low, high] } => {
                let index = rng.random_range(0..windows.len());
                let Some(window) = windows.get(index) else { return *low };
                // A third of the samples at least are in the range, as the mean is.
                loop {
                    let number = window.mean + window.deviation * normal(rng);
                    if (*low..=*high).contains(&number) {
                        return number;
                    }
                }
            }
        }
    }

    /// The density at a position.
    pub fn at(&self, position: f64) -> f64 {
        match self {
            Self::Choice(shares) => shares.get(position as usize).copied().unwrap_or(0.0),
            Self::Numbers { windows, .. } => {
                windows.iter().map(|window| window.at(position)).sum::<f64>() / windows.len() as f64
            }
        }
    }
}

impl Window {
    fn new(mean: f64, deviation: f64, [low, high]: [f64; 2]) -> Self {
        let below = |limit: f64| 0.5 * (1.0 + erf((limit - mean) / deviation / 2_f64.sqrt()));
        Self { mean, deviation, mass: below(high) - below(low) }
    }

    fn at(&self, number: f64) -> f64 {
        let distance = (number - self.mean) / self.deviation;
        (-0.5 * distance * distance).exp()
            / (self.deviation * std::f64::consts::TAU.sqrt() * self.mass)
    }
}

/// A number of the standard normal distribution (Box and Muller 1958).
fn normal(rng: &mut ChaCha8Rng) -> f64 {
    let (radius, angle): (f64, f64) = (rng.sample(Open01), rng.random());
    (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
}

/// The error function to 1.5e-7 (Abramowitz and Stegun 1964, 7.1.26).
fn erf(x: f64) -> f64 {
    const TERMS: [f64; 5] = [1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592];
    let t = 1.0 / (1.0 + 0.3275911 * x.abs());
    let polynomial = TERMS.iter().fold(0.0, |sum, term| (sum + term) * t);
    (1.0 - polynomial * (-x * x).exp()).copysign(x)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    fn deviations(density: &Density) -> Vec<f64> {
        let Density::Numbers { windows, .. } = density else { return vec![] };
        windows.iter().map(|window| window.deviation).collect()
    }

    #[test]
    fn windows_reach_to_the_farther_neighbour_and_the_prior_over_the_range() {
        // The sigmas that Optuna computes for these numbers and this range.
        let density = Density::of_numbers([0.0, 10.0], &[9.0, 1.0, 2.0]);
        assert_eq!(deviations(&density), [2.0, 3.0, 10.0, 4.0]);
        assert_eq!(deviations(&Density::of_numbers([0.0, 10.0], &[])), [10.0]);
    }

    #[test]
    fn densities_integrate_to_one_and_samples_follow_them() {
        let density = Density::of_numbers([0.0, 10.0], &[9.0, 1.0, 2.0]);
        let cells = (0..1000).map(|cell| (f64::from(cell) + 0.5) / 100.0);
        let below = |limit: f64| -> f64 {
            cells.clone().filter(|x| *x < limit).map(|x| density.at(x) / 100.0).sum()
        };
        assert!((below(10.0) - 1.0).abs() < 1e-4, "{}", below(10.0));
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let samples: Vec<f64> = (0..20_000).map(|_| density.sample(&mut rng)).collect();
        for limit in [1.0, 4.0, 8.0] {
            let share = samples.iter().filter(|x| **x < limit).count() as f64 / 20_000.0;
            assert!((share - below(limit)).abs() < 0.015, "{limit}: {share}");
        }
        let choices = Density::of_choices(3, &[1.0, 1.0, 2.0]);
        assert_eq!([0.0, 1.0, 2.0].map(|choice| choices.at(choice) * 6.0), [1.0, 3.0, 2.0]);
        let ones = (0..6000).filter(|_| choices.sample(&mut rng) == 1.0).count();
        assert!((2800..3200).contains(&ones), "{ones}");
    }
}
