use burn::module::{Param, ParamId, RunningState};
use burn::nn::{BatchNorm, BatchNormConfig, Linear};
use burn::tensor::{Device, FloatDType, Tensor, TensorCreationOptions, TensorData};
use numpy_random::RandomState;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

use crate::initializer::{Generator, Initializer};

/// Creates the initial parameters of a model.
///
/// Uses its own random number generator rather than the backend's, and numbers the parameters in
/// creation order: equal seeds give equal bits and equal files on every backend.
pub struct ParameterInit {
    rng: ChaCha8Rng,
    numpy: RandomState,
    seed: u64,
    device: Device,
    precision: FloatDType,
    last_id: u64,
}

/// Initialization of the weights of a layer.
#[derive(Debug, Clone, Copy)]
pub struct WeightInit {
    /// Distribution of the weights.
    pub initializer: Initializer,
    /// Standard deviation of [`Initializer::Normal`].
    pub scale: f64,
    /// Random number generator.
    pub generator: Generator,
}

impl ParameterInit {
    /// Creates f32 parameters on `device`.
    pub fn new(seed: u64, device: &Device) -> Self {
        Self {
            rng: ChaCha8Rng::seed_from_u64(seed),
            // NumPy seeds have 32 bits; the config check rejects larger ones.
            numpy: RandomState::new(seed as u32),
            seed,
            device: device.clone(),
            precision: FloatDType::F32,
            last_id: 0,
        }
    }

    /// Sets the precision.
    pub fn with_precision(self, precision: FloatDType) -> Self {
        Self { precision, ..self }
    }

    /// Seed of the parameters.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Device of the parameters.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Precision of the parameters.
    pub fn precision(&self) -> FloatDType {
        self.precision
    }

    /// Creates a linear layer from `[batch, inputs]` to `[batch, outputs]`.
    pub fn linear(&mut self, inputs: usize, outputs: usize, init: &WeightInit) -> Linear {
        let &WeightInit { initializer, scale, generator } = init;
        let weights = match generator {
            Generator::Chacha => initializer.sample(scale, inputs, outputs, &mut self.rng),
            Generator::Numpy => initializer.sample_numpy(scale, inputs, outputs, &mut self.numpy),
        };
        Linear {
            weight: self.parameter(TensorData::new(weights, [inputs, outputs])),
            bias: Some(self.parameter(TensorData::zeros::<f32, _>([outputs]))),
        }
    }

    /// Creates a linear layer with He-normal weights from `[batch, inputs]` to `[batch, outputs]`.
    pub fn he_linear(&mut self, inputs: usize, outputs: usize) -> Linear {
        let (initializer, generator) = (Initializer::HeNormal, Generator::Chacha);
        self.linear(inputs, outputs, &WeightInit { initializer, scale: 1.0, generator })
    }

    /// Creates He-normal convolution weights `[out_channels, in_channels, height, width]`.
    pub fn convolution(&mut self, shape: [usize; 4]) -> Param<Tensor<4>> {
        let [outputs, fan_in @ ..] = shape;
        let inputs = fan_in.iter().product();
        let weights = Initializer::HeNormal.sample(1.0, inputs, outputs, &mut self.rng);
        self.parameter(TensorData::new(weights, shape))
    }

    /// Creates a bias of zeros `[channels]`.
    pub fn bias(&mut self, channels: usize) -> Param<Tensor<1>> {
        self.parameter(TensorData::zeros::<f32, _>([channels]))
    }

    /// Creates a batch norm of `[.., channels]` with the defaults of PyTorch.
    pub fn batch_norm(&mut self, channels: usize) -> BatchNorm {
        let config = BatchNormConfig::new(channels);
        let features = [channels];
        BatchNorm {
            gamma: self.parameter(TensorData::ones::<f32, _>(features)),
            beta: self.parameter(TensorData::zeros::<f32, _>(features)),
            running_mean: self.running_state(TensorData::zeros::<f32, _>(features)),
            running_var: self.running_state(TensorData::ones::<f32, _>(features)),
            ..config.init(&self.device)
        }
    }

    fn parameter<const D: usize>(&mut self, values: TensorData) -> Param<Tensor<D>> {
        let values = Tensor::from_data(values, self.options());
        let values = if self.device.is_autodiff() { values.require_grad() } else { values };
        Param::initialized(self.next_id(), values)
    }

    fn running_state(&mut self, values: TensorData) -> RunningState<Tensor<1>> {
        RunningState::with_id(self.next_id(), Tensor::from_data(values, self.options()))
    }

    fn options(&self) -> TensorCreationOptions {
        TensorCreationOptions::new(self.device.clone()).with_dtype(self.precision.into())
    }

    fn next_id(&mut self) -> ParamId {
        self.last_id += 1;
        ParamId::from(self.last_id)
    }
}
