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

/// A convolution of images without a bias.
#[backend_extension(Flex, Autodiff)]
pub trait ConvOps: Backend {
    /// The output.
    fn fused_conv2d(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        geometry: Conv2d,
    ) -> FloatTensor<Self>;
}

/// As [`crate::conv2d`].
pub fn conv2d(geometry: Conv2d, input: Tensor<4>, weight: Tensor<4>) -> Tensor<4> {
    let (input, weight) = (input.into_dispatch(), weight.into_dispatch());
    Tensor::from_dispatch(Dispatch::fused_conv2d(input, weight, geometry))
}

impl ConvOps for Flex {
    fn fused_conv2d(input: FlexTensor, weight: FlexTensor, geometry: Conv2d) -> FlexTensor {
        let convolution = Convolution::new(geometry, input, weight);
        match convolution.input.dtype() {
            DType::F64 => convolution.forward::<f64>(),
            _ => convolution.forward::<f32>(),
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

    fn forward<T: Values>(&self) -> FlexTensor {
        let shape = self.output_shape();
        let mut output = Memory::new(shape.num_elements());
        let (input, weight) = (tensors::values(&self.input), tensors::values(&self.weight));
        self.kernel.forward::<T>(input, weight, None, &mut output);
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

    /// Of input and weight, where they are wanted.
    fn backward<T: Values>(
        &self,
        gradient: &FlexTensor,
        [input, weight]: [bool; 2],
    ) -> [Option<FlexTensor>; 2] {
        [
            input.then(|| self.input_gradient::<T>(gradient)),
            weight.then(|| self.weight_gradient::<T>(gradient)),
        ]
    }
}

#[derive(Debug)]
struct ConvBackward;

impl Backward<Flex, 2> for ConvBackward {
    type State = Convolution;

    fn backward(
        self,
        ops: Ops<Convolution, 2>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let gradient = tensors::contiguous(gradients.consume::<Flex>(&ops.node));
        let wanted = ops.parents.each_ref().map(Option::is_some);
        let of_parents = match gradient.dtype() {
            DType::F64 => ops.state.backward::<f64>(&gradient, wanted),
            _ => ops.state.backward::<f32>(&gradient, wanted),
        };
        let parents = ops.parents.map(|parent| parent.map(|node| node.id));
        tensors::register(gradients, parents, of_parents);
    }
}

type Tracked<C> = FloatTensor<Autodiff<Flex, C>>;

impl<C: CheckpointStrategy> ConvOps for Autodiff<Flex, C> {
    fn fused_conv2d(input: Tracked<C>, weight: Tracked<C>, geometry: Conv2d) -> Tracked<C> {
        let nodes = [input.node(), weight.node()];
        let [input, weight] = [input, weight].map(Tracked::<C>::into_primitive);
        let output = Flex::fused_conv2d(input.clone(), weight.clone(), geometry);
        match ConvBackward.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => {
                prep.finish(Convolution::new(geometry, input, weight), output)
            }
            OpsKind::UnTracked(prep) => prep.finish(output),
        }
    }
}
