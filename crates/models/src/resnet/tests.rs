use std::collections::BTreeMap;

use burn::module::{ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Device, FloatDType, TensorData};

use super::*;

/// The configs of torchvision's networks with their numbers of parameters for 1000 classes.
fn torchvision() -> [(ResnetConfig, usize); 3] {
    let pooled = ResnetConfig {
        channels: vec![64, 128, 256, 512],
        stem_reduction: StemReduction::Pooled,
        ..ResnetConfig::default()
    };
    let per_stage = BlockCounts::PerStage(vec![3, 4, 6, 3]);
    let resnet_34 = ResnetConfig { blocks: per_stage, ..pooled.clone() };
    let resnet_50 = ResnetConfig { block: BlockKind::Bottleneck, ..resnet_34.clone() };
    [(pooled, 11_689_512), (resnet_34, 21_797_672), (resnet_50, 25_557_032)]
}

/// A small network for each kind of block and stem.
fn variants() -> impl Iterator<Item = ResnetConfig> {
    let reductions = [StemReduction::None, StemReduction::Strided, StemReduction::Pooled];
    reductions.into_iter().flat_map(|stem_reduction| {
        [BlockKind::Basic, BlockKind::Bottleneck].map(|block| ResnetConfig {
            channels: vec![2, 3, 4],
            blocks: BlockCounts::PerStage(vec![2, 1, 2]),
            block,
            stem_reduction,
            stochastic_depth: 0.5,
            ..Default::default()
        })
    })
}

#[test]
fn each_layer_outputs_the_shape_in_the_layer_summary() {
    let device = Device::default();
    for config in variants() {
        for shape in [[9, 6, 3], [32, 33, 1], [1, 1, 3]] {
            let model = config.init(shape, 6, &mut ParameterInit::new(1, &device));
            let layers = config.layers(shape, 6).unwrap();
            let outputs: BTreeMap<_, _> =
                layers.iter().map(|layer| (layer.name.as_str(), &layer.output)).collect();
            let images = Tensor::<4>::zeros([1, shape[0], shape[1], shape[2]], &device);
            let mut images = model.forward_stem(images);
            let stem = if config.is_pooled() { "stem.pool" } else { "stem" };
            assert_eq!(images.dims()[1..], *outputs[stem], "{config:?}");
            for (index, block) in model.blocks.iter().enumerate() {
                images = block.forward(images, None, 1);
                let last = if block.third.is_some() { "third" } else { "second" };
                let name = format!("blocks.{index}.{last}");
                assert_eq!(images.dims()[1..], *outputs[name.as_str()], "{config:?} {name}");
            }
        }
    }
}

#[test]
fn the_networks_of_torchvision_have_its_numbers_of_parameters_and_multiply_adds() {
    let multiply_adds = [1_814_073_344, 3_663_761_408, 4_089_184_256];
    for ((config, parameters), multiply_adds) in torchvision().into_iter().zip(multiply_adds) {
        let layers = config.layers([224, 224, 3], 1000).unwrap();
        let trained =
            Layer::sum(&layers, |layer| Some(layer.parameters()? - layer.running())).unwrap();
        assert_eq!(trained, parameters, "{config:?}");
        let sum = Layer::sum(&layers, Layer::multiply_adds);
        assert_eq!(sum, Some(multiply_adds), "{config:?}");
    }
}

/// Number `index` of tensor `tensor`, in -0.5..0.5.
fn number(tensor: usize, index: usize) -> f64 {
    ((index * 7919 + tensor * 104_729) % 2003) as f64 / 2003.0 - 0.5
}

/// Sets all parameters by formula, in the order in which they are visited.
struct Formula {
    tensors: usize,
    /// Number of the next vector of a batch norm.
    vectors: usize,
}

impl ModuleMapper for Formula {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let dims = param.val().dims();
        let (tensor, count) = (self.tensors, dims.iter().product::<usize>());
        self.tensors += 1;
        let value: Box<dyn Fn(f64) -> f64> = match dims.as_slice() {
            [_, inputs, height, width] => {
                let fan_in = (inputs * height * width) as f64;
                self.vectors = 0;
                Box::new(move |u| u * (24.0 / fan_in).sqrt())
            }
            [_] if self.vectors < 4 => {
                // Scale, shift, running mean and running variance.
                let centre = if [0, 3].contains(&self.vectors) { 1.0 } else { 0.0 };
                self.vectors += 1;
                Box::new(move |u| 0.2 * u + centre)
            }
            _ => Box::new(|u| u),
        };
        let values: Vec<f64> = (0..count).map(|index| value(number(tensor, index))).collect();
        let options = (&param.val().device(), param.val().dtype());
        let values = Tensor::from_data(TensorData::new(values, dims), options);
        Param::initialized(param.id, values)
    }
}

/// The logits of torchvision 0.30 in f64 for the same two images of 33 x 40 pixels: `ResNet` with
/// five classes and all parameters by the same formula.
const LOGITS: [[f64; 10]; 2] = [
    [
        0.8423337984522824,
        -3.4072904928490235,
        -0.9412398154079126,
        -2.675382777402465,
        1.3436131347441793,
        0.3418702269516727,
        -5.07699430324748,
        -2.116321184077232,
        -3.0911040052881518,
        2.307583702569207,
    ],
    [
        10.183259994397366,
        12.465053831424827,
        2.7765197566329896,
        1.5540563191700643,
        -1.6469326482496194,
        9.662357912969282,
        12.85789073075259,
        2.160118892452852,
        2.618352883095146,
        -1.7071070329694806,
    ],
];

#[test]
fn resnet_18_and_resnet_50_give_the_logits_of_torchvision() {
    let device = Device::default();
    let (height, width) = (33, 40);
    let pixels: Vec<f64> = (0..2 * height * width * 3).map(|at| 4.0 * number(1000, at)).collect();
    let [(resnet_18, _), _, (resnet_50, _)] = torchvision();
    for (config, expected) in [resnet_18, resnet_50].into_iter().zip(LOGITS) {
        let mut init = ParameterInit::new(1, &device).with_precision(FloatDType::F64);
        let model = config.init([height, width, 3], 5, &mut init);
        let model = model.map(&mut Formula { tensors: 0, vectors: 0 });
        let images = TensorData::new(pixels.clone(), [2, height, width, 3]);
        let images = Tensor::from_data(images, (&device, FloatDType::F64.into()));
        let logits = model.head(model.features(images, None), None);
        let logits: Vec<f64> = logits.into_data().iter().collect();
        for (logit, expected) in logits.iter().zip(expected) {
            assert!((logit - expected).abs() < 1e-9, "{logits:?}");
        }
    }
}

/// The paths of all parameters.
fn paths(model: &Resnet) -> Vec<String> {
    #[derive(Default)]
    struct Paths(Vec<String>, Vec<String>);
    impl ModuleVisitor for Paths {
        fn enter_module(&mut self, name: &str, _container: &str) {
            self.1.push(name.to_owned());
        }
        fn exit_module(&mut self, _name: &str, _container: &str) {
            self.1.pop();
        }
        fn visit_float<const D: usize>(&mut self, _param: &Param<Tensor<D>>) {
            self.0.push(self.1.join("."));
        }
    }
    let mut paths = Paths::default();
    model.visit(&mut paths);
    paths.0
}

#[test]
fn saved_models_of_earlier_versions_have_the_same_names() {
    let config = ResnetConfig { channels: vec![2, 3], ..ResnetConfig::default() };
    let model = config.init([4, 4, 3], 2, &mut ParameterInit::new(1, &Device::default()));
    let convolution = |name: &str| {
        ["weight", "norm.gamma", "norm.beta", "norm.running_mean", "norm.running_var"]
            .map(|part| format!("{name}.{part}"))
    };
    let mut expected = convolution("stem").to_vec();
    for block in 0..4 {
        for part in ["first", "second"] {
            expected.extend(convolution(&format!("blocks.{block}.{part}")));
        }
        if block == 2 {
            expected.extend(convolution("blocks.2.shortcut"));
        }
    }
    expected.extend(["output.weight", "output.bias"].map(String::from));
    assert_eq!(paths(&model), expected);
}

#[test]
fn stochastic_depth_increases_linearly_up_to_the_last_block() {
    for config in variants() {
        let probabilities = config.blocks().into_iter().map(|block| block.drop_probability);
        for (number, probability) in (1..).zip(probabilities) {
            assert!(
                (probability - 0.1 * f64::from(number)).abs() < 1e-12,
                "{number}: {probability}"
            );
        }
    }
    let none = ResnetConfig::default().blocks();
    assert!(none.iter().all(|block| block.drop_probability == 0.0));
}

#[test]
fn a_dropped_example_keeps_its_shortcut_and_the_others_are_scaled() {
    let (device, count) = (Device::default(), 400);
    let config = BlockConfig {
        kind: BlockKind::Basic,
        inputs: 4,
        channels: 4,
        stride: 1,
        drop_probability: 0.25,
        stage: 1,
    };
    let block = config.init(&mut ParameterInit::new(1, &device));
    let image = [0.5_f32, -1.0, 2.0, 3.0];
    let images = || {
        let data = TensorData::new(image.repeat(count), [count, 1, 1, 4]);
        Tensor::<4>::from_data(data, &device)
    };
    let rng = |step| DropoutRng { seed: 1, step, micro_batch: 0 };
    let outputs = |rng: Option<&DropoutRng>, layer| {
        let values = block.forward(images(), rng, layer).into_data();
        let values: Vec<f32> = values.iter().collect();
        values.chunks(4).map(<[f32]>::to_vec).collect::<Vec<_>>()
    };
    let evaluated = &outputs(None, 1)[0];
    let dropped = image.map(|value| value.max(0.0));
    let inner = block.first.forward(images(), Epilogue::RELU);
    let residual = block.second.forward(inner, Epilogue::NONE).into_data();
    let residual: Vec<f32> = residual.iter().take(4).collect();
    let kept = |scale: f32| -> Vec<f32> {
        image.iter().zip(&residual).map(|(x, r)| (x + r * scale).max(0.0)).collect()
    };
    let is_close = |one: &[f32], other: &[f32]| {
        one.iter().zip(other).all(|(one, other)| (one - other).abs() < 1e-5)
    };
    assert!(is_close(evaluated, &kept(1.0)) && !is_close(evaluated, &dropped));
    let trained = outputs(Some(&rng(1)), 1);
    let is_dropped = |output: &Vec<f32>| is_close(output, &dropped);
    assert!(trained.iter().all(|output| is_dropped(output) || is_close(output, &kept(4.0 / 3.0))));
    let number = trained.iter().filter(|output| is_dropped(output)).count();
    assert!((70..130).contains(&number), "{number} of {count}");
    assert!(trained == outputs(Some(&rng(1)), 1));
    assert!(trained != outputs(Some(&rng(2)), 1) && trained != outputs(Some(&rng(1)), 2));
}

#[test]
fn the_number_of_blocks_is_one_number_or_one_per_stage() {
    let parse = |text: &str| toml::from_str::<ResnetConfig>(text).map(|config| config.blocks);
    assert_eq!(parse("blocks = 3").unwrap(), BlockCounts::Equal(3));
    assert_eq!(parse("blocks = [1, 2]").unwrap(), BlockCounts::PerStage(vec![1, 2]));
    let text = toml::to_string(&ResnetConfig::default()).unwrap();
    assert!(text.contains("blocks = 2\n"), "{text}");
}
