use super::*;
use burn::tensor::Device;

#[test]
fn each_block_outputs_the_shape_in_the_layer_summary() {
    let config = ResnetConfig { channels: vec![2, 3, 4], blocks: 2, ..Default::default() };
    let (shape, device) = ([9, 6, 3], Device::default());
    let model = config.init(shape, 6, &mut ParameterInit::new(1, &device));
    let layers = config.layers(shape, 6).unwrap();
    let output = |name: &str| &layers.iter().find(|layer| layer.name == name).unwrap().output;
    let images = Tensor::<4>::zeros([1, 9, 6, 3], &device);
    let mut images = model.stem.forward(images, Epilogue::RELU);
    assert_eq!(images.dims()[1..], *output("stem"));
    for (index, block) in model.blocks.iter().enumerate() {
        images = block.forward(images);
        assert_eq!(images.dims()[1..], *output(&format!("blocks.{index}.second")));
    }
    assert_eq!(*output("blocks.4.shortcut"), [3, 2, 4]);
}
