use std::collections::BTreeMap;

use burn::tensor::Device;

use super::*;

fn variant(variant: usize) -> EfficientNetLiteConfig {
    EfficientNetLiteConfig { variant, ..EfficientNetLiteConfig::default() }
}

#[test]
fn variants_have_the_published_numbers_of_parameters() {
    let published = [4_652_008, 5_416_680, 6_092_072, 8_197_096, 13_006_568];
    for (number, parameters) in published.into_iter().enumerate() {
        let layers = variant(number).layers([224, 224, 3], 1000).unwrap();
        let trained =
            Layer::sum(&layers, |layer| Some(layer.parameters()? - layer.running())).unwrap();
        assert_eq!(trained, parameters, "variant {number}");
    }
    // 407 million in the publication, with biases and norms.
    let layers = variant(0).layers([224, 224, 3], 1000).unwrap();
    let multiply_adds = Layer::sum(&layers, Layer::multiply_adds).unwrap();
    assert!((380e6..410e6).contains(&(multiply_adds as f64)), "{multiply_adds}");
}

#[test]
fn each_block_outputs_the_shape_in_the_layer_summary() {
    let device = Device::default();
    for shape in [[33, 20, 3], [64, 64, 1], [1, 1, 3]] {
        let config = EfficientNetLiteConfig { stochastic_depth: 0.5, ..variant(0) };
        let model = config.init(shape, 6, &mut ParameterInit::new(1, &device));
        let layers = config.layers(shape, 6).unwrap();
        let outputs: BTreeMap<_, _> =
            layers.iter().map(|layer| (layer.name.as_str(), &layer.output)).collect();
        let images = Tensor::<4>::zeros([2, shape[0], shape[1], shape[2]], &device);
        let mut images = model.stem.forward(images, RELU6);
        assert_eq!(images.dims()[1..], *outputs["stem"]);
        for (index, block) in model.blocks.iter().enumerate() {
            let rng = DropoutRng { seed: 1, step: 1, micro_batch: 0 };
            images = block.forward(images, (index % 2 == 0).then_some(&rng), index + 1);
            let name = format!("blocks.{index}.project");
            assert_eq!(images.dims()[1..], *outputs[name.as_str()], "{name}");
        }
    }
}

#[test]
fn zeros_are_those_of_tensorflow() {
    let zeros = |kernel_size, stride, size| {
        let config =
            ConvolutionConfig { kernel_size, stride, padding: Padding::Same, ..stem([0; 3]) };
        match config.layer(String::new(), [size, 9]).operation {
            Operation::Convolution { padding: [rows, _], .. } => rows,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(zeros(3, 2, 224), [0, 1]);
    assert_eq!(zeros(5, 2, 28), [1, 2]);
    assert_eq!(zeros(3, 2, 7), [1, 1]);
    assert_eq!(zeros(5, 1, 14), [2, 2]);
    assert_eq!(zeros(1, 1, 14), [0, 0]);
    assert_eq!(zeros(3, 2, 1), [1, 1]);
}

#[test]
fn modules_have_the_names_of_other_libraries() {
    let config = variant(0);
    for (path, timm, efficientnet_pytorch) in [
        ("stem", "conv_stem", "_conv_stem"),
        ("stem.norm", "bn1", "_bn0"),
        ("blocks.0.depthwise", "blocks.0.0.conv_dw", "_blocks.0._depthwise_conv"),
        ("blocks.0.depthwise.norm", "blocks.0.0.bn1", "_blocks.0._bn1"),
        ("blocks.0.project", "blocks.0.0.conv_pw", "_blocks.0._project_conv"),
        ("blocks.0.project.norm", "blocks.0.0.bn2", "_blocks.0._bn2"),
        ("blocks.2.expand", "blocks.1.1.conv_pw", "_blocks.2._expand_conv"),
        ("blocks.2.expand.norm", "blocks.1.1.bn1", "_blocks.2._bn0"),
        ("blocks.15.project", "blocks.6.0.conv_pwl", "_blocks.15._project_conv"),
        ("blocks.15.project.norm", "blocks.6.0.bn3", "_blocks.15._bn2"),
        ("last.norm", "bn2", "_bn1"),
        ("output", "classifier", "_fc"),
    ] {
        assert_eq!(config.timm_module(path).as_deref(), Some(timm));
        assert_eq!(config.efficientnet_pytorch_module(path).as_deref(), Some(efficientnet_pytorch));
    }
    for path in ["blocks.16.expand", "blocks.x.expand", "blocks.1.other", "other"] {
        assert_eq!(config.timm_module(path), None);
    }
}
