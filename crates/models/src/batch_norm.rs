use burn::nn::BatchNorm;
use burn::tensor::Tensor;
use kernels::{BatchStatistics, Rectifier};

/// Operations after the normalisation, in the order of the fields.
#[derive(Debug)]
pub struct Epilogue<const D: usize> {
    pub residual: Option<Tensor<D>>,
    pub rectifier: Option<Rectifier>,
}

/// Normalises `input` `[.., channels]` with batch statistics under autodiff (training), otherwise
/// with the running statistics.
///
/// Differs from Burn's forward pass in the memory layout (channels last) and in the running
/// variance: like PyTorch, it averages the unbiased batch variance (times `n / (n - 1)`).
pub fn forward<const D: usize>(
    norm: &BatchNorm,
    input: Tensor<D>,
    epilogue: Epilogue<D>,
) -> Tensor<D> {
    let Epilogue { residual, rectifier } = epilogue;
    let options = kernels::BatchNormOptions { epsilon: norm.epsilon, rectifier };
    let (gamma, beta) = (norm.gamma.val(), norm.beta.val());
    if !input.device().is_autodiff() {
        let statistics = running_statistics(norm);
        return kernels::batch_norm_inference(options, input, gamma, beta, statistics, residual);
    }
    let count = values_per_channel(norm, &input);
    let (output, statistics) = kernels::batch_norm_train(options, input, gamma, beta, residual);
    update_running_statistics(norm, statistics, count);
    output
}

/// [`forward`] of images, then a ReLU and a 2x2 max pooling.
pub fn forward_and_pool(norm: &BatchNorm, images: Tensor<4>) -> Tensor<4> {
    let (gamma, beta) = (norm.gamma.val(), norm.beta.val());
    if !images.device().is_autodiff() {
        let (epsilon, statistics) = (norm.epsilon, running_statistics(norm));
        return kernels::batch_norm_max_pool_inference(epsilon, 2, images, gamma, beta, statistics);
    }
    let count = values_per_channel(norm, &images);
    let (output, statistics) = kernels::batch_norm_max_pool(norm.epsilon, 2, images, gamma, beta);
    update_running_statistics(norm, statistics, count);
    output
}

fn running_statistics(norm: &BatchNorm) -> BatchStatistics {
    BatchStatistics { mean: norm.running_mean.value(), variance: norm.running_var.value() }
}

fn values_per_channel<const D: usize>(norm: &BatchNorm, input: &Tensor<D>) -> f64 {
    (input.shape().num_elements() / norm.gamma.dims()[0]) as f64
}

/// Updates the running statistics with those of a batch with `count` values per channel.
fn update_running_statistics(norm: &BatchNorm, statistics: BatchStatistics, count: f64) {
    let unbiased = statistics.variance * (count / (count - 1.0));
    let (mean, momentum) = (norm.running_mean.value_sync(), norm.momentum);
    norm.running_mean.update(mean * (1.0 - momentum) + statistics.mean * momentum);
    let variance = norm.running_var.value_sync();
    norm.running_var.update(variance * (1.0 - momentum) + unbiased * momentum);
}

impl<const D: usize> Epilogue<D> {
    pub const NONE: Self = Self { residual: None, rectifier: None };
    pub const RELU: Self = Self { residual: None, rectifier: Some(Rectifier::Relu) };

    pub fn apply(self, output: Tensor<D>) -> Tensor<D> {
        let output = match self.residual {
            Some(residual) => output + residual,
            None => output,
        };
        match self.rectifier {
            Some(rectifier) => rectifier.forward(output),
            None => output,
        }
    }
}
