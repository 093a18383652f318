use burn::nn::BatchNorm;
use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use kernels::BatchStatistics;

use crate::layer::Layer;

/// `layer` with a batch norm of its channels or units behind it; `None` if a number overflows.
pub fn after(layer: Layer) -> Option<Layer> {
    let channels = layer.output.last().copied().unwrap_or(0);
    let parameters = channels.checked_mul(4)?.checked_add(layer.parameters)?;
    Some(Layer { parameters, running: 2 * channels, ..layer.followed_by("norm") })
}

/// What happens around the normalisation.
#[derive(Debug)]
pub struct Around<const D: usize> {
    /// Added before the ReLU.
    pub residual: Option<Tensor<D>>,
    /// Whether a ReLU follows.
    pub relu: bool,
}

/// Normalises `input` `[.., channels]`: over the batch where there is autodiff, over the running
/// statistics elsewhere.
///
/// Not Burn's own forward pass, which wants the channels second, and whose running variance is
/// that of the batch itself: the variance of all that the batch is drawn from is larger by
/// `n / (n - 1)`, as PyTorch has it, and that is what evaluation needs.
pub fn forward<const D: usize>(norm: &BatchNorm, input: Tensor<D>, around: Around<D>) -> Tensor<D> {
    let Around { residual, relu } = around;
    let options = kernels::BatchNorm { epsilon: norm.epsilon, relu };
    let (gamma, beta) = (norm.gamma.val(), norm.beta.val());
    if !input.device().is_autodiff() {
        let statistics = running(norm);
        return kernels::batch_norm_inference(options, input, gamma, beta, statistics, residual);
    }
    let rows = rows(norm, &input);
    let (output, statistics) = kernels::batch_norm_train(options, input, gamma, beta, residual);
    remember(norm, statistics, rows);
    output
}

/// The same of images with a ReLU, and then the largest value of each window of two by two.
pub fn forward_and_pool(norm: &BatchNorm, images: Tensor<4>) -> Tensor<4> {
    let (gamma, beta) = (norm.gamma.val(), norm.beta.val());
    if !images.device().is_autodiff() {
        let (epsilon, statistics) = (norm.epsilon, running(norm));
        return kernels::batch_norm_max_pool_inference(epsilon, 2, images, gamma, beta, statistics);
    }
    let rows = rows(norm, &images);
    let (output, statistics) = kernels::batch_norm_max_pool(norm.epsilon, 2, images, gamma, beta);
    remember(norm, statistics, rows);
    output
}

/// The running statistics.
fn running(norm: &BatchNorm) -> BatchStatistics {
    BatchStatistics { mean: norm.running_mean.value(), variance: norm.running_var.value() }
}

/// How many values of each channel there are.
fn rows<const D: usize>(norm: &BatchNorm, input: &Tensor<D>) -> f64 {
    (input.shape().num_elements() / norm.gamma.dims()[0]) as f64
}

/// Moves the running statistics towards those of a batch of `rows`.
fn remember(norm: &BatchNorm, statistics: BatchStatistics, rows: f64) {
    let unbiased = statistics.variance * (rows / (rows - 1.0));
    let (mean, momentum) = (norm.running_mean.value_sync(), norm.momentum);
    norm.running_mean.update(mean * (1.0 - momentum) + statistics.mean * momentum);
    let variance = norm.running_var.value_sync();
    norm.running_var.update(variance * (1.0 - momentum) + unbiased * momentum);
}

impl<const D: usize> Around<D> {
    /// The normalisation alone.
    pub const NOTHING: Self = Self { residual: None, relu: false };
    /// A ReLU behind it.
    pub const RELU: Self = Self { residual: None, relu: true };

    /// The same without a normalisation between.
    pub fn apply(self, output: Tensor<D>) -> Tensor<D> {
        let output = match self.residual {
            Some(residual) => output + residual,
            None => output,
        };
        if self.relu { relu(output) } else { output }
    }
}
