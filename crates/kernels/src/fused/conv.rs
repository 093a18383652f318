use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, TensorMetadata, backend_extension};
use burn::tensor::{DType, Shape, Tensor};

use super::tensors::{self, FlexTensor, Values};
use crate::Conv2d;
use crate::cpu::conv2d::Conv2d as Kernel;
use crate::memory::Memory;

/// A convolution of images. Without a bias the weight stands in its place.
#[backend_extension(Flex, Autodiff)]
pub trait ConvOps: Backend {
    /// The output.
    fn fused_conv2d(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        has_bias: bool,
        geometry: Conv2d,
    ) -> FloatTensor<Self>;
}

/// As [`crate::conv2d()`].
pub fn conv2d(
    geometry: Conv2d,
    input: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
) -> Tensor<4> {
    let has_bias = bias.is_some();
    let (input, weight) = (input.into_dispatch(), weight.into_dispatch());
    let bias = bias.map_or_else(|| weight.clone(), Tensor::into_dispatch);
    Tensor::from_dispatch(Dispatch::fused_conv2d(input, weight, bias, has_bias, geometry))
}

impl ConvOps for Flex {
    fn fused_conv2d(
        input: FlexTensor,
        weight: FlexTensor,
        bias: FlexTensor,
        has_bias: bool,
        geometry: Conv2d,
    ) -> FlexTensor {
        let convolution = Convolution::new(geometry, input, weight);
        let bias = has_bias.then(|| tensors::contiguous(bias));
        match convolution.input.dtype() {
            DType::F64 => convolution.forward::<f64>(bias.as_ref()),
            _ => convolution.forward::<f32>(bias.as_ref()),
        }
    }
}

/// Input and weight, contiguous, and the geometry of both.
#[derive(Debug, Clone)]
struct Convolution {
    input: FlexTensor,
    weight: FlexTensor,
    kernel: Kernel,
}

impl Convolution {
    fn new(geometry: Conv2d, input: FlexTensor, weight: FlexTensor) -> Self {
        let [batch, height, width, in_channels] = input.shape().dims();
        let [out_channels, _, kernel_height, kernel_width] = weight.shape().dims();
        let kernel = Kernel {
            batch,
            height,
            width,
            in_channels,
            out_channels,
            kernel: [kernel_height, kernel_width],
            stride: geometry.stride,
            padding: geometry.padding,
        };
        let [input, weight] = [input, weight].map(tensors::contiguous);
        Self { input, weight, kernel }
    }

    fn output_shape(&self) -> Shape {
        let Kernel { batch, out_channels, .. } = self.kernel;
        [batch, self.kernel.out_height(), self.kernel.out_width(), out_channels].into()
    }

    fn forward<T: Values>(&self, bias: Option<&FlexTensor>) -> FlexTensor {
        let shape = self.output_shape();
        let mut output = Memory::new(shape.num_elements());
        let (input, weight) = (tensors::values(&self.input), tensors::values(&self.weight));
        self.kernel.forward::<T>(input, weight, bias.map(tensors::values), &mut output);
        tensors::tensor(output, shape)
    }

    fn input_gradient<T: Values>(&self, gradient: &FlexTensor) -> FlexTensor {
        let mut input = Memory::new(self.input.shape().num_elements());
        let (gradient, weight) = (tensors::values(gradient), tensors::values(&self.weight));
        self.kernel.backward_input::<T>(gradient, weight, &mut input);
        tensors::tensor(input, self.input.shape())
    }

    fn weight_gradient<T: Values>(&self, gradient: &FlexTensor) -> FlexTensor {
        let mut weight = Memory::new(self.weight.shape().num_elements());
        let (input, gradient) = (tensors::values(&self.input), tensors::values(gradient));
        self.kernel.backward_weight::<T>(input, gradient, &mut weight);
        tensors::tensor(weight, self.weight.shape())
    }

    fn bias_gradient<T: Values>(&self, gradient: &FlexTensor) -> FlexTensor {
        let mut bias = Memory::new(self.kernel.out_channels);
        self.kernel.backward_bias::<T>(tensors::values(gradient), &mut bias);
        tensors::tensor(bias, [self.kernel.out_channels].into())
    }

    /// Of input, weight and bias, where they are wanted.
    fn backward<T: Values>(
        &self,
        gradient: &FlexTensor,
        [input, weight, bias]: [bool; 3],
    ) -> [Option<FlexTensor>; 3] {
        [
            input.then(|| self.input_gradient::<T>(gradient)),
            weight.then(|| self.weight_gradient::<T>(gradient)),
            bias.then(|| self.bias_gradient::<T>(gradient)),
        ]
    }
}

#[derive(Debug)]
struct ConvBackward;

/// What the backward pass needs.
#[derive(Debug, Clone)]
struct State {
    /// The input, which may be computed again.
    input: NodeId,
    weight: FlexTensor,
    has_bias: bool,
    geometry: Conv2d,
}

impl Backward<Flex, 3> for ConvBackward {
    type State = State;

    fn backward(
        self,
        ops: Ops<State, 3>,
        gradients: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let gradient = tensors::contiguous(gradients.consume::<Flex>(&ops.node));
        let State { input, weight, has_bias, geometry } = ops.state;
        let input = checkpointer.retrieve_node_output(input);
        let convolution = Convolution::new(geometry, input, weight);
        let [input, weight, bias] = ops.parents.each_ref().map(Option::is_some);
        let wanted = [input, weight, bias && has_bias];
        let of_parents = match gradient.dtype() {
            DType::F64 => convolution.backward::<f64>(&gradient, wanted),
            _ => convolution.backward::<f32>(&gradient, wanted),
        };
        let parents = ops.parents.map(|parent| parent.map(|node| node.id));
        tensors::register(gradients, parents, of_parents);
    }
}

type Tracked<C> = FloatTensor<Autodiff<Flex, C>>;

impl<C: CheckpointStrategy> ConvOps for Autodiff<Flex, C> {
    fn fused_conv2d(
        input: Tracked<C>,
        weight: Tracked<C>,
        bias: Tracked<C>,
        has_bias: bool,
        geometry: Conv2d,
    ) -> Tracked<C> {
        let nodes = [input.node(), weight.node(), bias.node()];
        let [weight, bias] = [weight, bias].map(Tracked::<C>::into_primitive);
        let inputs = (input.clone().into_primitive(), weight.clone());
        let output = Flex::fused_conv2d(inputs.0, inputs.1, bias, has_bias, geometry);
        match ConvBackward.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(mut prep) => {
                let input = prep.checkpoint(&input);
                prep.finish(State { input, weight, has_bias, geometry }, output)
            }
            OpsKind::UnTracked(prep) => prep.finish(output),
        }
    }
}
