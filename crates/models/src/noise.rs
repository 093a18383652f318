use burn::tensor::{Tensor, TensorData};
use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};

/// The random numbers of one batch of one training step: a function of (seed, step, part), on
/// every backend the same, so that a resumed run and a repeated one drop the same units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Noise {
    /// What all randomness of the run depends on.
    pub seed: u64,
    /// The step.
    pub step: u64,
    /// Which batch of the step, where it accumulates several.
    pub part: u64,
}

impl Noise {
    /// Inverted dropout (Srivastava et al. 2014, as the courses define it) after layer `layer`:
    /// each value is 0 with the given probability and else divided by that of keeping it, so that
    /// its expectation is unchanged. `[batch, units]` to the same shape.
    pub fn drop(&self, values: Tensor<2>, probability: f64, layer: usize) -> Tensor<2> {
        let mask = self.mask(values.dims(), probability, layer);
        let options = (&values.device(), values.dtype());
        values * Tensor::from_data(mask, options)
    }

    /// 0 or `1 / (1 - probability)` for each value.
    fn mask(&self, shape: [usize; 2], probability: f64, layer: usize) -> TensorData {
        let kept = (1.0 / (1.0 - probability)) as f32;
        let threshold = (probability * 2_f64.powi(32)) as u64;
        let mut rng = self.rng(layer as u64);
        let value = |_| if u64::from(rng.next_u32()) < threshold { 0.0 } else { kept };
        TensorData::new((0..shape[0] * shape[1]).map(value).collect(), shape)
    }

    fn rng(&self, layer: u64) -> ChaCha8Rng {
        let mut key = [0; 32];
        let words = [self.seed, self.step, self.part, layer];
        for (bytes, word) in key.chunks_exact_mut(8).zip(words) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        ChaCha8Rng::from_seed(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOISE: Noise = Noise { seed: 1, step: 7, part: 0 };

    fn mask(noise: Noise, layer: usize) -> Vec<f32> {
        noise.mask([100, 200], 0.2, layer).iter::<f32>().collect()
    }

    #[test]
    fn dropout_keeps_the_expectation_by_dividing_by_the_probability_of_keeping() {
        let mask = mask(NOISE, 0);
        assert!(mask.iter().all(|&value| value == 0.0 || value == 1.25));
        let mean = mask.iter().sum::<f32>() / mask.len() as f32;
        assert!((mean - 1.0).abs() < 0.01, "{mean}");
        let dropped = mask.iter().filter(|&&value| value == 0.0).count();
        assert!((3850..4150).contains(&dropped), "{dropped} of 20000");
    }

    #[test]
    fn every_step_part_and_layer_drops_others_and_the_same_again_the_same() {
        let masks = [
            mask(NOISE, 0),
            mask(NOISE, 1),
            mask(Noise { step: 8, ..NOISE }, 0),
            mask(Noise { part: 1, ..NOISE }, 0),
            mask(Noise { seed: 2, ..NOISE }, 0),
        ];
        for (index, one) in masks.iter().enumerate() {
            assert!(masks.iter().skip(index + 1).all(|other| one != other), "{index}");
        }
        assert_eq!(masks[0], mask(NOISE, 0));
    }
}
