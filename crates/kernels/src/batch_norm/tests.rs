//! Comparison with the formula in plain tensor operations and Burn's gradients.

use super::*;
use crate::testing::{assert_close, random};
use burn::tensor::{DType, Device, TensorData, activation};

/// Inputs of a batch norm, and the weights of a scalar loss.
struct Problem {
    input: Tensor<4>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    residual: Option<Tensor<4>>,
    weights: Tensor<4>,
}

impl Problem {
    fn new(shape: [usize; 4], has_residual: bool, precision: DType) -> Self {
        let device = Device::flex().autodiff();
        let tensor = |seed| random(seed, shape, precision, &device);
        let vector = |seed| random(seed, [shape[3]], precision, &device).require_grad();
        Self {
            input: tensor(1).require_grad(),
            gamma: vector(2),
            beta: vector(3),
            residual: has_residual.then(|| tensor(4).require_grad()),
            weights: tensor(5),
        }
    }

    fn fused(&self, options: BatchNormOptions) -> (Tensor<4>, BatchStatistics) {
        let (gamma, beta) = (self.gamma.clone(), self.beta.clone());
        batch_norm_train(options, self.input.clone(), gamma, beta, self.residual.clone())
    }

    fn plain(&self, options: BatchNormOptions) -> (Tensor<4>, BatchStatistics) {
        let mean = self.input.clone().mean_dims(&[0, 1, 2]);
        let centred = self.input.clone() - mean.clone();
        let variance = centred.clone().square().mean_dims(&[0, 1, 2]);
        let normal = centred / (variance.clone() + options.epsilon).sqrt();
        let mut output = normal * self.gamma.clone().unsqueeze() + self.beta.clone().unsqueeze();
        if let Some(residual) = &self.residual {
            output = output + residual.clone();
        }
        let output = match options.rectifier {
            None => output,
            Some(Rectifier::Relu) => activation::relu(output),
            Some(Rectifier::Relu6) => output.clamp(0.0, 6.0),
        };
        let [mean, variance] = [mean, variance].map(|values| values.flatten(0, 3));
        (output, BatchStatistics { mean, variance })
    }

    /// Returns the gradients of an output and its values.
    fn bits(&self, output: Tensor<4>) -> Vec<TensorData> {
        let gradients = self.gradients(output.clone()).into_iter();
        gradients.chain([output.inner().flatten(0, 3)]).map(Tensor::into_data).collect()
    }

    /// Returns the gradients of the weighted sum of an output.
    fn gradients(&self, output: Tensor<4>) -> Vec<Tensor<1>> {
        let gradients = (output * self.weights.clone()).sum().backward();
        let of = |tensor: &Tensor<4>| tensor.grad(&gradients).unwrap().flatten(0, 3);
        let mut all = vec![of(&self.input)];
        all.extend(self.residual.as_ref().map(of));
        all.extend([&self.gamma, &self.beta].map(|tensor| tensor.grad(&gradients).unwrap()));
        all
    }
}

#[test]
fn output_statistics_and_gradients_match_the_formula() {
    // One row, few channels, many channels, more channels than a block, several pieces.
    let shapes = [[6, 1, 1, 1], [3, 5, 7, 3], [7, 9, 11, 32], [4, 1, 1, 1500], [64, 17, 13, 5]];
    for (precision, tolerance) in [(DType::F32, 1e-5), (DType::F64, 1e-12)] {
        for shape in shapes {
            let rectifiers = [None, Some(Rectifier::Relu), Some(Rectifier::Relu6)];
            for (rectifier, has_residual) in
                rectifiers.into_iter().flat_map(|it| [(it, false), (it, true)])
            {
                let problem = Problem::new(shape, has_residual, precision);
                let options = BatchNormOptions { epsilon: 1e-5, rectifier };
                let (fused, plain) = (problem.fused(options), problem.plain(options));
                assert_close(fused.1.mean, plain.1.mean.detach(), tolerance);
                assert_close(fused.1.variance, plain.1.variance.detach(), tolerance);
                assert_close(fused.0.clone(), plain.0.clone(), tolerance);
                let gradients = problem.gradients(fused.0).into_iter();
                for (fused, plain) in gradients.zip(problem.gradients(plain.0)) {
                    assert_close(fused, plain, 10.0 * tolerance);
                }
            }
        }
    }
}

#[test]
fn fused_max_pooling_matches_batch_norm_followed_by_max_pooling() {
    // Incomplete windows, few channels, many channels, more channels than a block.
    let shapes = [[3, 4, 6, 3], [5, 7, 5, 32], [2, 2, 2, 1500], [8, 33, 16, 16], [1, 9, 3, 1]];
    for (precision, tolerance) in [(DType::F32, 1e-5), (DType::F64, 1e-12)] {
        for (shape, size) in shapes.into_iter().flat_map(|shape| [(shape, 2), (shape, 1)]) {
            let mut problem = Problem::new(shape, false, precision);
            let (gamma, beta) = (problem.gamma.clone(), problem.beta.clone());
            let input = problem.input.clone();
            let fused = batch_norm_max_pool(1e-5, size, input, gamma, beta);
            let plain =
                problem.plain(BatchNormOptions { epsilon: 1e-5, rectifier: Some(Rectifier::Relu) });
            let pooled = crate::max_pool2d(size, plain.0);
            assert_close(fused.1.mean, plain.1.mean.detach(), tolerance);
            assert_close(fused.1.variance, plain.1.variance.detach(), tolerance);
            assert_close(fused.0.clone(), pooled.clone(), tolerance);
            problem.weights = random(6, pooled.dims(), precision, &pooled.device());
            let gradients = problem.gradients(fused.0).into_iter();
            for (fused, plain) in gradients.zip(problem.gradients(pooled)) {
                assert_close(fused, plain, 10.0 * tolerance);
            }
        }
    }
}

#[test]
fn statistics_of_values_far_from_zero_are_accurate() {
    let device = Device::flex().autodiff();
    let input = random(1, [64, 8, 8, 3], DType::F32, &device) + 1000.0;
    let exact = input.clone().cast(DType::F64).flatten::<2>(0, 2).var_bias(0);
    let (gamma, beta) = (Tensor::ones([3], &device), Tensor::zeros([3], &device));
    let options = BatchNormOptions { epsilon: 1e-5, rectifier: None };
    let (_, statistics) = batch_norm_train(options, input, gamma, beta, None);
    let found = statistics.variance.cast(DType::F64);
    assert_close(found, exact.flatten(0, 1), 1e-6);
}

#[test]
fn inference_normalises_with_the_given_statistics() {
    for has_residual in [false, true] {
        let problem = Problem::new([5, 3, 2, 40], has_residual, DType::F32);
        let options = BatchNormOptions { epsilon: 1e-5, rectifier: Some(Rectifier::Relu) };
        let (trained, statistics) = problem.fused(options);
        let [gamma, beta] = [&problem.gamma, &problem.beta].map(|t| t.clone().inner());
        let output = batch_norm_inference(
            options,
            problem.input.clone().inner(),
            gamma,
            beta,
            BatchStatistics {
                mean: statistics.mean.inner(),
                variance: statistics.variance.inner(),
            },
            problem.residual.clone().map(Tensor::inner),
        );
        assert_close(output, trained.inner(), 1e-6);
    }
}

#[test]
fn pooled_inference_normalises_with_the_given_statistics() {
    for shape in [[3, 4, 6, 3], [5, 7, 5, 32]] {
        let problem = Problem::new(shape, false, DType::F32);
        let (input, gamma, beta) = (problem.input, problem.gamma, problem.beta);
        let (trained, BatchStatistics { mean, variance }) =
            batch_norm_max_pool(1e-5, 2, input.clone(), gamma.clone(), beta.clone());
        let statistics = BatchStatistics { mean: mean.inner(), variance: variance.inner() };
        let [gamma, beta] = [gamma, beta].map(Tensor::inner);
        let inputs = (input.inner(), gamma, beta);
        let output =
            batch_norm_max_pool_inference(1e-5, 2, inputs.0, inputs.1, inputs.2, statistics);
        assert_close(output, trained.inner(), 1e-6);
    }
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let problem = Problem::new([64, 19, 23, 24], true, DType::F32);
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let (output, _) =
                problem.fused(BatchNormOptions { epsilon: 1e-5, rectifier: Some(Rectifier::Relu) });
            problem.bits(output)
        })
    };
    let one = run(1);
    for threads in [2, 3, 8] {
        assert!(run(threads) == one, "{threads} threads");
    }
}

#[test]
fn fused_max_pooling_does_not_depend_on_the_number_of_threads() {
    let mut problem = Problem::new([16, 19, 23, 24], false, DType::F32);
    problem.weights = random(6, [16, 9, 11, 24], DType::F32, &problem.input.device());
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let (gamma, beta) = (problem.gamma.clone(), problem.beta.clone());
            let input = problem.input.clone();
            problem.bits(batch_norm_max_pool(1e-5, 2, input, gamma, beta).0)
        })
    };
    let one = run(1);
    for threads in [2, 3, 8] {
        assert!(run(threads) == one, "{threads} threads");
    }
}

#[test]
fn nan_is_propagated() {
    let mut problem = Problem::new([4, 2, 2, 3], false, DType::F32);
    problem.input = problem.input.clone().slice_fill(0..1, f32::NAN);
    let (output, _) =
        problem.fused(BatchNormOptions { epsilon: 1e-5, rectifier: Some(Rectifier::Relu) });
    assert!(output.into_data().iter::<f32>().all(f32::is_nan));
}

#[test]
fn the_output_is_not_saved_for_the_next_layer() {
    use crate::fused::{BatchNormOps, ConvOps};
    use burn::backend::{Autodiff, Flex, TensorMetadata, ops::FloatTensorOps};

    type Tracked = Autodiff<Flex>;
    let ones = |shape: &[usize]| {
        let ones = Tracked::float_from_data(TensorData::ones::<f32, _>(shape), &Default::default());
        Tracked::float_set_require_grad(ones, true)
    };
    let (input, weight) = (ones(&[2, 4, 4, 8]), ones(&[8, 8, 3, 3]));
    let options = BatchNormOptions { epsilon: 1e-5, rectifier: Some(Rectifier::Relu) };
    let norm = (options, false);
    let (output, ..) =
        Tracked::fused_batch_norm_train(input.clone(), ones(&[8]), ones(&[8]), input, norm);
    let geometry =
        crate::Conv2dOptions { stride: [1, 1], padding: [[1; 2]; 2], is_depthwise: false };
    let _next = Tracked::fused_conv2d(output.clone(), weight.clone(), weight, false, geometry);
    assert!(output.can_mut());
}
