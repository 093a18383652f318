use super::{CnnConfig, ImageHead, Pool};
use crate::layer::Layer;

impl CnnConfig {
    /// The layers of [`CnnConfig::init`]'s model; `None` if a number overflows.
    pub fn layers(&self, shape: [usize; 3], outputs: usize) -> Option<Vec<Layer>> {
        let mut layers = self.stage_layers(shape)?;
        let head = self.head.layer(self.last_shape(shape))?;
        layers.push(head.with_dropout(self.dropout));
        let dense = self.dense(shape, outputs)?;
        for (index, &(inputs, units)) in dense.iter().enumerate() {
            layers.push(match index == self.hidden.len() {
                true => Layer::linear("output", inputs, units)?,
                false => {
                    let linear = Layer::linear(format!("hidden.{index}"), inputs, units)?;
                    self.activation.after(linear).with_dropout(self.dropout)
                }
            });
        }
        Some(layers)
    }

    /// The convolutions and the pooling of each stage.
    fn stage_layers(&self, shape: [usize; 3]) -> Option<Vec<Layer>> {
        let [mut height, mut width, _] = shape;
        let mut layers = Vec::new();
        for (stage, convolutions) in self.convolutions(shape).iter().enumerate() {
            for (index, convolution) in convolutions.iter().enumerate() {
                let name = format!("stages.{stage}.{index}");
                layers.push(self.activation.after(convolution.layer(name, [height, width])?));
            }
            if let (Some(kind), Some(last)) = (self.pool.kind(), convolutions.last()) {
                (height, width) = (height / 2, width / 2);
                let output = vec![height, width, last.outputs];
                layers.push(Layer::plain(format!("stages.{stage}.pool"), kind, output));
            }
        }
        Some(layers)
    }
}

impl Pool {
    /// What it is called in a [`Layer`], if it is one.
    const fn kind(self) -> Option<&'static str> {
        match self {
            Self::Max => Some("max pool 2x2"),
            Self::Average => Some("average pool 2x2"),
            Self::None => None,
        }
    }
}

impl ImageHead {
    /// The layer that makes features of images of `shape`; `None` if a number overflows.
    pub fn layer(self, shape: [usize; 3]) -> Option<Layer> {
        let [height, width, channels] = shape;
        Some(match self {
            Self::Flatten => {
                let features = height.checked_mul(width)?.checked_mul(channels)?;
                Layer::plain("head", "flatten", vec![features])
            }
            Self::Average => Layer::plain("head", "channel means", vec![channels]),
        })
    }
}
