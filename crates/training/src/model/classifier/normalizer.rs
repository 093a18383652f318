use burn::module::{Module, Param, ParamId};
use burn::tensor::{Device, FloatDType, Tensor, TensorCreationOptions};
use data::{Scaler, Statistics};

/// The affine map of values to inputs, fitted before training and saved with the weights.
#[derive(Module, Debug)]
pub struct Normalizer {
    pub shift: Param<Tensor<1>>,
    pub scale: Param<Tensor<1>>,
}

impl Normalizer {
    pub fn new(statistics: &Statistics, precision: FloatDType, device: &Device) -> Self {
        let options = TensorCreationOptions::new(device.clone()).with_dtype(precision.into());
        let parameter = |values: &[f32], id: u64| {
            let values = Tensor::from_data(values, options.clone());
            Param::initialized(ParamId::from(id), values)
        };
        // Numbered from the end; the parameters of the model are numbered from the start.
        Self {
            shift: parameter(&statistics.shift, u64::MAX),
            scale: parameter(&statistics.scale, u64::MAX - 1),
        }
    }

    pub fn scaler(&self) -> Scaler {
        Statistics { shift: host(&self.shift), scale: host(&self.scale) }.scaler()
    }
}

fn host(values: &Param<Tensor<1>>) -> Vec<f32> {
    values.val().without_autodiff().into_data().iter::<f32>().collect()
}
