use super::{CnnConfig, ImageHead, Pool};
use crate::layer_summary::LayerSummary;

impl CnnConfig {
    /// Describes the layers of the model; `None` if a number overflows.
    pub fn layers(&self, shape: [usize; 3], outputs: usize) -> Option<Vec<LayerSummary>> {
        let mut layers = self.stage_layers(shape)?;
        let head = self.head.layer(self.last_shape(shape))?;
        layers.push(head.with_dropout(self.dropout));
        for (index, &(inputs, units)) in self.linear_sizes(shape, outputs)?.iter().enumerate() {
            layers.push(if index == self.hidden.len() {
                LayerSummary::linear("output", inputs, units)?
            } else {
                let linear = LayerSummary::linear(format!("hidden.{index}"), inputs, units)?;
                self.activation.after(linear).with_dropout(self.dropout)
            });
        }
        Some(layers)
    }

    /// Describes the convolutions and the pooling of each stage.
    fn stage_layers(&self, shape: [usize; 3]) -> Option<Vec<LayerSummary>> {
        let [mut height, mut width, _] = shape;
        let mut layers = Vec::new();
        for (stage, convolutions) in self.convolutions(shape).iter().enumerate() {
            for (index, convolution) in convolutions.iter().enumerate() {
                let name = format!("stages.{stage}.{index}");
                layers.push(self.activation.after(convolution.layer(name, [height, width])?));
            }
            if let (Some(kind), Some(last)) = (self.pool.kind(), convolutions.last()) {
                (height, width) = (height / 2, width / 2);
                let output = vec![height, width, last.out_channels];
                layers.push(LayerSummary::new(format!("stages.{stage}.pool"), kind, output));
            }
        }
        Some(layers)
    }
}

impl Pool {
    /// Name of the operation in a [`LayerSummary`], if there is one.
    const fn kind(self) -> Option<&'static str> {
        match self {
            Self::Max => Some("max pool 2x2"),
            Self::Average => Some("average pool 2x2"),
            Self::None => None,
        }
    }
}

impl ImageHead {
    /// Describes the conversion of images of `shape` to features; `None` if a number overflows.
    pub fn layer(self, shape: [usize; 3]) -> Option<LayerSummary> {
        let [height, width, channels] = shape;
        Some(match self {
            Self::Flatten => {
                let features = height.checked_mul(width)?.checked_mul(channels)?;
                LayerSummary::new("head", "flatten", vec![features])
            }
            Self::Average => LayerSummary::new("head", "channel means", vec![channels]),
        })
    }
}
