use burn::nn::BatchNorm;
use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use kernels::BatchStatistics;

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
        let (mean, variance) = (norm.running_mean.value(), norm.running_var.value());
        let statistics = BatchStatistics { mean, variance };
        return kernels::batch_norm_inference(options, input, gamma, beta, statistics, residual);
    }
    let count = (input.shape().num_elements() / norm.gamma.dims()[0]) as f64;
    let (output, statistics) = kernels::batch_norm_train(options, input, gamma, beta, residual);
    let unbiased = statistics.variance * (count / (count - 1.0));
    let (mean, momentum) = (norm.running_mean.value_sync(), norm.momentum);
    norm.running_mean.update(mean * (1.0 - momentum) + statistics.mean * momentum);
    let variance = norm.running_var.value_sync();
    norm.running_var.update(variance * (1.0 - momentum) + unbiased * momentum);
    output
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
