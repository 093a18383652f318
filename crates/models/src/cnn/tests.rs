use super::*;
use crate::layer::Layer;
use burn::tensor::Device;

#[test]
fn each_stage_outputs_the_shape_in_the_layer_summary() {
    for pool in [Pool::Max, Pool::Average, Pool::None] {
        let config =
            CnnConfig { channels: vec![4, 5], convolutions: 2, pool, ..CnnConfig::default() };
        let (shape, device) = ([9, 6, 3], Device::default());
        let model = config.init(shape, 6, &mut ParameterInit::new(1, &device));
        let layers = config.layers(shape, 6).unwrap();
        let mut images = Tensor::<4>::zeros([1, 9, 6, 3], &device);
        for (index, stage) in model.stages.iter().enumerate() {
            images = model.stage(stage, images);
            let of_stage = |layer: &&Layer| layer.name.starts_with(&format!("stages.{index}."));
            let last = layers.iter().rfind(of_stage).unwrap();
            assert_eq!(images.dims()[1..], last.output, "{pool:?} {last:?}");
        }
    }
}

#[test]
fn the_layer_summary_lists_operations_shapes_and_counts() {
    let config = CnnConfig {
        channels: vec![4],
        hidden: vec![5],
        dropout: 0.5,
        activation: Activation::Tanh,
        ..CnnConfig::default()
    };
    let layers = config.layers([6, 8, 3], 2).unwrap();
    let line = |layer: &Layer| {
        let operations: Vec<_> = layer.operations().map(ToString::to_string).collect();
        format!(
            "{}: {} {:?} {} {} {}",
            layer.name,
            operations.join(", "),
            layer.output,
            layer.parameters().unwrap(),
            layer.running(),
            layer.multiply_adds().unwrap(),
        )
    };
    let expected = [
        "stages.0.0: conv 3x3, norm, tanh [6, 8, 4] 124 8 5184",
        "stages.0.pool: max pool 2x2 [3, 4, 4] 0 0 0",
        "head: flatten, dropout 0.5 [48] 0 0 0",
        "hidden.0: linear, tanh, dropout 0.5 [5] 245 0 240",
        "output: linear [2] 12 0 10",
    ];
    assert_eq!(layers.iter().map(line).collect::<Vec<_>>(), expected);
}
