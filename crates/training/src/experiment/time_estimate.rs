//! Time of a run on a processor, estimated before it starts.

use std::thread;

use models::{ModelConfig, StemReduction};

use crate::config::RunConfig;
use crate::device;

/// Multiply-adds per second and core on `flex`, for training steps: less than all networks reach on
/// one core of an AMD EPYC with AVX2. There the perceptron M2 of `BENCHMARKS.md` reaches 37 G, the
/// convolutional network M3 47 G and the residual network M4 65 G, since Winograd's algorithm needs
/// only a fraction of the products; `configs/signs_fast.toml` reaches 22 G.
const FLEX_RATE: f64 = 20e9;
/// The same on `ndarray`, whose convolutions are about 20 times slower.
const NDARRAY_RATE: f64 = 1e9;
/// Seconds of an epoch from which on a run is called expensive.
const LONG_EPOCH: f64 = 5.0 * 60.0;
/// Seconds of a run from which on it is called expensive.
const LONG_RUN: f64 = 6.0 * 3600.0;

/// A warning, in one sentence, if an epoch takes more than 5 minutes or the run more than 6 hours: of
/// `config` on the device called `device`, with `examples` training examples of `shape` in `classes`
/// classes. `None` on a graphics card.
pub fn time_warning(
    config: &RunConfig,
    shape: [usize; 3],
    classes: usize,
    examples: usize,
    device: &str,
) -> Option<String> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    warning_on(cores, config, shape, classes, examples, device)
}

fn warning_on(
    cores: usize,
    config: &RunConfig,
    shape @ [height, width, channels]: [usize; 3],
    classes: usize,
    examples: usize,
    device: &str,
) -> Option<String> {
    if !device::is_processor(device) {
        return None;
    }
    let rate = if device == "ndarray" { NDARRAY_RATE } else { FLEX_RATE };
    let multiply_adds = config.model.multiply_adds(shape, config.outputs(classes))? as f64;
    // The gradients of inputs and of weights take as many as the forward pass.
    let epoch = 3.0 * multiply_adds * examples as f64 / (rate * cores as f64);
    // A run with a time budget alone takes no longer than that.
    let run = epoch * config.training.epochs.unwrap_or(1) as f64;
    (epoch > LONG_EPOCH || run > LONG_RUN).then(|| {
        format!(
            "{:.1} G multiply-adds per example of {height}x{width}x{channels}: an epoch of {examples} examples takes about {} and the run about {} on {cores} core(s); {}",
            multiply_adds / 1e9,
            readable(epoch),
            readable(run),
            remedy(config, shape),
        )
    })
}

fn remedy(config: &RunConfig, shape: [usize; 3]) -> String {
    let model = match &config.model {
        ModelConfig::Resnet(resnet) if resnet.stem_reduction != StemReduction::Pooled => {
            "set model.resnet.stem_reduction = \"pooled\""
        }
        ModelConfig::Resnet(_) => "lower model.resnet.channels",
        ModelConfig::Cnn(_) => "lower model.cnn.channels",
        ModelConfig::Mlp(_) => "lower model.mlp.hidden",
        ModelConfig::EfficientNetLite(_) => "lower model.efficientnet_lite.variant",
        ModelConfig::Custom(_) => "use a smaller model",
    };
    let images = if let [1, 1, _] = shape { "" } else { "smaller images or " };
    format!("{model}, or use {images}fewer epochs")
}

/// A duration in minutes, hours or days.
fn readable(seconds: f64) -> String {
    match seconds {
        ..6000.0 => format!("{:.0} min", seconds / 60.0),
        ..172_800.0 => format!("{:.0} h", seconds / 3600.0),
        _ => format!("{:.0} days", seconds / 86_400.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The warning for 1000 images of `size` x `size` in ten classes.
    fn warning(model: &str, size: usize, epochs: usize, device: &str) -> Option<String> {
        let text = format!(
            "name = \"cost\"\ndataset.points = {{}}\noptimizer.sgd = {{}}\nmodel.{model}\ntraining.epochs = {epochs}\n"
        );
        let config: RunConfig = toml::from_str(&text).unwrap();
        warning_on(2, &config, [size, size, 3], 10, 1000, device)
    }

    #[test]
    fn a_residual_network_without_a_reduction_is_expensive_for_large_images() {
        let warning = warning("resnet = {}", 224, 100, "flex").unwrap();
        let expected = "5.2 G multiply-adds per example of 224x224x3: an epoch of 1000 examples takes about 6 min and the run about 11 h on 2 core(s); set model.resnet.stem_reduction = \"pooled\", or use smaller images or fewer epochs";
        assert_eq!(warning, expected);
    }

    #[test]
    fn other_models_and_sizes_have_no_warning() {
        let pooled = "resnet = { channels = [64, 128, 256, 512], stem_reduction = \"pooled\" }";
        for (model, size) in
            [("resnet = {}", 64), (pooled, 224), ("cnn = {}", 128), ("mlp = {}", 64)]
        {
            assert_eq!(warning(model, size, 80, "flex"), None, "{model}");
        }
        assert_eq!(warning("resnet = {}", 224, 100, "wgpu:0"), None);
    }

    #[test]
    fn many_epochs_and_a_slow_backend_are_expensive() {
        for (model, epochs, device, remedy) in [
            ("cnn = {}", 10_000, "flex", "lower model.cnn.channels"),
            ("cnn = {}", 1000, "ndarray", "lower model.cnn.channels"),
            ("mlp = {}", 1_000_000, "flex", "lower model.mlp.hidden"),
            (
                "resnet = { stem_reduction = \"pooled\" }",
                1000,
                "ndarray",
                "lower model.resnet.channels",
            ),
        ] {
            let warning = warning(model, 128, epochs, device).unwrap();
            assert!(warning.contains(remedy), "{warning}");
        }
    }
}
