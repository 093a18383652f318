use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, TensorMetadata, backend_extension};
use burn::tensor::{DType, Tensor};

use super::tensors::{self, FlexFloat, FlexTensor};
use crate::buffer_pool::Buffer;
use crate::cpu::matmul::Matrix;

/// Linear layer.
#[backend_extension(Flex, Autodiff)]
pub trait LinearOps: Backend {
    /// Returns the output.
    fn fused_linear(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
    ) -> FloatTensor<Self>;
}

/// See [`crate::linear()`].
pub fn linear(input: Tensor<2>, weight: Tensor<2>, bias: Tensor<1>) -> Tensor<2> {
    let (input, weight) = (input.into_dispatch(), weight.into_dispatch());
    Tensor::from_dispatch(Dispatch::fused_linear(input, weight, bias.into_dispatch()))
}

impl LinearOps for Flex {
    fn fused_linear(input: FlexTensor, weight: FlexTensor, bias: FlexTensor) -> FlexTensor {
        let layer = Layer::new(input, weight);
        match layer.input.dtype() {
            DType::F64 => layer.forward::<f64>(&tensors::to_contiguous(bias)),
            _ => layer.forward::<f32>(&tensors::to_contiguous(bias)),
        }
    }
}

/// Contiguous input and weight.
#[derive(Debug, Clone)]
struct Layer {
    input: FlexTensor,
    weight: FlexTensor,
}

impl Layer {
    fn new(input: FlexTensor, weight: FlexTensor) -> Self {
        Self { input: tensors::to_contiguous(input), weight: tensors::to_contiguous(weight) }
    }

    fn forward<T: FlexFloat>(&self, bias: &FlexTensor) -> FlexTensor {
        let (input, weight) = (matrix::<T>(&self.input), matrix(&self.weight));
        let [batch, _] = self.input.shape().dims();
        let bias = tensors::as_slice::<T>(bias);
        let mut output = Buffer::new(batch * bias.len());
        input.times(weight, &mut output);
        for row in output.chunks_exact_mut(bias.len()) {
            row.iter_mut().zip(bias).for_each(|(value, &bias)| *value = *value + bias);
        }
        tensors::from_buffer(output, [batch, bias.len()].into())
    }

    fn input_gradient<T: FlexFloat>(&self, gradient: &FlexTensor) -> FlexTensor {
        let shape = self.input.shape();
        let mut product = Buffer::new(shape.num_elements());
        matrix::<T>(gradient).times(matrix(&self.weight).transposed(), &mut product);
        tensors::from_buffer(product, shape)
    }

    fn weight_gradient<T: FlexFloat>(&self, gradient: &FlexTensor) -> FlexTensor {
        let shape = self.weight.shape();
        let mut product = Buffer::new(shape.num_elements());
        matrix::<T>(&self.input).transposed().times(matrix(gradient), &mut product);
        tensors::from_buffer(product, shape)
    }

    /// Returns the requested gradients of input, weight and bias.
    fn backward<T: FlexFloat>(
        &self,
        gradient: &FlexTensor,
        [input, weight, bias]: [bool; 3],
    ) -> [Option<FlexTensor>; 3] {
        [
            input.then(|| self.input_gradient::<T>(gradient)),
            weight.then(|| self.weight_gradient::<T>(gradient)),
            bias.then(|| bias_gradient::<T>(gradient)),
        ]
    }
}

fn bias_gradient<T: FlexFloat>(gradient: &FlexTensor) -> FlexTensor {
    let [_, outputs] = gradient.shape().dims();
    let mut sums = Buffer::new(outputs);
    sums.fill(T::zero());
    for row in tensors::as_slice::<T>(gradient).chunks_exact(outputs) {
        sums.iter_mut().zip(row).for_each(|(sum, &value)| *sum = *sum + value);
    }
    tensors::from_buffer(sums, [outputs].into())
}

fn matrix<T: FlexFloat>(tensor: &FlexTensor) -> Matrix<'_, T> {
    let [rows, columns] = tensor.shape().dims();
    Matrix::new(tensors::as_slice(tensor), rows, columns)
}

#[derive(Debug)]
struct LinearBackward;

impl Backward<Flex, 3> for LinearBackward {
    type State = Layer;

    fn backward(
        self,
        ops: Ops<Layer, 3>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let gradient = tensors::to_contiguous(gradients.consume::<Flex>(&ops.node));
        let wanted = ops.parents.each_ref().map(Option::is_some);
        let of_parents = match gradient.dtype() {
            DType::F64 => ops.state.backward::<f64>(&gradient, wanted),
            _ => ops.state.backward::<f32>(&gradient, wanted),
        };
        let parents = ops.parents.map(|parent| parent.map(|node| node.id));
        tensors::register_gradients(gradients, parents, of_parents);
    }
}

type Tracked<C> = FloatTensor<Autodiff<Flex, C>>;

impl<C: CheckpointStrategy> LinearOps for Autodiff<Flex, C> {
    fn fused_linear(input: Tracked<C>, weight: Tracked<C>, bias: Tracked<C>) -> Tracked<C> {
        let nodes = [input.node(), weight.node(), bias.node()];
        let [input, weight, bias] = [input, weight, bias].map(Tracked::<C>::into_primitive);
        let output = Flex::fused_linear(input.clone(), weight.clone(), bias);
        match LinearBackward.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(Layer::new(input, weight), output),
            OpsKind::UnTracked(prep) => prep.finish(output),
        }
    }
}
