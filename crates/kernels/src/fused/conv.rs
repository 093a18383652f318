use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, TensorMetadata, backend_extension};
use burn::tensor::{DType, Shape, Tensor};

use super::tensors::{self, FlexFloat, FlexTensor};
use crate::Conv2dOptions;
use crate::buffer_pool::Buffer;
use crate::cpu::conv2d::Conv2d;
use crate::filter_cache;

/// 2D convolution. Without a bias, `bias` is ignored.
#[backend_extension(Flex, Autodiff)]
pub trait ConvOps: Backend {
    /// Returns the output.
    fn fused_conv2d(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        has_bias: bool,
        geometry: Conv2dOptions,
    ) -> FloatTensor<Self>;
}

/// See [`crate::conv2d()`].
pub fn conv2d(
    geometry: Conv2dOptions,
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
        geometry: Conv2dOptions,
    ) -> FlexTensor {
        let convolution = Convolution::new(geometry, input, weight);
        let bias = has_bias.then(|| tensors::to_contiguous(bias));
        match convolution.input.dtype() {
            DType::F64 => convolution.forward::<f64>(bias.as_ref()),
            _ => convolution.forward::<f32>(bias.as_ref()),
        }
    }
}

/// Contiguous input and weight, and the shape of the convolution.
#[derive(Debug, Clone)]
struct Convolution {
    input: FlexTensor,
    weight: FlexTensor,
    conv: Conv2d,
}

impl Convolution {
    fn new(geometry: Conv2dOptions, input: FlexTensor, weight: FlexTensor) -> Self {
        let [batch, height, width, in_channels] = input.shape().dims();
        let [out_channels, _, kernel_height, kernel_width] = weight.shape().dims();
        let conv = Conv2d {
            batch,
            height,
            width,
            in_channels,
            out_channels,
            kernel: [kernel_height, kernel_width],
            stride: geometry.stride,
            padding: geometry.padding,
            is_depthwise: geometry.is_depthwise,
        };
        let [input, weight] = [input, weight].map(tensors::to_contiguous);
        Self { input, weight, conv }
    }

    fn output_shape(&self) -> Shape {
        let Conv2d { batch, out_channels, .. } = self.conv;
        [batch, self.conv.out_height(), self.conv.out_width(), out_channels].into()
    }

    fn forward<T: FlexFloat>(&self, bias: Option<&FlexTensor>) -> FlexTensor {
        let shape = self.output_shape();
        let mut output = Buffer::new(shape.num_elements());
        let (input, weight) = (tensors::as_slice(&self.input), tensors::as_slice(&self.weight));
        let pack = || self.conv.packed_filters::<T>(weight);
        let filters = filter_cache::packed(&self.weight, weight, self.conv.uses_winograd(), pack);
        self.conv.forward(input, &filters, bias.map(tensors::as_slice), &mut output);
        tensors::from_buffer(output, shape)
    }

    fn input_gradient<T: FlexFloat>(&self, gradient: &FlexTensor) -> FlexTensor {
        let mut input = Buffer::new(self.input.shape().num_elements());
        let (gradient, weight) = (tensors::as_slice(gradient), tensors::as_slice(&self.weight));
        self.conv.backward_input::<T>(gradient, weight, &mut input);
        tensors::from_buffer(input, self.input.shape())
    }

    fn weight_gradient<T: FlexFloat>(&self, gradient: &FlexTensor) -> FlexTensor {
        let mut weight = Buffer::new(self.weight.shape().num_elements());
        let (input, gradient) = (tensors::as_slice(&self.input), tensors::as_slice(gradient));
        self.conv.backward_weight::<T>(input, gradient, &mut weight);
        tensors::from_buffer(weight, self.weight.shape())
    }

    fn bias_gradient<T: FlexFloat>(&self, gradient: &FlexTensor) -> FlexTensor {
        let mut bias = Buffer::new(self.conv.out_channels);
        self.conv.backward_bias::<T>(tensors::as_slice(gradient), &mut bias);
        tensors::from_buffer(bias, [self.conv.out_channels].into())
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
            bias.then(|| self.bias_gradient::<T>(gradient)),
        ]
    }
}

#[derive(Debug)]
struct ConvBackward;

/// Values saved for the backward pass.
#[derive(Debug, Clone)]
struct State {
    /// The input, which autodiff may recompute.
    input: NodeId,
    weight: FlexTensor,
    has_bias: bool,
    geometry: Conv2dOptions,
}

impl Backward<Flex, 3> for ConvBackward {
    type State = State;

    fn backward(
        self,
        ops: Ops<State, 3>,
        gradients: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let gradient = tensors::to_contiguous(gradients.consume::<Flex>(&ops.node));
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
        tensors::register_gradients(gradients, parents, of_parents);
    }
}

type Tracked<C> = FloatTensor<Autodiff<Flex, C>>;

impl<C: CheckpointStrategy> ConvOps for Autodiff<Flex, C> {
    fn fused_conv2d(
        input: Tracked<C>,
        weight: Tracked<C>,
        bias: Tracked<C>,
        has_bias: bool,
        geometry: Conv2dOptions,
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
