use super::{CnnConfig, ImageHead, Pool};
use crate::layer::{Layer, Operation};

impl CnnConfig {
    pub(crate) fn layers(&self, shape: [usize; 3], outputs: usize) -> Option<Vec<Layer>> {
        let mut layers = self.stage_layers(shape);
        let head = self.head.layer(self.last_shape(shape))?;
        layers.push(head.with_dropout(self.dropout));
        for (index, &(inputs, units)) in self.linear_sizes(shape, outputs)?.iter().enumerate() {
            let linear = if index == self.hidden.len() {
                Layer::linear("output", inputs, units)
            } else {
                let linear = Layer::linear(format!("hidden.{index}"), inputs, units);
                self.activate_layer(linear).with_dropout(self.dropout)
            };
            layers.push(linear.in_stage(self.channels.len() + index));
        }
        Some(layers)
    }

    fn stage_layers(&self, shape: [usize; 3]) -> Vec<Layer> {
        let [mut height, mut width, _] = shape;
        let mut layers = Vec::new();
        for (stage, convolutions) in self.convolutions(shape).iter().enumerate() {
            for (index, convolution) in convolutions.iter().enumerate() {
                let name = format!("stages.{stage}.{index}");
                let layer = convolution.layer(name, [height, width]).in_stage(stage);
                layers.push(self.activate_layer(layer));
            }
            if let (Some(pool), Some(last)) = (self.pool.operation(), convolutions.last()) {
                (height, width) = (height / 2, width / 2);
                let output = vec![height, width, last.out_channels];
                layers.push(Layer::new(format!("stages.{stage}.pool"), pool, output));
            }
        }
        layers
    }

    fn activate_layer(&self, layer: Layer) -> Layer {
        layer.with_activation(self.activation, self.negative_slope)
    }
}

impl Pool {
    const fn operation(self) -> Option<Operation> {
        match self {
            Self::Max => Some(Operation::MaxPool { window: 2, stride: 2, padding: 0 }),
            Self::Average => Some(Operation::AveragePool { window: 2 }),
            Self::None => None,
        }
    }
}

impl ImageHead {
    /// Describes the conversion of images of `shape` to features; `None` if a number overflows.
    pub fn layer(self, shape: [usize; 3]) -> Option<Layer> {
        let [height, width, channels] = shape;
        Some(match self {
            Self::Flatten => {
                let features = height.checked_mul(width)?.checked_mul(channels)?;
                Layer::new("head", Operation::Flatten, vec![features])
            }
            Self::Average => Layer::new("head", Operation::ChannelMeans, vec![channels]),
        })
    }
}
