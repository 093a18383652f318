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
use super::tensors::{self, FlexTensor, Values};
use crate::BatchStatistics;
use crate::cpu::batch_norm::{Affine, Forward, Moments, Pooled, Rectified};
use crate::cpu::max_pool::MaxPool2d;
use crate::memory::Memory;

/// The epsilon of the norm, and the rows and columns of a window.
type Options = (f64, usize);

/// Batch norm, ReLU and max pooling.
#[backend_extension(Flex, Autodiff)]
pub trait BatchNormPoolOps: Backend {
    /// Output, mean and variance.
    fn fused_batch_norm_pool(
        input: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        options: Options,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);
}

/// As [`crate::batch_norm_max_pool()`].
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

/// Batch norm with statistics that are given, likewise.
#[backend_extension(Flex)]
pub trait BatchNormPoolInferenceOps: Backend {
    /// The output.
    fn fused_batch_norm_pool_inference(
        input: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        options: Options,
    ) -> FloatTensor<Self>;
}

/// As [`crate::batch_norm_max_pool_inference()`].
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

/// Output, mean and variance, and what the backward pass needs.
type Outcome = ((FlexTensor, FlexTensor, FlexTensor), State);

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
        let inputs = [input, gamma, beta].map(tensors::contiguous);
        let [mean, variance] = [mean, variance].map(tensors::contiguous);
        match inputs[0].dtype() {
            DType::F64 => {
                pooled::<f64>(&inputs, &batch_norm::moments::<f64>(&mean, &variance), options).0
            }
            _ => pooled::<f32>(&inputs, &batch_norm::moments::<f32>(&mean, &variance), options).0,
        }
    }
}

/// Of input, gamma and beta.
fn forward(inputs: [FlexTensor; 3], options: Options) -> Outcome {
    let inputs = inputs.map(tensors::contiguous);
    match inputs[0].dtype() {
        DType::F64 => forward_of::<f64>(inputs, options),
        _ => forward_of::<f32>(inputs, options),
    }
}

fn forward_of<T: Values>(inputs: [FlexTensor; 3], options: Options) -> Outcome {
    let [.., channels] = inputs[0].shape().dims::<4>();
    let moments = Moments::of(tensors::values::<T>(&inputs[0]), channels);
    let (output, pool, places) = pooled::<T>(&inputs, &moments, options);
    let [mean, variance] = [&moments.mean, &moments.variance]
        .map(|values| tensors::narrow::<T>(values, [channels].into()));
    let (moments, places) = (Arc::new(moments), Arc::new(places));
    let ([input, gamma, _], (epsilon, _)) = (inputs, options);
    let state = State { input, output: output.clone(), gamma, pool, places, moments, epsilon };
    ((output, mean, variance), state)
}

/// The output and the places of its values, of input, gamma and beta.
fn pooled<T: Values>(
    [input, gamma, beta]: &[FlexTensor; 3],
    moments: &Moments,
    (epsilon, size): Options,
) -> (FlexTensor, MaxPool2d, Memory<u8>) {
    let [batch, height, width, channels] = input.shape().dims();
    let pool = MaxPool2d { batch, height, width, channels, size };
    let map = (tensors::values(gamma), tensors::values(beta));
    let affine = Affine::<T>::normalizing(moments, map, epsilon, true);
    let (mut output, mut places) = (Memory::new(pool.outputs()), Memory::new(pool.outputs()));
    affine.apply_and_pool(pool, tensors::values(input), &mut output, &mut places);
    let shape = [batch, pool.out_height(), pool.out_width(), channels];
    (tensors::tensor(output, shape.into()), pool, places)
}

/// What the backward pass needs.
#[derive(Clone)]
struct State {
    input: FlexTensor,
    output: FlexTensor,
    gamma: FlexTensor,
    pool: MaxPool2d,
    places: Arc<Memory<u8>>,
    moments: Arc<Moments>,
    epsilon: f64,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("State").field(&self.pool).finish()
    }
}

impl State {
    /// The gradients of input, gamma and beta.
    fn backward<T: Values>(&self, gradient: FlexTensor) -> [Option<FlexTensor>; 3] {
        let gradient = tensors::contiguous(gradient);
        let norm = Forward {
            input: tensors::values::<T>(&self.input),
            rectified: Rectified::Nothing,
            has_residual: false,
            gamma: tensors::values(&self.gamma),
            moments: &self.moments,
            epsilon: self.epsilon,
        };
        let (output, places) = (tensors::values(&self.output), &self.places);
        let pooled = Pooled { norm, pool: self.pool, output, places };
        let backward = pooled.backward(tensors::values(&gradient));
        let channels: Shape = self.gamma.shape();
        [
            Some(tensors::tensor(backward.input, self.input.shape())),
            Some(tensors::narrow::<T>(&backward.gamma, channels.clone())),
            Some(tensors::narrow::<T>(&backward.beta, channels)),
        ]
    }
}

/// The backward pass, of input, gamma and beta.
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
        tensors::register(gradients, parents, of_parents);
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
