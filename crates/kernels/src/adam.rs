use burn::tensor::Tensor;

/// The numbers of one step of Adam (Kingma and Ba 2015, algorithm 1, in the order of their section
/// 2 that corrects the bias by the rate) with decoupled weight decay.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adam {
    /// The decay of the mean of the gradients.
    pub beta_1: f64,
    /// The decay of the mean of their squares.
    pub beta_2: f64,
    /// The learning rate, corrected for the bias of both means.
    pub rate: f64,
    /// What is added to the root of the second mean, corrected for its bias.
    pub epsilon: f64,
    /// The share of a parameter that weight decay leaves.
    pub kept: f64,
}

/// One step, without gradients of its own: the new parameters and means.
///
/// `m = beta_1 m + (1 - beta_1) g`, `v = beta_2 v + (1 - beta_2) g^2`,
/// `p = kept p - rate m / (sqrt(v) + epsilon)`. All of one shape.
pub fn adam<const D: usize>(
    adam: &Adam,
    parameter: Tensor<D>,
    gradient: Tensor<D>,
    moment_1: Tensor<D>,
    moment_2: Tensor<D>,
) -> [Tensor<D>; 3] {
    #[cfg(feature = "flex")]
    if crate::fused::is_fused(&parameter) {
        return crate::fused::adam(adam, parameter, gradient, moment_1, moment_2);
    }
    let moment_1 = moment_1 * adam.beta_1 + gradient.clone() * (1.0 - adam.beta_1);
    let moment_2 = moment_2 * adam.beta_2 + gradient.square() * (1.0 - adam.beta_2);
    let step = moment_1.clone() * adam.rate / (moment_2.clone().sqrt() + adam.epsilon);
    let kept = if adam.kept == 1.0 { parameter } else { parameter * adam.kept };
    [kept - step, moment_1, moment_2]
}
