use std::collections::BTreeSet;

use data::Fit;
use models::{
    CnnConfig, EfficientNetLiteConfig, Layer, MlpConfig, ModelConfig, Operation, ResnetConfig,
    StemReduction,
};
use prost::Message;
use safetensors::SafeTensors;

use super::*;

/// A model on images of 9x12 with tensors of ascending numbers.
fn portable(config: &ModelConfig) -> PortableModel {
    let shape = [9, 12, 3];
    let layers = config.layers(shape, 4).unwrap();
    let tensors = layers.iter().flat_map(Layer::operations).flat_map(Operation::tensors);
    let tensors = tensors.map(|(name, shape)| {
        let values = (0..shape.iter().product()).map(|number: usize| number as f32).collect();
        (name, Tensor { shape, values })
    });
    let tensors = tensors.collect();
    PortableModel {
        name: "model".to_owned(),
        layers,
        tensors,
        shift: vec![0.0; 3],
        scale: vec![1.0; 3],
        shape,
        fit: Some(Fit::Crop),
        classes: ["a", "b", "\u{e9}\"", "d"].map(str::to_owned).to_vec(),
        outputs: 4,
        mirrored: true,
        temperature: 1.5,
    }
}

fn every_kind() -> [PortableModel; 5] {
    let cnn = CnnConfig { channels: vec![4], batch_norm: false, ..CnnConfig::default() };
    let resnet = ResnetConfig {
        channels: vec![4, 5],
        stem_reduction: StemReduction::Pooled,
        ..ResnetConfig::default()
    };
    [
        ModelConfig::Mlp(MlpConfig { hidden: vec![], ..MlpConfig::default() }),
        ModelConfig::EfficientNetLite(EfficientNetLiteConfig::default()),
        ModelConfig::Mlp(MlpConfig::default()),
        ModelConfig::Cnn(cnn),
        ModelConfig::Resnet(resnet),
    ]
    .map(|config| portable(&config))
}

fn decoded(bytes: &[u8]) -> onnx::proto::Model {
    onnx::proto::Model::decode(bytes).unwrap()
}

#[test]
fn every_node_has_a_name_of_its_own_and_takes_what_comes_before_it() {
    for model in every_kind() {
        let graph = decoded(&onnx::to_bytes(&model).unwrap()).graph.unwrap();
        let constants = graph.initializer.iter().map(|tensor| tensor.name.clone());
        let inputs = graph.input.iter().map(|input| input.name.clone());
        let mut known: BTreeSet<_> = constants.chain(inputs).collect();
        assert_eq!(known.len(), graph.initializer.len() + 1);
        for node in &graph.node {
            assert!(node.input.iter().all(|input| known.contains(input)), "{node:?}");
            assert!(known.insert(node.name.clone()), "{node:?}");
        }
        assert!(graph.output.iter().all(|output| known.contains(&output.name)));
    }
}

#[test]
fn a_file_has_the_classes_and_how_images_are_resized() {
    let [model, ..] = every_kind();
    let entries = decoded(&onnx::to_bytes(&model).unwrap()).metadata_props;
    let entry = |key: &str| &entries.iter().find(|entry| entry.key == key).unwrap().value;
    assert_eq!(entry("classes"), r#"["a","b","é\"","d"]"#);
    assert_eq!((entry("fit").as_str(), entry("channels").as_str()), ("crop", "RGB"));
}

#[test]
fn exports_of_the_same_model_are_equal() {
    for model in every_kind() {
        let all = |model| {
            let tensors = pytorch::tensors(model).unwrap();
            (onnx::to_bytes(model).unwrap(), tensors, pytorch::source(model).unwrap())
        };
        assert!(all(&model) == all(&model.clone()));
    }
}

#[test]
fn pytorch_has_its_own_names_and_layouts() {
    let [_, lite, perceptron, _, resnet] = every_kind();
    let bytes = pytorch::tensors(&perceptron).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let weight = tensors.tensor("output.weight").unwrap();
    assert_eq!(weight.shape(), [4, 128]);
    // The second input of the first unit was the fifth number.
    assert_eq!(weight.data()[4..8], 4.0_f32.to_le_bytes());
    let bytes = pytorch::tensors(&resnet).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(tensors.tensor("blocks_0_first_norm.weight").unwrap().shape(), [4]);
    assert_eq!(tensors.tensor("shift").unwrap().shape(), [3]);
    let source = pytorch::source(&lite).unwrap();
    for line in [
        "        self.blocks_1_depthwise = nn.Conv2d(96, 96, 3, 2, groups=96, bias=False)\n",
        "        x = F.relu6(self.blocks_1_depthwise_norm(self.blocks_1_depthwise(F.pad(x, (0, 1, 1, 1)))))\n",
    ] {
        assert!(source.contains(line), "{line}{source}");
    }
    let source = pytorch::source(&resnet).unwrap();
    for line in [
        "        self.stem = nn.Conv2d(3, 4, 7, 2, 3, bias=False)\n",
        "        x = F.relu(self.stem_norm(self.stem(x.permute(0, 3, 1, 2))))\n",
        "        x = F.relu(self.blocks_2_second_norm(self.blocks_2_second(x)) + blocks_2_shortcut)\n",
        "CLASSES = [\"a\",\"b\",\"\u{e9}\\\"\",\"d\"]\n",
    ] {
        assert!(source.contains(line), "{line}{source}");
    }
}

#[test]
fn unknown_layers_and_tensors_that_do_not_fit_are_errors() {
    let [mut model, ..] = every_kind();
    model.tensors.get_mut("output.bias").unwrap().shape = vec![3];
    let error = onnx::to_bytes(&model).unwrap_err().to_string();
    assert!(error.ends_with("output.bias [4] is [3]"), "{error}");
    model.tensors.remove("output.bias");
    let error = pytorch::tensors(&model).unwrap_err().to_string();
    assert!(error.ends_with("output.bias [4] is missing"), "{error}");
    let operation = Operation::Custom { parameters: 7 };
    model.layers = vec![Layer::new("vit", operation, vec![4])];
    let error = onnx::to_bytes(&model).unwrap_err().to_string();
    assert!(error.contains("implement `CustomModel::layers`"), "{error}");
    let error = pytorch::source(&model).unwrap_err().to_string();
    assert!(error.contains("`vit`"), "{error}");
}

#[test]
fn pages_refer_only_to_their_own_files() {
    let [model, ..] = every_kind();
    let exported = web::files(&model).unwrap();
    let routes = |page: &[web::PageFile]| page.iter().map(|file| file.path).collect::<Vec<_>>();
    let runtime = web::RUNTIME.map(|(_, path)| path);
    let served = web::served_page();
    for (page, others) in [(&exported, runtime.as_slice()), (&served, &["models.json"])] {
        let known = [routes(page).as_slice(), others].concat();
        for file in
            page.iter().filter(|file| file.path.ends_with("js") || file.path.ends_with("html"))
        {
            let text = std::str::from_utf8(&file.bytes).unwrap();
            for start in ["href=\"", "src=\"", "\"./", "fetch(\"", "bytes(\""] {
                for reference in text.split(start).skip(1) {
                    let path = reference.split('"').next().unwrap();
                    assert!(known.contains(&path), "{}: {path}", file.path);
                }
            }
        }
    }
    let page =
        |files: &[web::PageFile]| files.iter().find(|file| file.path == "index.html").cloned();
    assert_eq!(page(&exported), page(&served));
}
