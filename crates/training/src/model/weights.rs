//! The weights of another model as the start of a new one.

use std::collections::{BTreeMap, BTreeSet};

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::store::ModuleRecord;
use burn::tensor::{Bytes, DType, Tensor, TensorData};
use burn_pack::{Reader, Writer};

use super::Classifier;

/// The tensors of a saved classifier by their names, for example `model.Cnn.output.weight`.
#[derive(Clone)]
pub struct Weights(BTreeMap<String, burn_pack::Tensor>);

/// What [`Weights::load_into`] has loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadedTensors {
    /// Number of tensors of the classifier that were loaded.
    pub loaded: usize,
    /// The others, which keep their initial values: name and shape.
    pub new: Vec<String>,
}

/// Prefix of the names of the model's tensors; the others are those of the normaliser.
const MODEL: &str = "model.";

impl Weights {
    /// Parses a file of weights in Burn's format.
    ///
    /// # Errors
    ///
    /// If it has another format or is cut.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, burn_pack::Error> {
        let tensors = Reader::from_bytes(Bytes::from_bytes_vec(bytes))?.into_tensors()?;
        Ok(Self(tensors.into_iter().map(|tensor| (tensor.name.clone(), tensor)).collect()))
    }

    /// SHA-256 of the tensors in hexadecimal, whatever else the file has.
    pub fn sha256(&self) -> Result<String, burn_pack::Error> {
        let tensors = self.0.values().cloned().collect();
        Ok(support::sha256(&Writer::new(tensors).into_bytes()?))
    }

    pub fn of(classifier: &Classifier) -> Result<Self, String> {
        let bytes = classifier.clone().into_record().into_bytes();
        let bytes = bytes.map_err(|error| error.to_string())?;
        Self::parse(bytes.to_vec()).map_err(|error| error.to_string())
    }

    /// Loads every tensor whose name and shape are those of a tensor of `classifier`. The last layer
    /// may have another shape, since it depends on the classes, and then keeps its initial weights.
    ///
    /// # Errors
    ///
    /// The first differences, if the other layers are not the same, or if nothing is.
    pub fn load_into(
        &self,
        classifier: Classifier,
    ) -> Result<(Classifier, LoadedTensors), Vec<String>> {
        let own = Self::of(&classifier).map_err(|error| vec![error])?;
        let last_layer = last_layer(&classifier);
        let names: BTreeSet<_> = own.0.keys().chain(self.0.keys()).collect();
        let (last, others): (Vec<_>, Vec<_>) = names
            .into_iter()
            .filter(|&name| own.shape(name) != self.shape(name))
            .partition(|name| name.starts_with(&last_layer));
        let mut found = Vec::new();
        for (name, tensor) in own.0.iter().filter(|(name, _)| !last.contains(name)) {
            let Some(mut saved) = self.0.get(name).cloned() else { continue };
            // Optimizers find their state by the id of the parameter.
            saved.param_id = tensor.param_id;
            found.push(saved);
        }
        let is_empty = !found.iter().any(|tensor| tensor.name.starts_with(MODEL));
        if !others.is_empty() || is_empty {
            let differing = if others.is_empty() { &last } else { &others };
            return Err(differing.iter().map(|name| self.difference(&own, name)).collect());
        }
        let new = last.iter().filter_map(|name| Some(format!("{name} {:?}", own.shape(name)?)));
        let tensors = LoadedTensors { loaded: found.len(), new: new.collect() };
        let classifier = load(classifier, found).map_err(|error| vec![error])?;
        Ok((classifier, tensors))
    }

    /// Shape and values of each tensor, by its name.
    pub fn values(&self) -> Result<BTreeMap<&str, TensorData>, burn_pack::Error> {
        let values = self.0.iter().map(|(name, tensor)| {
            let bytes = tensor.to_bytes()?;
            Ok((name.as_str(), TensorData::from_bytes(bytes, tensor.shape.clone(), tensor.dtype)))
        });
        values.collect()
    }

    /// The tensors of the normaliser alone.
    pub fn normalizer(&self) -> Self {
        let tensors = self.0.iter().filter(|(name, _)| !name.starts_with(MODEL));
        Self(tensors.map(|(name, tensor)| (name.clone(), tensor.clone())).collect())
    }

    /// Start of the names of the model's tensors, with the kind of the model: `model.Cnn.`.
    pub fn model_prefix(&self) -> String {
        let name = self.0.keys().find(|name| name.starts_with(MODEL));
        let parts = name.into_iter().flat_map(|name| name.split_inclusive('.'));
        parts.take(2).collect()
    }

    pub fn insert(&mut self, name: String, shape: Vec<usize>, values: &[f32]) {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let bytes = Bytes::from_bytes_vec(bytes);
        let tensor = burn_pack::Tensor::new(name.clone(), DType::F32, shape, None, bytes);
        self.0.insert(name, tensor);
    }

    fn shape(&self, name: &str) -> Option<Vec<usize>> {
        self.0.get(name).map(|tensor| tensor.shape.to_vec())
    }

    fn difference(&self, own: &Self, name: &str) -> String {
        let [model, file] = [own, self].map(|weights| {
            weights.shape(name).map_or("absent".to_owned(), |shape| format!("{shape:?}"))
        });
        format!("{name}: {model} in the model, {file} in the file")
    }
}

/// Loads `tensors`, whose names and shapes are those of tensors of `classifier`.
fn load(classifier: Classifier, tensors: Vec<burn_pack::Tensor>) -> Result<Classifier, String> {
    let bytes = Writer::new(tensors).into_bytes().map_err(|error| error.to_string())?;
    ModuleRecord::from_bytes(bytes)
        .and_then(|record| classifier.try_load_record(record.allow_partial(true)))
        .map_err(|error| error.to_string())
}

/// The path of the module with the last parameter, for example `model.Cnn.output.`.
fn last_layer(classifier: &Classifier) -> String {
    let parameters = parameter_ids(classifier);
    let module = parameters.last().and_then(|(path, _)| path.rsplit_once('.'));
    module.map(|(module, _)| format!("{module}.")).unwrap_or_default()
}

/// The path and the id of each parameter, in their order, for example `model.Cnn.output.weight`.
pub fn parameter_ids(classifier: &Classifier) -> Vec<(String, ParamId)> {
    #[derive(Default)]
    struct Ids {
        path: Vec<String>,
        ids: Vec<(String, ParamId)>,
    }
    impl ModuleVisitor for Ids {
        fn enter_module(&mut self, name: &str, _container: &str) {
            self.path.push(name.to_owned());
        }

        fn exit_module(&mut self, _name: &str, _container: &str) {
            self.path.pop();
        }

        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.ids.push((self.path.join("."), param.id));
        }
    }
    let mut visitor = Ids::default();
    classifier.visit(&mut visitor);
    visitor.ids
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, FloatDType};
    use data::Statistics;
    use models::{MlpConfig, ModelConfig};

    use super::*;
    use crate::model::{ClassifierConfig, ObjectiveConfig};

    /// A perceptron on 2 features with random weights, and inputs shifted by `seed`.
    fn classifier(hidden: &[usize], classes: usize, seed: u64) -> Classifier {
        let model = ModelConfig::Mlp(MlpConfig { hidden: hidden.to_vec(), ..MlpConfig::default() });
        let objective = ObjectiveConfig::default();
        let shape = [1, 1, 2];
        let config = ClassifierConfig {
            model: &model,
            objective: &objective,
            mirrored: false,
            seed,
            shape,
            classes,
        };
        let statistics = Statistics { shift: vec![seed as f32; 2], scale: vec![1.0; 2] };
        config.init(&statistics, FloatDType::F32, &Device::default()).unwrap()
    }

    fn bytes(weights: &Weights, name: &str) -> Vec<u8> {
        weights.0[name].to_bytes().unwrap().to_vec()
    }

    #[test]
    fn the_same_model_gets_all_weights_and_the_normalization() {
        let saved = Weights::of(&classifier(&[4], 3, 7)).unwrap();
        let (loaded, tensors) = saved.load_into(classifier(&[4], 3, 1)).unwrap();
        assert_eq!((tensors.loaded, tensors.new.len()), (saved.0.len(), 0));
        let loaded = Weights::of(&loaded).unwrap();
        for name in saved.0.keys() {
            assert_eq!(bytes(&loaded, name), bytes(&saved, name), "{name}");
        }
    }

    #[test]
    fn a_last_layer_with_other_outputs_keeps_its_initial_weights() {
        let saved = Weights::of(&classifier(&[4], 3, 7)).unwrap();
        let (loaded, tensors) = saved.load_into(classifier(&[4], 5, 1)).unwrap();
        assert_eq!(tensors.loaded, saved.0.len() - 2);
        assert!(tensors.new[0].ends_with("output.bias [5]"), "{tensors:?}");
        assert!(tensors.new[1].ends_with("output.weight [4, 5]"), "{tensors:?}");
        let (loaded, fresh) =
            (Weights::of(&loaded).unwrap(), Weights::of(&classifier(&[4], 5, 1)).unwrap());
        for name in fresh.0.keys() {
            let expected = if name.contains("output") { &fresh } else { &saved };
            assert_eq!(bytes(&loaded, name), bytes(expected, name), "{name}");
            assert_eq!(loaded.0[name].param_id, fresh.0[name].param_id, "{name}");
        }
    }

    #[test]
    fn another_architecture_is_refused_with_the_differences() {
        let saved = Weights::of(&classifier(&[4], 3, 7)).unwrap();
        let wider = saved.load_into(classifier(&[6], 3, 1)).unwrap_err();
        let expected = "linear.weight: [2, 6] in the model, [2, 4] in the file";
        assert!(wider.iter().any(|difference| difference.contains(expected)), "{wider:?}");
        let deeper = saved.load_into(classifier(&[4, 4], 3, 1)).unwrap_err();
        assert!(deeper.iter().any(|it| it.contains("absent in the file")), "{deeper:?}");
        let shallower = saved.load_into(classifier(&[], 3, 1)).unwrap_err();
        assert!(shallower.iter().any(|it| it.contains("absent in the model")), "{shallower:?}");
    }

    #[test]
    fn a_model_that_is_only_a_last_layer_of_another_shape_is_refused() {
        let saved = Weights::of(&classifier(&[], 3, 7)).unwrap();
        assert_eq!(saved.load_into(classifier(&[], 5, 1)).unwrap_err().len(), 2);
        assert!(saved.load_into(classifier(&[], 3, 1)).is_ok());
    }

    #[test]
    fn a_file_in_another_format_is_refused() {
        for bytes in [&b""[..], b"PK\x03\x04 a zip file", &[0; 100]] {
            assert!(Weights::parse(bytes.to_vec()).is_err());
        }
    }
}
