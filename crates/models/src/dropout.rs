use burn::tensor::{Tensor, TensorData};
use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};

/// Counter-based random number generator of the dropout masks of one micro-batch.
///
/// Masks depend on (seed, step, micro-batch, layer) only and are equal on all backends, so that a
/// resumed or repeated run drops the same units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DropoutRng {
    /// Seed of the run.
    pub seed: u64,
    /// Training step.
    pub step: u64,
    /// Index of the micro-batch within the step (gradient accumulation).
    pub micro_batch: u64,
}

/// [`DropoutRng::dropout`], if `rng` is given.
pub fn dropout(
    values: Tensor<2>,
    probability: f64,
    rng: Option<&DropoutRng>,
    layer: usize,
) -> Tensor<2> {
    match rng {
        Some(rng) if probability > 0.0 => rng.dropout(values, probability, layer),
        _ => values,
    }
}

impl DropoutRng {
    /// Applies inverted dropout (Srivastava et al. 2014) to the output `[batch, units]` of layer
    /// `layer`: each value is 0 with `probability` and otherwise divided by `1 - probability`,
    /// which preserves its expectation.
    pub fn dropout(&self, values: Tensor<2>, probability: f64, layer: usize) -> Tensor<2> {
        let mask = self.mask(values.dims(), probability, layer);
        let options = (&values.device(), values.dtype());
        values * Tensor::from_data(mask, options)
    }

    /// Applies stochastic depth (Huang et al. 2016, arXiv:1603.09382) to the output of the
    /// convolutions `[batch, height, width, channels]` of block `layer`: all values of an example
    /// are 0 with `probability` and otherwise divided by `1 - probability`, which is the `row` mode
    /// of torchvision.
    pub fn drop_examples(&self, values: Tensor<4>, probability: f64, layer: usize) -> Tensor<4> {
        let [batch, ..] = values.dims();
        let mask = self.mask([batch, 1, 1, 1], probability, layer);
        let options = (&values.device(), values.dtype());
        values * Tensor::from_data(mask, options)
    }

    /// Samples 0 or `1 / (1 - probability)` for each value.
    fn mask<const D: usize>(
        &self,
        shape: [usize; D],
        probability: f64,
        layer: usize,
    ) -> TensorData {
        let kept = (1.0 / (1.0 - probability)) as f32;
        let threshold = (probability * 2_f64.powi(32)) as u64;
        let mut rng = self.rng(layer as u64);
        let value = |_| if u64::from(rng.next_u32()) < threshold { 0.0 } else { kept };
        TensorData::new((0..shape.iter().product()).map(value).collect(), shape)
    }

    fn rng(&self, layer: u64) -> ChaCha8Rng {
        let mut key = [0; 32];
        let words = [self.seed, self.step, self.micro_batch, layer];
        for (bytes, word) in key.chunks_exact_mut(8).zip(words) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        ChaCha8Rng::from_seed(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DROPOUT_RNG: DropoutRng = DropoutRng { seed: 1, step: 7, micro_batch: 0 };

    fn mask(rng: DropoutRng, layer: usize) -> Vec<f32> {
        rng.mask([100, 200], 0.2, layer).iter::<f32>().collect()
    }

    #[test]
    fn dropout_preserves_the_expectation() {
        let mask = mask(DROPOUT_RNG, 0);
        assert!(mask.iter().all(|&value| value == 0.0 || value == 1.25));
        let mean = mask.iter().sum::<f32>() / mask.len() as f32;
        assert!((mean - 1.0).abs() < 0.01, "{mean}");
        let dropped = mask.iter().filter(|&&value| value == 0.0).count();
        assert!((3850..4150).contains(&dropped), "{dropped} of 20000");
    }

    #[test]
    fn masks_differ_by_seed_step_micro_batch_and_layer_and_are_reproducible() {
        let masks = [
            mask(DROPOUT_RNG, 0),
            mask(DROPOUT_RNG, 1),
            mask(DropoutRng { step: 8, ..DROPOUT_RNG }, 0),
            mask(DropoutRng { micro_batch: 1, ..DROPOUT_RNG }, 0),
            mask(DropoutRng { seed: 2, ..DROPOUT_RNG }, 0),
        ];
        for (index, one) in masks.iter().enumerate() {
            assert!(masks.iter().skip(index + 1).all(|other| one != other), "{index}");
        }
        assert_eq!(masks[0], mask(DROPOUT_RNG, 0));
    }
}
