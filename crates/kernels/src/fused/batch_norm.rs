use std::sync::Arc;

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::retro_forward::RetroForward;
use burn::backend::autodiff::checkpoint::state::BackwardStates;
use burn::backend::autodiff::checkpoint::strategy::{BalancedCheckpointing, CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, NodeGuard, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{
    Autodiff, AutodiffBackend, Backend, Dispatch, Flex, TensorMetadata, backend_extension,
};
use burn::tensor::{DType, Shape, Tensor};

use super::tensors::{self, FlexTensor, Values};
use crate::cpu::batch_norm::{Affine, Forward, Moments, Rectified};
use crate::{BatchNorm, BatchStatistics};

/// And whether there is a residual.
type Options = (BatchNorm, bool);

/// Batch norm with what follows it. Without a residual the input stands in its place.
#[backend_extension(Flex, Autodiff)]
pub trait BatchNormOps: Backend {
    /// Output, mean and variance.
    fn fused_batch_norm_train(
        input: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        options: Options,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);
}

/// Batch norm with statistics that are given, likewise.
#[backend_extension(Flex)]
pub trait BatchNormInferenceOps: Backend {
    /// The output.
    fn fused_batch_norm_inference(
        input: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        options: Options,
    ) -> FloatTensor<Self>;
}

/// As [`crate::batch_norm_train()`].
pub fn batch_norm_train<const D: usize>(
    options: BatchNorm,
    input: Tensor<D>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    residual: Option<Tensor<D>>,
) -> (Tensor<D>, BatchStatistics) {
    let has_residual = residual.is_some();
    let residual = residual.unwrap_or_else(|| input.clone());
    let (output, mean, variance) = Dispatch::fused_batch_norm_train(
        input.into_dispatch(),
        gamma.into_dispatch(),
        beta.into_dispatch(),
        residual.into_dispatch(),
        (options, has_residual),
    );
    let [mean, variance] = [mean, variance].map(Tensor::from_dispatch);
    (Tensor::from_dispatch(output), BatchStatistics { mean, variance })
}

/// As [`crate::batch_norm_inference()`].
pub fn batch_norm_inference<const D: usize>(
    options: BatchNorm,
    input: Tensor<D>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    statistics: BatchStatistics,
    residual: Option<Tensor<D>>,
) -> Tensor<D> {
    let has_residual = residual.is_some();
    let residual = residual.unwrap_or_else(|| input.clone());
    Tensor::from_dispatch(Dispatch::fused_batch_norm_inference(
        input.into_dispatch(),
        gamma.into_dispatch(),
        beta.into_dispatch(),
        statistics.mean.into_dispatch(),
        statistics.variance.into_dispatch(),
        residual.into_dispatch(),
        (options, has_residual),
    ))
}

impl BatchNormOps for Flex {
    fn fused_batch_norm_train(
        input: FlexTensor,
        gamma: FlexTensor,
        beta: FlexTensor,
        residual: FlexTensor,
        (options, has_residual): Options,
    ) -> (FlexTensor, FlexTensor, FlexTensor) {
        let inputs = Inputs::new(input, gamma, beta, has_residual.then_some(residual));
        match inputs.input.dtype() {
            DType::F64 => inputs.train::<f64>(options).0,
            _ => inputs.train::<f32>(options).0,
        }
    }
}

impl BatchNormInferenceOps for Flex {
    fn fused_batch_norm_inference(
        input: FlexTensor,
        gamma: FlexTensor,
        beta: FlexTensor,
        mean: FlexTensor,
        variance: FlexTensor,
        residual: FlexTensor,
        (options, has_residual): Options,
    ) -> FlexTensor {
        let inputs = Inputs::new(input, gamma, beta, has_residual.then_some(residual));
        let [mean, variance] = [mean, variance].map(tensors::contiguous);
        match inputs.input.dtype() {
            DType::F64 => inputs.apply::<f64>(&moments::<f64>(&mean, &variance), options),
            _ => inputs.apply::<f32>(&moments::<f32>(&mean, &variance), options),
        }
    }
}

pub(super) fn moments<T: Values>(mean: &FlexTensor, variance: &FlexTensor) -> Moments {
    let [mean, variance] = [mean, variance].map(|tensor| tensors::wide::<T>(tensor));
    Moments { mean, variance }
}

/// The inputs of a batch norm, contiguous.
#[derive(Debug, Clone)]
struct Inputs {
    input: FlexTensor,
    gamma: FlexTensor,
    beta: FlexTensor,
    residual: Option<FlexTensor>,
}

impl Inputs {
    fn new(
        input: FlexTensor,
        gamma: FlexTensor,
        beta: FlexTensor,
        residual: Option<FlexTensor>,
    ) -> Self {
        let [input, gamma, beta] = [input, gamma, beta].map(tensors::contiguous);
        Self { input, gamma, beta, residual: residual.map(tensors::contiguous) }
    }

    /// Output, mean and variance, and the last two as the backward pass needs them.
    fn train<T: Values>(
        &self,
        options: BatchNorm,
    ) -> ((FlexTensor, FlexTensor, FlexTensor), Moments) {
        let channels = self.gamma.shape();
        let moments = Moments::of(tensors::values::<T>(&self.input), channels.num_elements());
        let output = self.apply::<T>(&moments, options);
        let [mean, variance] = [&moments.mean, &moments.variance]
            .map(|values| tensors::narrow::<T>(values, channels.clone()));
        ((output, mean, variance), moments)
    }

    fn apply<T: Values>(&self, moments: &Moments, options: BatchNorm) -> FlexTensor {
        let residual = self.residual.as_ref().map(tensors::values::<T>);
        let output = self.affine(moments, options).apply(tensors::values(&self.input), residual);
        tensors::tensor(output, self.input.shape())
    }

    fn affine<T: Values>(&self, moments: &Moments, options: BatchNorm) -> Affine<T> {
        let map = (tensors::values(&self.gamma), tensors::values(&self.beta));
        Affine::normalizing(moments, map, options.epsilon, options.relu)
    }
}

/// What the backward pass needs.
#[derive(Debug, Clone)]
struct State {
    /// Without the residual.
    inputs: Inputs,
    has_residual: bool,
    /// The output, if there was a residual and a ReLU.
    rectified: Option<FlexTensor>,
    moments: Arc<Moments>,
    options: BatchNorm,
}

impl State {
    /// The gradients of input, gamma, beta and residual.
    fn backward<T: Values>(&self, gradient: FlexTensor) -> [Option<FlexTensor>; 4] {
        let gradient = tensors::contiguous(gradient);
        let Inputs { input, gamma, .. } = &self.inputs;
        let forward = Forward {
            input: tensors::values::<T>(input),
            rectified: self.rectified(),
            has_residual: self.has_residual,
            gamma: tensors::values(gamma),
            moments: &self.moments,
            epsilon: self.options.epsilon,
        };
        let backward = forward.backward(tensors::values(&gradient));
        let (rows, channels) = (input.shape(), gamma.shape());
        let tensor = |values, shape: &Shape| tensors::tensor(values, shape.clone());
        [
            Some(tensor(backward.input, &rows)),
            Some(tensors::narrow::<T>(&backward.gamma, channels.clone())),
            Some(tensors::narrow::<T>(&backward.beta, channels)),
            backward.residual.map(|values| tensor(values, &rows)),
        ]
    }

    fn rectified<T: Values>(&self) -> Rectified<'_, T> {
        match &self.rectified {
            Some(output) => Rectified::Output(tensors::values(output)),
            None if self.options.relu => {
                Rectified::Again(self.inputs.affine(&self.moments, self.options))
            }
            None => Rectified::Nothing,
        }
    }
}

/// The output once more, for a layer whose backward pass needs it: a sixth of the memory of a
/// residual network less, for no time that could be measured.
#[derive(Debug)]
struct OutputAgain {
    /// Input, gamma, beta, and the input in place of a residual.
    parents: [NodeId; 4],
    moments: Arc<Moments>,
    options: BatchNorm,
}

impl RetroForward for OutputAgain {
    fn forward(&self, states: &mut BackwardStates, output: NodeId) {
        let parents = self.parents.map(|parent| states.get_state::<FlexTensor>(&parent));
        let [input, gamma, beta, _] = parents;
        let inputs = Inputs::new(input, gamma, beta, None);
        let again = match inputs.input.dtype() {
            DType::F64 => inputs.apply::<f64>(&self.moments, self.options),
            _ => inputs.apply::<f32>(&self.moments, self.options),
        };
        states.save(output, again);
    }
}

/// The backward pass, of input, gamma, beta and residual.
#[derive(Debug)]
struct BatchNormBackward;

impl Backward<Flex, 4> for BatchNormBackward {
    type State = State;

    fn backward(
        self,
        ops: Ops<State, 4>,
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

impl<C: CheckpointStrategy> BatchNormOps for Autodiff<Flex, C> {
    fn fused_batch_norm_train(
        input: Tracked<C>,
        gamma: Tracked<C>,
        beta: Tracked<C>,
        residual: Tracked<C>,
        (options, has_residual): Options,
    ) -> (Tracked<C>, Tracked<C>, Tracked<C>) {
        let parents = [input, gamma, beta, residual];
        let nodes = parents.each_ref().map(Tracked::<C>::node);
        let [input, gamma, beta, residual] = parents.clone().map(Tracked::<C>::into_primitive);
        let mut inputs = Inputs::new(input, gamma, beta, has_residual.then_some(residual));
        let ((output, mean, variance), moments) = match inputs.input.dtype() {
            DType::F64 => inputs.train::<f64>(options),
            _ => inputs.train::<f32>(options),
        };
        inputs.residual = None;
        let moments = Arc::new(moments);
        let ids = nodes.each_ref().map(NodeGuard::id);
        // Whatever the strategy of the device is: where it is not to compute again, Burn would keep
        // the output.
        let prep = BatchNormBackward.prepare::<BalancedCheckpointing>(nodes);
        let prep = if has_residual {
            prep.compute_bound()
        } else {
            let again = OutputAgain { parents: ids, moments: moments.clone(), options };
            prep.memory_bound().retro_forward(again).parents(&parents)
        };
        let output = match prep.stateful() {
            OpsKind::UnTracked(prep) => prep.finish(output),
            OpsKind::Tracked(prep) => {
                let rectified = (has_residual && options.relu).then(|| output.clone());
                let state = State { inputs, has_residual, rectified, moments, options };
                prep.finish(state, output)
            }
        };
        (output, Self::from_inner(mean), Self::from_inner(variance))
    }
}
