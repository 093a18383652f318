use numpy_random::RandomState;
use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use rand_distr::StandardNormal;
use serde::{Deserialize, Serialize};

/// How the initial weights of a layer are drawn. Biases start at zero.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Initializer {
    /// All zero: the units of a hidden layer stay equal for ever.
    Zeros,
    /// Normal, times `initializer_scale`.
    Normal,
    /// Normal with variance `1 / fan_in` (LeCun et al. 1998): for tanh. The courses call it
    /// Xavier.
    LecunNormal,
    /// Normal with variance `2 / (fan_in + fan_out)` (Glorot and Bengio 2010).
    GlorotNormal,
    /// Uniform within `±sqrt(6 / (fan_in + fan_out))` (Glorot and Bengio 2010), TensorFlow's
    /// `xavier_initializer`.
    GlorotUniform,
    /// Normal with variance `2 / fan_in` (He et al. 2015, arXiv:1502.01852): for ReLU.
    #[default]
    HeNormal,
}

/// Where the random numbers of the initial weights come from.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Generator {
    /// A ChaCha stream of the seed.
    #[default]
    Chacha,
    /// NumPy's `np.random.seed(seed)`, with the weights drawn in the order of the courses'
    /// notebooks: theirs, to the last bit of an f32.
    Numpy,
}

impl Initializer {
    /// Every initialiser.
    pub const ALL: [Self; 6] = [
        Self::Zeros,
        Self::Normal,
        Self::LecunNormal,
        Self::GlorotNormal,
        Self::GlorotUniform,
        Self::HeNormal,
    ];

    /// Draws the weights `[fan_in, fan_out]` of a layer. The scale is that of `normal`.
    pub fn draw(self, scale: f64, fan_in: usize, fan_out: usize, rng: &mut ChaCha8Rng) -> Vec<f32> {
        let count = fan_in * fan_out;
        match self.spread(scale, fan_in, fan_out) {
            Spread::None => vec![0.0; count],
            Spread::Normal(deviation) => {
                let mut normal = || rng.sample::<f32, _>(StandardNormal);
                (0..count).map(|_| deviation as f32 * normal()).collect()
            }
            Spread::Uniform(limit) => {
                let limit = limit as f32;
                (0..count).map(|_| rng.random_range(-limit..limit)).collect()
            }
        }
    }

    /// The same from NumPy's generator. The notebooks keep weights as `[fan_out, fan_in]`.
    pub fn draw_numpy(
        self,
        scale: f64,
        fan_in: usize,
        fan_out: usize,
        random: &mut RandomState,
    ) -> Vec<f32> {
        let mut weight: Box<dyn FnMut() -> f64> = match self.spread(scale, fan_in, fan_out) {
            Spread::None => Box::new(|| 0.0),
            Spread::Normal(deviation) => Box::new(move || deviation * random.randn()),
            Spread::Uniform(limit) => Box::new(move || random.uniform(-limit, limit)),
        };
        let mut weights = vec![0.0; fan_in * fan_out];
        for output in 0..fan_out {
            for drawn in weights.iter_mut().skip(output).step_by(fan_out) {
                *drawn = weight() as f32;
            }
        }
        weights
    }

    fn spread(self, scale: f64, fan_in: usize, fan_out: usize) -> Spread {
        let (inputs, both) = (fan_in as f64, (fan_in + fan_out) as f64);
        match self {
            Self::Zeros => Spread::None,
            Self::Normal => Spread::Normal(scale),
            Self::LecunNormal => Spread::Normal((1.0 / inputs).sqrt()),
            Self::GlorotNormal => Spread::Normal((2.0 / both).sqrt()),
            Self::HeNormal => Spread::Normal((2.0 / inputs).sqrt()),
            Self::GlorotUniform => Spread::Uniform((6.0 / both).sqrt()),
        }
    }
}

/// How far weights lie from 0.
enum Spread {
    None,
    /// Their standard deviation.
    Normal(f64),
    /// The largest of them.
    Uniform(f64),
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    /// Mean and variance of 400 x 300 weights.
    fn moments(initializer: Initializer) -> (f32, f32) {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let weights = initializer.draw(10.0, 400, 300, &mut rng);
        let mean = |values: &mut dyn Iterator<Item = f32>| values.sum::<f32>() / 120_000.0;
        (mean(&mut weights.iter().copied()), mean(&mut weights.iter().map(|w| w * w)))
    }

    #[test]
    fn the_moments_of_the_weights_are_those_of_the_formula() {
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
    fn the_weights_of_numpy_are_those_of_the_notebooks() {
        // np.random.seed(3); W1 = np.random.randn(2, 3) * 0.01; W2 = np.random.randn(1, 2) * 0.01
        let mut random = RandomState::new(3);
        let mut draw =
            |inputs, outputs| Initializer::Normal.draw_numpy(0.01, inputs, outputs, &mut random);
        let first = [0.01788628, -0.01863493, 0.0043651, -0.00277388, 0.00096497, -0.00354759];
        let second = [-0.00082741, -0.00627001];
        for (weights, expected) in [(draw(3, 2), &first[..]), (draw(2, 1), &second[..])] {
            for (weight, expected) in weights.iter().zip(expected) {
                assert!((weight - expected).abs() < 1e-8, "{weights:?}");
            }
        }
    }
}
