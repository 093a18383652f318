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

use super::tensors::{self, FlexFloat, FlexTensor};
use crate::cpu::batch_norm::{BackwardPass, Moments, Normalize, Rectified};
use crate::cpu::from_f64;
use crate::{BatchNormOptions, BatchStatistics};

/// Options and the presence of a residual.
type Options = (BatchNormOptions, bool);

/// Batch norm with its epilogue. Without a residual, `residual` is ignored.
#[backend_extension(Flex, Autodiff)]
pub trait BatchNormOps: Backend {
    /// Returns output, mean and variance.
    fn fused_batch_norm_train(
        input: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        options: Options,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);
}

/// Batch norm with given statistics. Without a residual, `residual` is ignored.
#[backend_extension(Flex)]
pub trait BatchNormInferenceOps: Backend {
    /// Returns the output.
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

/// See [`crate::batch_norm_train()`].
pub fn batch_norm_train<const D: usize>(
    options: BatchNormOptions,
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

/// See [`crate::batch_norm_inference()`].
pub fn batch_norm_inference<const D: usize>(
    options: BatchNormOptions,
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
        let [mean, variance] = [mean, variance].map(tensors::to_contiguous);
        match inputs.input.dtype() {
            DType::F64 => inputs.apply::<f64>(&moments::<f64>(&mean, &variance), options),
            _ => inputs.apply::<f32>(&moments::<f32>(&mean, &variance), options),
        }
    }
}

pub(super) fn moments<T: FlexFloat>(mean: &FlexTensor, variance: &FlexTensor) -> Moments {
    let [mean, variance] = [mean, variance].map(|tensor| tensors::to_f64_vec::<T>(tensor));
    Moments { mean, variance }
}

/// Contiguous inputs of a batch norm.
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
        let [input, gamma, beta] = [input, gamma, beta].map(tensors::to_contiguous);
        Self { input, gamma, beta, residual: residual.map(tensors::to_contiguous) }
    }

    /// Returns (output, mean, variance), and the moments in f64 for the backward pass.
    fn train<T: FlexFloat>(
        &self,
        options: BatchNormOptions,
    ) -> ((FlexTensor, FlexTensor, FlexTensor), Moments) {
        let channels = self.gamma.shape();
        let moments =
            Moments::compute(tensors::as_slice::<T>(&self.input), channels.num_elements());
        let output = self.apply::<T>(&moments, options);
        let [mean, variance] = [&moments.mean, &moments.variance]
            .map(|values| tensors::from_f64_slice::<T>(values, channels.clone()));
        ((output, mean, variance), moments)
    }

    fn apply<T: FlexFloat>(&self, moments: &Moments, options: BatchNormOptions) -> FlexTensor {
        let residual = self.residual.as_ref().map(tensors::as_slice::<T>);
        let output =
            self.normalize(moments, options).apply(tensors::as_slice(&self.input), residual);
        tensors::from_buffer(output, self.input.shape())
    }

    fn normalize<T: FlexFloat>(
        &self,
        moments: &Moments,
        options: BatchNormOptions,
    ) -> Normalize<T> {
        let map = (tensors::as_slice(&self.gamma), tensors::as_slice(&self.beta));
        Normalize::new(moments, map, options.epsilon, options.rectifier)
    }
}

/// Values saved for the backward pass.
#[derive(Debug, Clone)]
struct State {
    /// The inputs without the residual.
    inputs: Inputs,
    has_residual: bool,
    /// The output, if there are a residual and a rectifier.
    rectified: Option<FlexTensor>,
    moments: Arc<Moments>,
    options: BatchNormOptions,
}

impl State {
    /// Returns the gradients of input, gamma, beta and residual.
    fn backward<T: FlexFloat>(&self, gradient: FlexTensor) -> [Option<FlexTensor>; 4] {
        let gradient = tensors::to_contiguous(gradient);
        let Inputs { input, gamma, .. } = &self.inputs;
        let forward = BackwardPass {
            input: tensors::as_slice::<T>(input),
            rectified: self.rectified(),
            has_residual: self.has_residual,
            gamma: tensors::as_slice(gamma),
            moments: &self.moments,
            epsilon: self.options.epsilon,
        };
        let backward = forward.backward(tensors::as_slice(&gradient));
        let (rows, channels) = (input.shape(), gamma.shape());
        let tensor = |values, shape: &Shape| tensors::from_buffer(values, shape.clone());
        [
            Some(tensor(backward.input, &rows)),
            Some(tensors::from_f64_slice::<T>(&backward.gamma, channels.clone())),
            Some(tensors::from_f64_slice::<T>(&backward.beta, channels)),
            backward.residual.map(|values| tensor(values, &rows)),
        ]
    }

    fn rectified<T: FlexFloat>(&self) -> Rectified<'_, T> {
        match (&self.rectified, self.options.rectifier) {
            (Some(output), Some(rectifier)) => {
                let [_, most] = rectifier.range();
                Rectified::Saved(tensors::as_slice(output), from_f64(most))
            }
            (None, Some(_)) => {
                Rectified::Recomputed(self.inputs.normalize(&self.moments, self.options))
            }
            (_, None) => Rectified::Absent,
        }
    }
}

/// Recomputes the output if the backward pass of the next operation needs it. Saves one sixth of
/// the memory of a residual network without a measurable cost in time.
#[derive(Debug)]
struct RecomputeOutput {
    /// Input, gamma, beta, and the input in the position of a residual.
    parents: [NodeId; 4],
    moments: Arc<Moments>,
    options: BatchNormOptions,
}

impl RetroForward for RecomputeOutput {
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

/// Backward pass with respect to input, gamma, beta and residual.
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
        tensors::register_gradients(gradients, parents, of_parents);
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
        // Independent of the checkpointing strategy of the device, which could make Burn save the
        // output.
        let prep = BatchNormBackward.prepare::<BalancedCheckpointing>(nodes);
        let prep = if has_residual {
            prep.compute_bound()
        } else {
            let again = RecomputeOutput { parents: ids, moments: moments.clone(), options };
            prep.memory_bound().retro_forward(again).parents(&parents)
        };
        let output = match prep.stateful() {
            OpsKind::UnTracked(prep) => prep.finish(output),
            OpsKind::Tracked(prep) => {
                let rectified =
                    (has_residual && options.rectifier.is_some()).then(|| output.clone());
                let state = State { inputs, has_residual, rectified, moments, options };
                prep.finish(state, output)
            }
        };
        (output, Self::from_inner(mean), Self::from_inner(variance))
    }
}
