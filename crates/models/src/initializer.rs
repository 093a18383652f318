use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use rand_distr::StandardNormal;
use serde::{Deserialize, Serialize};

/// How the initial weights of a layer are drawn. Biases start at zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Initializer {
    /// All zero: the units of a hidden layer stay equal for ever.
    Zeros,
    /// Normal, times `initializer_scale`.
    Normal,
    /// Normal with variance `1 / fan_in` (LeCun et al. 1998): for tanh. The courses call it
    /// Xavier.
    #[serde(alias = "xavier")]
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

    /// Draws the weights of a layer, `fan_in * fan_out` of them. The scale is that of `normal`.
    pub fn draw(self, scale: f64, fan_in: usize, fan_out: usize, rng: &mut ChaCha8Rng) -> Vec<f32> {
        let (inputs, outputs) = (fan_in as f32, fan_out as f32);
        let count = fan_in * fan_out;
        let mut normal = |deviation: f32| -> Vec<f32> {
            (0..count).map(|_| deviation * rng.sample::<f32, _>(StandardNormal)).collect()
        };
        match self {
            Self::Zeros => vec![0.0; count],
            Self::Normal => normal(scale as f32),
            Self::LecunNormal => normal((1.0 / inputs).sqrt()),
            Self::GlorotNormal => normal((2.0 / (inputs + outputs)).sqrt()),
            Self::HeNormal => normal((2.0 / inputs).sqrt()),
            Self::GlorotUniform => {
                let limit = (6.0 / (inputs + outputs)).sqrt();
                (0..count).map(|_| rng.random_range(-limit..limit)).collect()
            }
        }
    }
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
}
