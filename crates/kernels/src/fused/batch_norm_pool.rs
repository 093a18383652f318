use std::fmt;
use std::sync::Arc;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{
    Autodiff, AutodiffBackend, Backend, Dispatch, Flex, TensorMetadata, backend_extension,
};
use burn::tensor::{DType, Shape, Tensor};

use super::batch_norm;
use super::tensors::{self, FlexFloat, FlexTensor};
use crate::BatchStatistics;
use crate::Rectifier;
use crate::buffer_pool::Buffer;
use crate::cpu::batch_norm::{BackwardPass, Moments, Normalize, PooledBackwardPass, Rectified};
use crate::cpu::max_pool::MaxPool2d;

/// (epsilon, window size).
type Options = (f64, usize);

/// Batch norm, ReLU and max pooling.
#[backend_extension(Flex, Autodiff)]
pub trait BatchNormPoolOps: Backend {
    /// Returns output, mean and variance.
    fn fused_batch_norm_pool(
        input: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        options: Options,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);
}

/// See [`crate::batch_norm_max_pool()`].
pub fn batch_norm_max_pool(
    (epsilon, size): (f64, usize),
    input: Tensor<4>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
) -> (Tensor<4>, BatchStatistics) {
    let (gamma, beta) = (gamma.into_dispatch(), beta.into_dispatch());
    let (output, mean, variance) =
        Dispatch::fused_batch_norm_pool(input.into_dispatch(), gamma, beta, (epsilon, size));
    let [mean, variance] = [mean, variance].map(Tensor::from_dispatch);
    (Tensor::from_dispatch(output), BatchStatistics { mean, variance })
}

/// Batch norm with given statistics, ReLU and max pooling.
#[backend_extension(Flex)]
pub trait BatchNormPoolInferenceOps: Backend {
    /// Returns the output.
    fn fused_batch_norm_pool_inference(
        input: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        options: Options,
    ) -> FloatTensor<Self>;
}

/// See [`crate::batch_norm_max_pool_inference()`].
pub fn batch_norm_max_pool_inference(
    options: (f64, usize),
    input: Tensor<4>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    statistics: BatchStatistics,
) -> Tensor<4> {
    Tensor::from_dispatch(Dispatch::fused_batch_norm_pool_inference(
        input.into_dispatch(),
        gamma.into_dispatch(),
        beta.into_dispatch(),
        statistics.mean.into_dispatch(),
        statistics.variance.into_dispatch(),
        options,
    ))
}

/// (output, mean, variance), and the state of the backward pass.
type ForwardResult = ((FlexTensor, FlexTensor, FlexTensor), State);

impl BatchNormPoolOps for Flex {
    fn fused_batch_norm_pool(
        input: FlexTensor,
        gamma: FlexTensor,
        beta: FlexTensor,
        options: Options,
    ) -> (FlexTensor, FlexTensor, FlexTensor) {
        forward([input, gamma, beta], options).0
    }
}

impl BatchNormPoolInferenceOps for Flex {
    fn fused_batch_norm_pool_inference(
        input: FlexTensor,
        gamma: FlexTensor,
        beta: FlexTensor,
        mean: FlexTensor,
        variance: FlexTensor,
        options: Options,
    ) -> FlexTensor {
        let inputs = [input, gamma, beta].map(tensors::to_contiguous);
        let [mean, variance] = [mean, variance].map(tensors::to_contiguous);
        match inputs[0].dtype() {
            DType::F64 => {
                pooled::<f64>(&inputs, &batch_norm::moments::<f64>(&mean, &variance), options).0
            }
            _ => pooled::<f32>(&inputs, &batch_norm::moments::<f32>(&mean, &variance), options).0,
        }
    }
}

/// Computes the forward pass of `[input, gamma, beta]`.
fn forward(inputs: [FlexTensor; 3], options: Options) -> ForwardResult {
    let inputs = inputs.map(tensors::to_contiguous);
    match inputs[0].dtype() {
        DType::F64 => forward_typed::<f64>(inputs, options),
        _ => forward_typed::<f32>(inputs, options),
    }
}

fn forward_typed<T: FlexFloat>(inputs: [FlexTensor; 3], options: Options) -> ForwardResult {
    let [.., channels] = inputs[0].shape().dims::<4>();
    let moments = Moments::compute(tensors::as_slice::<T>(&inputs[0]), channels);
    let (output, pool, indices) = pooled::<T>(&inputs, &moments, options);
    let [mean, variance] = [&moments.mean, &moments.variance]
        .map(|values| tensors::from_f64_slice::<T>(values, [channels].into()));
    let (moments, indices) = (Arc::new(moments), Arc::new(indices));
    let ([input, gamma, _], (epsilon, _)) = (inputs, options);
    let state = State { input, output: output.clone(), gamma, pool, indices, moments, epsilon };
    ((output, mean, variance), state)
}

/// Returns the output and the indices of the maxima within their windows.
fn pooled<T: FlexFloat>(
    [input, gamma, beta]: &[FlexTensor; 3],
    moments: &Moments,
    (epsilon, size): Options,
) -> (FlexTensor, MaxPool2d, Buffer<u8>) {
    let [batch, height, width, channels] = input.shape().dims();
    let pool = MaxPool2d { batch, height, width, channels, size };
    let map = (tensors::as_slice(gamma), tensors::as_slice(beta));
    let normalize = Normalize::<T>::new(moments, map, epsilon, Some(Rectifier::Relu));
    let (mut output, mut indices) =
        (Buffer::new(pool.output_len()), Buffer::new(pool.output_len()));
    normalize.apply_and_pool(pool, tensors::as_slice(input), &mut output, &mut indices);
    let shape = [batch, pool.out_height(), pool.out_width(), channels];
    (tensors::from_buffer(output, shape.into()), pool, indices)
}

/// Values saved for the backward pass.
#[derive(Clone)]
struct State {
    input: FlexTensor,
    output: FlexTensor,
    gamma: FlexTensor,
    pool: MaxPool2d,
    indices: Arc<Buffer<u8>>,
    moments: Arc<Moments>,
    epsilon: f64,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("State").field(&self.pool).finish()
    }
}

impl State {
    /// Returns the gradients of input, gamma and beta.
    fn backward<T: FlexFloat>(&self, gradient: FlexTensor) -> [Option<FlexTensor>; 3] {
        let gradient = tensors::to_contiguous(gradient);
        let norm = BackwardPass {
            input: tensors::as_slice::<T>(&self.input),
            rectified: Rectified::Absent,
            has_residual: false,
            gamma: tensors::as_slice(&self.gamma),
            moments: &self.moments,
            epsilon: self.epsilon,
        };
        let (output, indices) = (tensors::as_slice(&self.output), &self.indices);
        let pooled = PooledBackwardPass { norm, pool: self.pool, output, indices };
        let backward = pooled.backward(tensors::as_slice(&gradient));
        let channels: Shape = self.gamma.shape();
        [
            Some(tensors::from_buffer(backward.input, self.input.shape())),
            Some(tensors::from_f64_slice::<T>(&backward.gamma, channels.clone())),
            Some(tensors::from_f64_slice::<T>(&backward.beta, channels)),
        ]
    }
}

/// Backward pass with respect to input, gamma and beta.
#[derive(Debug)]
struct BatchNormPoolBackward;

impl Backward<Flex, 3> for BatchNormPoolBackward {
    type State = State;

    fn backward(
        self,
        ops: Ops<State, 3>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let gradient = gradients.consume::<Flex>(&ops.node);
        let of_parents = match gradient.dtype() {
            DType::F64 => ops.state.backward::<f64>(gradient),
            _ => ops.state.backward::<f32>(gradient),
        };
        let parents = ops.parents.map(|parent| parent.map(|node| node.id));
        tensors::register_gradients(gradients, parents, of_parents);
    }
}

type Tracked<C> = FloatTensor<Autodiff<Flex, C>>;

impl<C: CheckpointStrategy> BatchNormPoolOps for Autodiff<Flex, C> {
    fn fused_batch_norm_pool(
        input: Tracked<C>,
        gamma: Tracked<C>,
        beta: Tracked<C>,
        options: Options,
    ) -> (Tracked<C>, Tracked<C>, Tracked<C>) {
        let nodes = [input.node(), gamma.node(), beta.node()];
        let inputs = [input, gamma, beta].map(Tracked::<C>::into_primitive);
        let ((output, mean, variance), state) = forward(inputs, options);
        let output = match BatchNormPoolBackward.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(state, output),
            OpsKind::UnTracked(prep) => prep.finish(output),
        };
        (output, Self::from_inner(mean), Self::from_inner(variance))
    }
}
