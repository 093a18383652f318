use burn::tensor::{Tensor, module};

use crate::Rectifier;

/// Options of a batch norm (Ioffe and Szegedy 2015, arXiv:1502.03167).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BatchNormOptions {
    /// Added to the variance for numerical stability.
    pub epsilon: f64,
    /// Applied after the addition of the residual.
    pub rectifier: Option<Rectifier>,
}

/// Statistics of a batch, without gradients.
#[derive(Debug, Clone)]
pub struct BatchStatistics {
    /// Mean of each channel, `[channels]`.
    pub mean: Tensor<1>,
    /// Biased variance of each channel (divided by the count), `[channels]`.
    pub variance: Tensor<1>,
}

/// Computes `rectifier((x - mean) / sqrt(variance + epsilon) * gamma + beta + residual)` with the
/// statistics of the batch.
///
/// `input` and `residual` are `[.., channels]`, `gamma` and `beta` are `[channels]`.
pub fn batch_norm_train<const D: usize>(
    options: BatchNormOptions,
    input: Tensor<D>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    residual: Option<Tensor<D>>,
) -> (Tensor<D>, BatchStatistics) {
    #[cfg(feature = "flex")]
    if crate::fused::is_fused(&input) {
        return crate::fused::batch_norm_train(options, input, gamma, beta, residual);
    }
    let shape = input.shape();
    let [channels] = gamma.dims();
    let rows = input.reshape([shape.num_elements() / channels, channels]);
    let norm = module::batch_norm_train(rows, gamma, beta, options.epsilon);
    let statistics = BatchStatistics { mean: norm.mean.detach(), variance: norm.variance.detach() };
    (options.epilogue(norm.output.reshape(shape), residual), statistics)
}

/// [`batch_norm_train`] of images `[batch, height, width, channels]` with a ReLU and without a
/// residual, followed by [`crate::max_pool2d()`] over windows of `size` x `size`.
pub fn batch_norm_max_pool(
    epsilon: f64,
    size: usize,
    input: Tensor<4>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
) -> (Tensor<4>, BatchStatistics) {
    #[cfg(feature = "flex")]
    if crate::fused::is_fused(&input) && size <= crate::fused::MAX_WINDOW {
        return crate::fused::batch_norm_max_pool((epsilon, size), input, gamma, beta);
    }
    let options = BatchNormOptions { epsilon, rectifier: Some(Rectifier::Relu) };
    let (output, statistics) = batch_norm_train(options, input, gamma, beta, None);
    (crate::max_pool2d(size, output), statistics)
}

/// [`batch_norm_train`] with the given `statistics`.
pub fn batch_norm_inference<const D: usize>(
    options: BatchNormOptions,
    input: Tensor<D>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    statistics: BatchStatistics,
    residual: Option<Tensor<D>>,
) -> Tensor<D> {
    #[cfg(feature = "flex")]
    if crate::fused::is_fused(&input) && !input.device().is_autodiff() {
        return crate::fused::batch_norm_inference(
            options, input, gamma, beta, statistics, residual,
        );
    }
    let shape = input.shape();
    let [channels] = gamma.dims();
    let rows = input.reshape([shape.num_elements() / channels, channels]);
    let BatchStatistics { mean, variance } = statistics;
    let output = module::batch_norm(rows, gamma, beta, mean, variance, options.epsilon);
    options.epilogue(output.reshape(shape), residual)
}

/// [`batch_norm_max_pool`] with the given `statistics`.
pub fn batch_norm_max_pool_inference(
    epsilon: f64,
    size: usize,
    input: Tensor<4>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    statistics: BatchStatistics,
) -> Tensor<4> {
    #[cfg(feature = "flex")]
    if crate::fused::is_fused(&input)
        && !input.device().is_autodiff()
        && size <= crate::fused::MAX_WINDOW
    {
        let options = (epsilon, size);
        return crate::fused::batch_norm_max_pool_inference(
            options, input, gamma, beta, statistics,
        );
    }
    let options = BatchNormOptions { epsilon, rectifier: Some(Rectifier::Relu) };
    crate::max_pool2d(size, batch_norm_inference(options, input, gamma, beta, statistics, None))
}

impl BatchNormOptions {
    fn epilogue<const D: usize>(self, output: Tensor<D>, residual: Option<Tensor<D>>) -> Tensor<D> {
        let output = match residual {
            Some(residual) => output + residual,
            None => output,
        };
        match self.rectifier {
            Some(rectifier) => rectifier.forward(output),
            None => output,
        }
    }
}

#[cfg(test)]
#[cfg(feature = "flex")]
mod tests;
