use burn::module::{Initializer, Module, Param};
use burn::nn::transformer::{
    TransformerEncoder, TransformerEncoderConfig, TransformerEncoderInput,
};
use burn::nn::{LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};
use trainer::{Check, CustomModel, DropoutRng, ParameterInit};

/// A small vision transformer (Dosovitskiy et al. 2021, arXiv:2010.11929) without a class token:
/// the logits are computed from the mean over all patches.
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct VitConfig {
    /// Height and width of a patch in pixels.
    #[schemars(range(min = 1, max = 256))]
    pub patch_size: usize,
    /// Number of features of a patch, a multiple of `heads`.
    #[schemars(range(min = 1, max = 4096))]
    pub width: usize,
    /// Number of attention heads.
    #[schemars(range(min = 1, max = 64))]
    pub heads: usize,
    /// Number of encoder layers.
    #[schemars(range(min = 1, max = 100))]
    pub depth: usize,
}

impl Default for VitConfig {
    fn default() -> Self {
        Self { patch_size: 8, width: 48, heads: 4, depth: 2 }
    }
}

/// The model of [`VitConfig`].
#[derive(Module, Debug)]
pub struct Vit {
    embedding: Linear,
    /// Shape `[patches, width]`.
    positions: Param<Tensor<2>>,
    encoder: TransformerEncoder,
    norm: LayerNorm,
    output: Linear,
    patch_size: usize,
}

impl CustomModel for Vit {
    const NAME: &'static str = "vit";
    type Config = VitConfig;

    fn init(
        config: &VitConfig,
        [height, width, channels]: [usize; 3],
        outputs: usize,
        init: &mut ParameterInit,
    ) -> Self {
        let (size, features, device) = (config.patch_size, config.width, init.device());
        let patches = (height / size) * (width / size);
        let encoder =
            TransformerEncoderConfig::new(features, 4 * features, config.heads, config.depth);
        Self {
            embedding: LinearConfig::new(size * size * channels, features).init(device),
            positions: Initializer::Normal { mean: 0.0, std: 0.02 }
                .init([patches, features], device),
            encoder: encoder.with_dropout(0.0).with_norm_first(true).init(device),
            norm: LayerNormConfig::new(features).init(device),
            output: LinearConfig::new(features, outputs).init(device),
            patch_size: size,
        }
    }

    fn forward(&self, images: Tensor<4>, _dropout: Option<&DropoutRng>) -> Tensor<2> {
        // [batch, patches, size * size * channels] -> [batch, patches, width]
        let patches = self.embedding.forward(patches(images, self.patch_size));
        let patches = patches + self.positions.val().unsqueeze();
        let encoded = self.encoder.forward(TransformerEncoderInput::new(patches));
        // [batch, width]
        let mean = self.norm.forward(encoded).mean_dim(1).squeeze_dim(1);
        self.output.forward(mean)
    }

    fn is_penalized(path: &str, rank: usize) -> bool {
        rank > 1 && path != "positions"
    }

    fn check(config: &VitConfig, check: &mut Check) {
        let divisible = config.width.is_multiple_of(config.heads);
        check.require(
            "width",
            divisible,
            format_args!("{} is not a multiple of heads", config.width),
        );
    }

    fn incompatibility(config: &VitConfig, [height, width, _]: [usize; 3]) -> Option<String> {
        let size = config.patch_size;
        let fits = height.is_multiple_of(size) && width.is_multiple_of(size);
        (!fits).then(|| format!("patches of {size} x {size} pixels do not cover it"))
    }
}

/// Images `[batch, height, width, channels]` as `[batch, patches, size * size * channels]`.
fn patches(images: Tensor<4>, size: usize) -> Tensor<3> {
    let [batch, height, width, channels] = images.dims();
    let (rows, columns) = (height / size, width / size);
    images
        .reshape([batch, rows, size, columns, size, channels])
        .permute([0, 1, 3, 2, 4, 5])
        .reshape([batch, rows * columns, size * size * channels])
}
