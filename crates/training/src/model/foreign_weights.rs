//! Weights that PyTorch wrote, as safetensors or by `torch.save`.

use std::collections::BTreeMap;
use std::path::Path;

use burn::tensor::{Bytes, DType, TensorData};
use export::Tensor;
use export::pytorch::{TensorName, names, own_module};
use models::{Layer, Library, ModelConfig};
use pytorch_reader::PytorchReader;
use safetensors::{Dtype, SafeTensors};

use super::Weights;

/// Start of a file in Burn's format.
const BURN: &[u8] = b"NRUB";

/// Modules around a model in files that have more than its weights.
const WRAPPERS: [&str; 4] = ["state_dict.", "model.", "module.", "backbone."];

/// The tensors of a file of PyTorch by their names there.
pub struct ForeignWeights(BTreeMap<String, Tensor>);

impl ForeignWeights {
    /// Parses the file at `path`, which has these `bytes`: safetensors, or of `torch.save`. `None` for a
    /// file in Burn's format.
    ///
    /// # Errors
    ///
    /// The reason why it is none of these, or damaged.
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Option<Self>, String> {
        if bytes.starts_with(BURN) {
            return Ok(None);
        }
        let tensors = if bytes.get(8) == Some(&b'{') { safetensors(bytes) } else { pytorch(path) };
        let mut tensors = tensors?;
        while let Some(wrapper) = WRAPPERS.into_iter().find(|wrapper| {
            !tensors.is_empty() && tensors.keys().all(|name| name.starts_with(wrapper))
        }) {
            let unwrapped = tensors.into_iter();
            let unwrapped = unwrapped.map(|(name, tensor)| (name.replacen(wrapper, "", 1), tensor));
            tensors = unwrapped.collect();
        }
        Ok(Some(Self(tensors)))
    }

    /// Whether the inputs are normalised by tensors of the file, as in exports of this program.
    pub fn have_normalizer(&self) -> bool {
        self.0.contains_key("shift") && self.0.contains_key("scale")
    }

    /// The weights under the names of `own`, those of a classifier with this `model` of these
    /// `layers`. Tensors that it does not have keep their names. Files of other libraries have no
    /// normaliser: that of `own` is kept.
    pub fn named_as(self, own: &Weights, model: &ModelConfig, layers: &[Layer]) -> Weights {
        let of_library = |library| names(layers, |path| model.module_in(library, path));
        let layouts = Library::ALL.into_iter().map(of_library).chain([names(layers, own_module)]);
        let known = |names: &Vec<TensorName>| {
            names.iter().filter(|tensor| self.0.contains_key(&tensor.name)).count()
        };
        let layout = layouts.max_by_key(known).unwrap_or_default();
        let mut layout: BTreeMap<String, TensorName> =
            layout.into_iter().map(|tensor| (tensor.name.clone(), tensor)).collect();
        let mut weights = own.normalizer();
        let prefix = own.model_prefix();
        for (name, tensor) in self.0 {
            let (name, tensor) = match layout.remove(&name) {
                Some(TensorName { path, is_transposed, .. }) => {
                    let tensor = if is_transposed { tensor.transposed() } else { tensor };
                    (format!("{prefix}{path}"), tensor)
                }
                None if name == "shift" || name == "scale" => {
                    (format!("normalizer.{name}"), tensor)
                }
                None => (name, tensor),
            };
            weights.insert(name, tensor.shape, &tensor.values);
        }
        weights
    }
}

fn safetensors(bytes: &[u8]) -> Result<BTreeMap<String, Tensor>, String> {
    let file = SafeTensors::deserialize(bytes).map_err(|error| error.to_string())?;
    let tensors = file.iter().filter_map(|(name, view)| {
        let dtype = match view.dtype() {
            Dtype::F64 => DType::F64,
            Dtype::F32 => DType::F32,
            Dtype::F16 => DType::F16,
            Dtype::BF16 => DType::BF16,
            _ => return None,
        };
        Some((name.to_owned(), tensor(view.data().to_vec(), view.shape(), dtype)))
    });
    Ok(tensors.collect())
}

fn pytorch(path: &Path) -> Result<BTreeMap<String, Tensor>, String> {
    let file = PytorchReader::new(path).map_err(|error| error.to_string())?;
    let mut tensors = BTreeMap::new();
    for (name, found) in file.tensors() {
        let dtype = match found.dtype() {
            pytorch_reader::DType::F64 => DType::F64,
            pytorch_reader::DType::F32 => DType::F32,
            pytorch_reader::DType::F16 => DType::F16,
            pytorch_reader::DType::BF16 => DType::BF16,
            _ => continue,
        };
        let bytes = found.read().map_err(|error| error.to_string())?;
        tensors.insert(name.clone(), tensor(bytes, found.shape(), dtype));
    }
    Ok(tensors)
}

/// A tensor from its bytes. Integers, such as the counters of PyTorch's batch norms, are no weights.
fn tensor(bytes: Vec<u8>, shape: &[usize], dtype: DType) -> Tensor {
    let data = TensorData::from_bytes(Bytes::from_bytes_vec(bytes), shape.to_vec(), dtype);
    Tensor { shape: shape.to_vec(), values: data.iter::<f32>().collect() }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, FloatDType};
    use data::Statistics;
    use models::{BlockKind, ResnetConfig, StemReduction};
    use safetensors::serialize;
    use safetensors::tensor::TensorView;

    use super::*;
    use crate::model::{Classifier, ClassifierConfig, ObjectiveConfig};

    const SHAPE: [usize; 3] = [32, 32, 3];

    fn model() -> ModelConfig {
        ModelConfig::Resnet(ResnetConfig {
            channels: vec![4, 6],
            block: BlockKind::Bottleneck,
            stem_reduction: StemReduction::Pooled,
            ..ResnetConfig::default()
        })
    }

    fn classifier(seed: u64) -> Classifier {
        let (model, objective) = (model(), ObjectiveConfig::default());
        let (mirrored, classes, shape) = (false, 3, SHAPE);
        let config = ClassifierConfig {
            model: &model,
            objective: &objective,
            mirrored,
            seed,
            shape,
            classes,
        };
        let statistics = Statistics { shift: vec![seed as f32; 3], scale: vec![2.0; 3] };
        config.init(&statistics, FloatDType::F32, &Device::default()).unwrap()
    }

    /// The weights of `classifier` as torchvision would save them, below `prefix`, in safetensors.
    fn saved(classifier: &Classifier, prefix: &str) -> Vec<u8> {
        let (weights, model) = (Weights::of(classifier).unwrap(), model());
        let layers = model.layers(SHAPE, 3).unwrap();
        let values = weights.values().unwrap();
        let tensors =
            names(&layers, |path| model.module_in(Library::Torchvision, path)).into_iter();
        let tensors = tensors.map(|TensorName { path, name, shape, is_transposed }| {
            let values = values[&*format!("model.Resnet.{path}")].iter::<f32>().collect();
            let tensor = Tensor { shape, values };
            let tensor = if is_transposed { tensor.transposed() } else { tensor };
            let bytes = tensor.values.iter().flat_map(|value| value.to_le_bytes()).collect();
            (format!("{prefix}{name}"), tensor.shape, bytes)
        });
        let mut tensors: Vec<(String, Vec<usize>, Vec<u8>)> = tensors.collect();
        tensors.sort();
        let views = tensors.iter().map(|(name, shape, bytes)| {
            (name, TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap())
        });
        serialize(views, None).unwrap()
    }

    fn loaded(bytes: &[u8]) -> Weights {
        let foreign = ForeignWeights::parse(Path::new(""), bytes).unwrap().unwrap();
        assert!(!foreign.have_normalizer());
        let own = Weights::of(&classifier(9)).unwrap();
        foreign.named_as(&own, &model(), &model().layers(SHAPE, 3).unwrap())
    }

    #[test]
    fn weights_of_torchvision_are_loaded_and_the_normalizer_stays() {
        let trained = classifier(1);
        for prefix in ["", "module.", "state_dict.model."] {
            let (loaded, tensors) =
                loaded(&saved(&trained, prefix)).load_into(classifier(9)).unwrap();
            assert_eq!(tensors.new, [""; 0]);
            let [expected, own, found] =
                [&trained, &classifier(9), &loaded].map(|one| Weights::of(one).unwrap());
            for (name, values) in found.values().unwrap() {
                let of = if name.starts_with("normalizer") { &own } else { &expected };
                assert_eq!(values, of.values().unwrap()[name], "{name}");
            }
        }
    }

    #[test]
    fn unknown_tensors_are_named() {
        let differences = loaded(&saved(&classifier(1), "encoder.")).load_into(classifier(9));
        let differences = differences.err().unwrap().join("\n");
        assert!(
            differences.contains("encoder.conv1.weight: absent in the model, [4, 3, 7, 7]"),
            "{differences}"
        );
    }

    #[test]
    fn names_of_torchvision_are_those_of_its_blocks() {
        let names = [
            ("stem.norm", "bn1"),
            ("blocks.1.third", "layer1.1.conv3"),
            ("blocks.2.shortcut", "layer2.0.downsample.0"),
            ("blocks.2.shortcut.norm", "layer2.0.downsample.1"),
            ("blocks.3.first.norm", "layer2.1.bn1"),
            ("output", "fc"),
        ];
        for (path, name) in names {
            assert_eq!(model().module_in(Library::Torchvision, path).as_deref(), Some(name));
        }
    }

    #[test]
    fn other_files_are_no_weights() {
        for bytes in [&b""[..], b"PK\x03\x04", b"12345678{}", b"\x80\x02}q\x00.", b"\xff\xd8\xff"] {
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), bytes).unwrap();
            let parsed = ForeignWeights::parse(file.path(), bytes);
            assert!(
                parsed.map_or(true, |found| found.is_some_and(|found| found.0.is_empty())),
                "{bytes:?}"
            );
        }
    }
}
