use std::sync::Arc;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, TensorMetadata, backend_extension};
use burn::tensor::{DType, Tensor};

use super::tensors::{self, FlexTensor, Values};
use crate::cpu::max_pool::MaxPool2d;
use crate::memory::Memory;

/// The largest value of each window.
#[backend_extension(Flex, Autodiff)]
pub trait MaxPoolOps: Backend {
    /// The output.
    fn fused_max_pool2d(input: FloatTensor<Self>, size: usize) -> FloatTensor<Self>;
}

/// As [`crate::max_pool2d()`].
pub fn max_pool2d(size: usize, input: Tensor<4>) -> Tensor<4> {
    Tensor::from_dispatch(Dispatch::fused_max_pool2d(input.into_dispatch(), size))
}

impl MaxPoolOps for Flex {
    fn fused_max_pool2d(input: FlexTensor, size: usize) -> FlexTensor {
        forward(input, size).0
    }
}

/// Which value of its window each output is.
#[derive(Clone)]
struct Chosen {
    pool: MaxPool2d,
    places: Arc<Memory<u8>>,
}

impl std::fmt::Debug for Chosen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Chosen").field(&self.pool).finish()
    }
}

fn forward(input: FlexTensor, size: usize) -> (FlexTensor, Chosen) {
    let [batch, height, width, channels] = input.shape().dims();
    let pool = MaxPool2d { batch, height, width, channels, size };
    let input = tensors::contiguous(input);
    let mut places = Memory::new(pool.outputs());
    let output = match input.dtype() {
        DType::F64 => values_of::<f64>(pool, &input, &mut places),
        _ => values_of::<f32>(pool, &input, &mut places),
    };
    (output, Chosen { pool, places: Arc::new(places) })
}

fn values_of<T: Values>(pool: MaxPool2d, input: &FlexTensor, places: &mut [u8]) -> FlexTensor {
    let mut output = Memory::<T>::new(pool.outputs());
    pool.forward(tensors::values(input), &mut output, places);
    let shape = [pool.batch, pool.out_height(), pool.out_width(), pool.channels];
    tensors::tensor(output, shape.into())
}

impl Chosen {
    fn backward<T: Values>(&self, gradient: FlexTensor) -> FlexTensor {
        let MaxPool2d { batch, height, width, channels, .. } = self.pool;
        let gradient = tensors::contiguous(gradient);
        let mut input = Memory::<T>::new(batch * height * width * channels);
        self.pool.backward(tensors::values(&gradient), &self.places, &mut input);
        tensors::tensor(input, [batch, height, width, channels].into())
    }
}

#[derive(Debug)]
struct MaxPoolBackward;

impl Backward<Flex, 1> for MaxPoolBackward {
    type State = Chosen;

    fn backward(
        self,
        ops: Ops<Chosen, 1>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let gradient = gradients.consume::<Flex>(&ops.node);
        let of_input = match gradient.dtype() {
            DType::F64 => ops.state.backward::<f64>(gradient),
            _ => ops.state.backward::<f32>(gradient),
        };
        let parents = ops.parents.map(|parent| parent.map(|node| node.id));
        tensors::register(gradients, parents, [Some(of_input)]);
    }
}

type Tracked<C> = FloatTensor<Autodiff<Flex, C>>;

impl<C: CheckpointStrategy> MaxPoolOps for Autodiff<Flex, C> {
    fn fused_max_pool2d(input: Tracked<C>, size: usize) -> Tracked<C> {
        let node = input.node();
        let (output, chosen) = forward(input.into_primitive(), size);
        match MaxPoolBackward.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(chosen, output),
            OpsKind::UnTracked(prep) => prep.finish(output),
        }
    }
}
