use burn::module::{Param, ParamId, RunningState};
use burn::nn::{BatchNorm, BatchNormConfig, Linear};
use burn::tensor::{Device, FloatDType, Tensor, TensorCreationOptions, TensorData};
use numpy_random::RandomState;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

use crate::initializer::{Generator, Initializer};

/// The source of a model's initial parameters.
///
/// Draws from a generator of its own rather than the backend's, and numbers the parameters in
/// the order of their creation: equal seeds give equal bits and equal files on every backend.
pub struct Parameters {
    rng: ChaCha8Rng,
    numpy: RandomState,
    device: Device,
    precision: FloatDType,
    numbered: u64,
}

/// How the initial weights of a layer are drawn.
#[derive(Debug, Clone, Copy)]
pub struct FirstWeights {
    /// From which distribution.
    pub initializer: Initializer,
    /// The standard deviation of [`Initializer::Normal`].
    pub scale: f64,
    /// From which random numbers.
    pub generator: Generator,
}

impl Parameters {
    /// The source for a model on `device`, in f32.
    pub fn new(seed: u64, device: &Device) -> Self {
        Self {
            rng: ChaCha8Rng::seed_from_u64(seed),
            // NumPy's seeds have 32 bits; larger ones are refused with the config.
            numpy: RandomState::new(seed as u32),
            device: device.clone(),
            precision: FloatDType::F32,
            numbered: 0,
        }
    }

    /// The same parameters in another precision.
    pub fn in_precision(self, precision: FloatDType) -> Self {
        Self { precision, ..self }
    }

    /// A layer `[batch, inputs]` to `[batch, outputs]`.
    pub fn linear(&mut self, inputs: usize, outputs: usize, first: &FirstWeights) -> Linear {
        let &FirstWeights { initializer, scale, generator } = first;
        let weights = match generator {
            Generator::Chacha => initializer.draw(scale, inputs, outputs, &mut self.rng),
            Generator::Numpy => initializer.draw_numpy(scale, inputs, outputs, &mut self.numpy),
        };
        Linear {
            weight: self.trained(TensorData::new(weights, [inputs, outputs])),
            bias: Some(self.trained(TensorData::zeros::<f32, _>([outputs]))),
        }
    }

    /// A layer `[batch, inputs]` to `[batch, outputs]` with He-normal weights.
    pub fn he_linear(&mut self, inputs: usize, outputs: usize) -> Linear {
        let (initializer, generator) = (Initializer::HeNormal, Generator::Chacha);
        self.linear(inputs, outputs, &FirstWeights { initializer, scale: 1.0, generator })
    }

    /// He-normal weights `[out_channels, in_channels, height, width]` of a convolution.
    pub fn convolution(&mut self, shape: [usize; 4]) -> Param<Tensor<4>> {
        let [outputs, window @ ..] = shape;
        let inputs = window.iter().product();
        let weights = Initializer::HeNormal.draw(1.0, inputs, outputs, &mut self.rng);
        self.trained(TensorData::new(weights, shape))
    }

    /// Zeros, one a channel.
    pub fn bias(&mut self, channels: usize) -> Param<Tensor<1>> {
        self.trained(TensorData::zeros::<f32, _>([channels]))
    }

    /// A batch norm of `[.., channels]`, with the defaults of PyTorch.
    pub fn batch_norm(&mut self, channels: usize) -> BatchNorm {
        let config = BatchNormConfig::new(channels);
        let features = [channels];
        BatchNorm {
            gamma: self.trained(TensorData::ones::<f32, _>(features)),
            beta: self.trained(TensorData::zeros::<f32, _>(features)),
            running_mean: self.running(TensorData::zeros::<f32, _>(features)),
            running_var: self.running(TensorData::ones::<f32, _>(features)),
            ..config.init(&self.device)
        }
    }

    fn trained<const D: usize>(&mut self, values: TensorData) -> Param<Tensor<D>> {
        let values = Tensor::from_data(values, self.options());
        let values = if self.device.is_autodiff() { values.require_grad() } else { values };
        Param::initialized(self.next_id(), values)
    }

    fn running(&mut self, values: TensorData) -> RunningState<Tensor<1>> {
        RunningState::with_id(self.next_id(), Tensor::from_data(values, self.options()))
    }

    fn options(&self) -> TensorCreationOptions {
        TensorCreationOptions::new(self.device.clone()).with_dtype(self.precision.into())
    }

    fn next_id(&mut self) -> ParamId {
        self.numbered += 1;
        ParamId::from(self.numbered)
    }
}
