use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use rand_distr::StandardNormal;
use serde::{Deserialize, Serialize};

/// How the initial weights of a layer are drawn. Biases start at zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Initializer {
    /// Normal with variance `2 / fan_in` (He et al. 2015, arXiv:1502.01852): for ReLU.
    #[default]
    HeNormal,
    /// Uniform within `±sqrt(6 / (fan_in + fan_out))` (Glorot and Bengio 2010), TensorFlow's
    /// `xavier_initializer`.
    GlorotUniform,
}

impl Initializer {
    /// Draws the weights of a layer, `fan_in * fan_out` of them.
    pub fn draw(self, fan_in: usize, fan_out: usize, rng: &mut ChaCha8Rng) -> Vec<f32> {
        let (inputs, outputs) = (fan_in as f32, fan_out as f32);
        let mut weight: Box<dyn FnMut() -> f32> = match self {
            Self::HeNormal => {
                let scale = (2.0 / inputs).sqrt();
                Box::new(move || scale * rng.sample::<f32, _>(StandardNormal))
            }
            Self::GlorotUniform => {
                let limit = (6.0 / (inputs + outputs)).sqrt();
                Box::new(move || rng.random_range(-limit..limit))
            }
        };
        (0..fan_in * fan_out).map(|_| weight()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    fn variance(initializer: Initializer, fan_in: usize, fan_out: usize) -> f32 {
        let weights = initializer.draw(fan_in, fan_out, &mut ChaCha8Rng::seed_from_u64(1));
        weights.iter().map(|weight| weight * weight).sum::<f32>() / weights.len() as f32
    }

    #[test]
    fn the_variance_of_the_weights_is_the_one_of_the_formula() {
        let he = variance(Initializer::HeNormal, 400, 300);
        assert!((he * 400.0 / 2.0 - 1.0).abs() < 0.02, "{he}");
        let glorot = variance(Initializer::GlorotUniform, 400, 300);
        assert!((glorot * 700.0 / 2.0 - 1.0).abs() < 0.02, "{glorot}");
    }
}
