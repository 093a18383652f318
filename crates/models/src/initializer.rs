use numpy_random::RandomState;
use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use rand_distr::StandardNormal;
use serde::{Deserialize, Serialize};

/// Distribution of the initial weights of a layer. Biases start at zero.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Initializer {
    /// All zeros. The units of a hidden layer stay equal throughout training.
    Zeros,
    /// Normal with standard deviation `initializer_scale`.
    Normal,
    /// Normal with variance `1 / fan_in` (LeCun et al. 1998), for tanh. The courses call it
    /// Xavier initialization.
    LecunNormal,
    /// Normal with variance `2 / (fan_in + fan_out)` (Glorot and Bengio 2010).
    GlorotNormal,
    /// Uniform within `±sqrt(6 / (fan_in + fan_out))` (Glorot and Bengio 2010), TensorFlow's
    /// `xavier_initializer`.
    GlorotUniform,
    /// Normal with variance `2 / fan_in` (He et al. 2015, arXiv:1502.01852), for ReLU.
    #[default]
    HeNormal,
}

/// Random number generator of the initial weights.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Generator {
    /// ChaCha8, seeded with `seed`.
    #[default]
    Chacha,
    /// NumPy's Mersenne Twister after `np.random.seed(seed)`, sampled in the order of the course
    /// notebooks. Reproduces their initial weights, rounded to f32.
    Numpy,
}

impl Initializer {
    /// All initializers.
    pub const ALL: [Self; 6] = [
        Self::Zeros,
        Self::Normal,
        Self::LecunNormal,
        Self::GlorotNormal,
        Self::GlorotUniform,
        Self::HeNormal,
    ];

    /// Samples the weights `[fan_in, fan_out]` of a layer. `scale` is used by `Normal` only.
    pub fn sample(
        self,
        scale: f64,
        fan_in: usize,
        fan_out: usize,
        rng: &mut ChaCha8Rng,
    ) -> Vec<f32> {
        let count = fan_in * fan_out;
        match self.distribution(scale, fan_in, fan_out) {
            WeightDistribution::Zeros => vec![0.0; count],
            WeightDistribution::Normal(deviation) => {
                let mut normal = || rng.sample::<f32, _>(StandardNormal);
                (0..count).map(|_| deviation as f32 * normal()).collect()
            }
            WeightDistribution::Uniform(limit) => {
                let limit = limit as f32;
                (0..count).map(|_| rng.random_range(-limit..limit)).collect()
            }
        }
    }

    /// [`Initializer::sample`] from NumPy's generator, in the order `[fan_out, fan_in]` of the
    /// course notebooks.
    pub fn sample_numpy(
        self,
        scale: f64,
        fan_in: usize,
        fan_out: usize,
        random: &mut RandomState,
    ) -> Vec<f32> {
        let mut weight: Box<dyn FnMut() -> f64> = match self.distribution(scale, fan_in, fan_out) {
            WeightDistribution::Zeros => Box::new(|| 0.0),
            WeightDistribution::Normal(deviation) => Box::new(move || deviation * random.randn()),
            WeightDistribution::Uniform(limit) => Box::new(move || random.uniform(-limit, limit)),
        };
        let mut weights = vec![0.0; fan_in * fan_out];
        for output in 0..fan_out {
            for slot in weights.iter_mut().skip(output).step_by(fan_out) {
                *slot = weight() as f32;
            }
        }
        weights
    }

    fn distribution(self, scale: f64, fan_in: usize, fan_out: usize) -> WeightDistribution {
        let (inputs, both) = (fan_in as f64, (fan_in + fan_out) as f64);
        match self {
            Self::Zeros => WeightDistribution::Zeros,
            Self::Normal => WeightDistribution::Normal(scale),
            Self::LecunNormal => WeightDistribution::Normal((1.0 / inputs).sqrt()),
            Self::GlorotNormal => WeightDistribution::Normal((2.0 / both).sqrt()),
            Self::HeNormal => WeightDistribution::Normal((2.0 / inputs).sqrt()),
            Self::GlorotUniform => WeightDistribution::Uniform((6.0 / both).sqrt()),
        }
    }
}

/// Distribution with mean 0.
enum WeightDistribution {
    Zeros,
    /// Standard deviation.
    Normal(f64),
    /// Largest absolute value.
    Uniform(f64),
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    /// Mean and second moment of 400 x 300 weights.
    fn moments(initializer: Initializer) -> (f32, f32) {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let weights = initializer.sample(10.0, 400, 300, &mut rng);
        let mean = |values: &mut dyn Iterator<Item = f32>| values.sum::<f32>() / 120_000.0;
        (mean(&mut weights.iter().copied()), mean(&mut weights.iter().map(|w| w * w)))
    }

    #[test]
    fn the_moments_of_the_weights_match_the_formula() {
        for (initializer, expected) in [
            (Initializer::Zeros, 0.0),
            (Initializer::Normal, 100.0),
            (Initializer::LecunNormal, 1.0 / 400.0),
            (Initializer::GlorotNormal, 2.0 / 700.0),
            (Initializer::GlorotUniform, 2.0 / 700.0),
            (Initializer::HeNormal, 2.0 / 400.0),
        ] {
            let (mean, variance) = moments(initializer);
            assert!((variance - expected).abs() <= 0.02 * expected, "{initializer:?}: {variance}");
            assert!(mean.abs() <= 0.02 * expected.sqrt(), "{initializer:?}: {mean}");
        }
    }

    #[test]
    fn numpy_weights_equal_those_of_the_notebooks() {
        // np.random.seed(3); W1 = np.random.randn(2, 3) * 0.01; W2 = np.random.randn(1, 2) * 0.01
        let mut random = RandomState::new(3);
        let mut sample =
            |inputs, outputs| Initializer::Normal.sample_numpy(0.01, inputs, outputs, &mut random);
        let first = [0.01788628, -0.01863493, 0.0043651, -0.00277388, 0.00096497, -0.00354759];
        let second = [-0.00082741, -0.00627001];
        for (weights, expected) in [(sample(3, 2), &first[..]), (sample(2, 1), &second[..])] {
            for (weight, expected) in weights.iter().zip(expected) {
                assert!((weight - expected).abs() < 1e-8, "{weights:?}");
            }
        }
    }
}
