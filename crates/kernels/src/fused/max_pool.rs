use std::sync::Arc;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, TensorMetadata, backend_extension};
use burn::tensor::{DType, Tensor};

use super::tensors::{self, FlexFloat, FlexTensor};
use crate::buffer_pool::Buffer;
use crate::cpu::max_pool::MaxPool2d;

/// 2D max pooling.
#[backend_extension(Flex, Autodiff)]
pub trait MaxPoolOps: Backend {
    /// Returns the output.
    fn fused_max_pool2d(input: FloatTensor<Self>, size: usize) -> FloatTensor<Self>;
}

/// See [`crate::max_pool2d()`].
pub fn max_pool2d(size: usize, input: Tensor<4>) -> Tensor<4> {
    Tensor::from_dispatch(Dispatch::fused_max_pool2d(input.into_dispatch(), size))
}

impl MaxPoolOps for Flex {
    fn fused_max_pool2d(input: FlexTensor, size: usize) -> FlexTensor {
        forward(input, size).0
    }
}

/// Indices of the maxima within their windows, saved for the backward pass.
#[derive(Clone)]
struct MaxPoolState {
    pool: MaxPool2d,
    indices: Arc<Buffer<u8>>,
}

impl std::fmt::Debug for MaxPoolState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("MaxPoolState").field(&self.pool).finish()
    }
}

fn forward(input: FlexTensor, size: usize) -> (FlexTensor, MaxPoolState) {
    let [batch, height, width, channels] = input.shape().dims();
    let pool = MaxPool2d { batch, height, width, channels, size };
    let input = tensors::to_contiguous(input);
    let mut indices = Buffer::new(pool.output_len());
    let output = match input.dtype() {
        DType::F64 => values_of::<f64>(pool, &input, &mut indices),
        _ => values_of::<f32>(pool, &input, &mut indices),
    };
    (output, MaxPoolState { pool, indices: Arc::new(indices) })
}

fn values_of<T: FlexFloat>(pool: MaxPool2d, input: &FlexTensor, indices: &mut [u8]) -> FlexTensor {
    let mut output = Buffer::<T>::new(pool.output_len());
    pool.forward(tensors::as_slice(input), &mut output, indices);
    let shape = [pool.batch, pool.out_height(), pool.out_width(), pool.channels];
    tensors::from_buffer(output, shape.into())
}

impl MaxPoolState {
    fn backward<T: FlexFloat>(&self, gradient: FlexTensor) -> FlexTensor {
        let MaxPool2d { batch, height, width, channels, .. } = self.pool;
        let gradient = tensors::to_contiguous(gradient);
        let mut input = Buffer::<T>::new(batch * height * width * channels);
        self.pool.backward(tensors::as_slice(&gradient), &self.indices, &mut input);
        tensors::from_buffer(input, [batch, height, width, channels].into())
    }
}

#[derive(Debug)]
struct MaxPoolBackward;

impl Backward<Flex, 1> for MaxPoolBackward {
    type State = MaxPoolState;

    fn backward(
        self,
        ops: Ops<MaxPoolState, 1>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let gradient = gradients.consume::<Flex>(&ops.node);
        let of_input = match gradient.dtype() {
            DType::F64 => ops.state.backward::<f64>(gradient),
            _ => ops.state.backward::<f32>(gradient),
        };
        let parents = ops.parents.map(|parent| parent.map(|node| node.id));
        tensors::register_gradients(gradients, parents, [Some(of_input)]);
    }
}

type Tracked<C> = FloatTensor<Autodiff<Flex, C>>;

impl<C: CheckpointStrategy> MaxPoolOps for Autodiff<Flex, C> {
    fn fused_max_pool2d(input: Tracked<C>, size: usize) -> Tracked<C> {
        let node = input.node();
        let (output, state) = forward(input.into_primitive(), size);
        match MaxPoolBackward.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(state, output),
            OpsKind::UnTracked(prep) => prep.finish(output),
        }
    }
}
