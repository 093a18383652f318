//! Models of other crates: `[model.<name>]` beside the built-in ones.

use std::collections::BTreeMap;
use std::fmt::{self, Debug};
use std::sync::{Arc, Mutex, PoisonError};

use burn::module::{Module, ModuleMapper, Param, ParamId};
use burn::tensor::{Device, FloatDType, Tensor};
use config::Check;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};
use toml::Table;

use crate::custom_model::CustomModel;
use crate::erased::BoxedModel;
use crate::layer::{Layer, Operation};
use crate::parameter_init::ParameterInit;

/// Custom models by name.
#[derive(Clone, Default)]
pub struct ModelRegistry(BTreeMap<&'static str, Definition>);

/// The config of a custom model, `[model.<name>]`.
#[derive(Clone)]
pub struct CustomModelConfig {
    name: String,
    values: Table,
    /// `None` if the model is not registered.
    instance: Option<Arc<dyn Instance>>,
}

/// The error of a config whose model is not registered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this program has no model `{name}`\n  use the program that the config was written for")]
pub struct UnknownModel {
    /// Its name.
    pub name: String,
}

/// A [`CustomModel`] type.
#[derive(Clone, Copy)]
struct Definition {
    schema: fn(&mut SchemaGenerator) -> Schema,
    parse: fn(Table) -> Result<Arc<dyn Instance>, toml::de::Error>,
}

/// The config of a [`CustomModel`] behind a pointer.
trait Instance: Send + Sync {
    fn definition(&self) -> (&'static str, Definition);
    fn values(&self) -> Result<Table, String>;
    fn init(&self, shape: [usize; 3], outputs: usize, init: &mut ParameterInit) -> BoxedModel;
    fn layers(&self, shape: [usize; 3], outputs: usize) -> Option<Vec<Layer>>;
    fn check(&self, check: &mut Check);
    fn incompatibility(&self, shape: [usize; 3]) -> Option<String>;
}

struct TypedInstance<M: CustomModel>(M::Config);

impl Definition {
    const fn of<M: CustomModel>() -> Self {
        Self {
            schema: M::Config::json_schema,
            parse: |values| Ok(Arc::new(TypedInstance::<M>(values.try_into()?))),
        }
    }
}

impl<M: CustomModel> Instance for TypedInstance<M> {
    fn definition(&self) -> (&'static str, Definition) {
        (M::NAME, Definition::of::<M>())
    }

    fn values(&self) -> Result<Table, String> {
        Table::try_from(&self.0).map_err(|error| error.to_string())
    }

    fn init(&self, shape: [usize; 3], outputs: usize, init: &mut ParameterInit) -> BoxedModel {
        BoxedModel::new(seeded(init, |init| M::init(&self.0, shape, outputs, init)))
    }

    fn layers(&self, shape: [usize; 3], outputs: usize) -> Option<Vec<Layer>> {
        M::layers(&self.0, shape, outputs)
    }

    fn check(&self, check: &mut Check) {
        M::check(&self.0, check);
    }

    fn incompatibility(&self, shape: [usize; 3]) -> Option<String> {
        M::incompatibility(&self.0, shape)
    }
}

impl ModelRegistry {
    /// A registry without custom models.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a model.
    #[must_use]
    pub fn with<M: CustomModel>(mut self) -> Self {
        self.0.insert(M::NAME, Definition::of::<M>());
        self
    }

    /// Names of the models.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.keys().copied()
    }

    /// JSON Schema of the config of each model.
    pub fn schemas<'a>(
        &'a self,
        generator: &'a mut SchemaGenerator,
    ) -> impl Iterator<Item = (&'static str, Schema)> + 'a {
        self.0.iter().map(|(&name, definition)| (name, (definition.schema)(generator)))
    }

    /// Parses the config of a registered model.
    ///
    /// # Errors
    ///
    /// If a key is unknown or missing, or has the wrong type. A model that is not registered is no
    /// error here.
    pub fn resolve(&self, config: &CustomModelConfig) -> Result<CustomModelConfig, String> {
        let Some(definition) = self.0.get(config.name.as_str()) else { return Ok(config.clone()) };
        let instance = (definition.parse)(config.values.clone())
            .map_err(|error| error.message().to_owned())?;
        let values = instance.values()?;
        Ok(CustomModelConfig { name: config.name.clone(), values, instance: Some(instance) })
    }
}

impl CustomModelConfig {
    pub(crate) fn unresolved(name: String, values: Table) -> Self {
        Self { name, values, instance: None }
    }

    /// Name of the model.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns true if the model is registered.
    pub fn is_registered(&self) -> bool {
        self.instance.is_some()
    }

    /// A registry with this model, if it is registered.
    pub fn registry(&self) -> ModelRegistry {
        ModelRegistry(self.instance.iter().map(|instance| instance.definition()).collect())
    }

    /// Creates the model with initial parameters.
    ///
    /// # Errors
    ///
    /// If it is not registered.
    pub fn init(
        &self,
        shape: [usize; 3],
        outputs: usize,
        init: &mut ParameterInit,
    ) -> Result<BoxedModel, UnknownModel> {
        match &self.instance {
            Some(instance) => Ok(instance.init(shape, outputs, init)),
            None => Err(UnknownModel { name: self.name.clone() }),
        }
    }

    /// Describes the layers; `None` if the model is unknown or a number overflows.
    pub fn layers(&self, shape: [usize; 3], outputs: usize) -> Option<Vec<Layer>> {
        let instance = self.instance.as_ref()?;
        if let Some(layers) = instance.layers(shape, outputs) {
            return Some(layers);
        }
        let device = Device::default();
        let model = instance.init(shape, outputs, &mut ParameterInit::new(0, &device));
        let operation = Operation::Custom { parameters: model.num_params() };
        Some(vec![Layer::new(self.name.as_str(), operation, vec![outputs])])
    }

    /// Records invalid values.
    pub fn check(&self, check: &mut Check) {
        if let Some(instance) = &self.instance {
            check.table(&self.name, |check| instance.check(check));
        }
    }

    pub(crate) fn incompatibility(&self, shape: [usize; 3]) -> Option<String> {
        self.instance.as_ref()?.incompatibility(shape)
    }
}

impl Debug for CustomModelConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple(&self.name).field(&self.values).finish()
    }
}

impl Debug for ModelRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

impl PartialEq for CustomModelConfig {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, &self.values) == (&other.name, &other.values)
    }
}

impl Serialize for CustomModelConfig {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map([(&self.name, &self.values)])
    }
}

/// Guards the random number generator of a backend, which is global to the process.
static BACKEND_RNG: Mutex<()> = Mutex::new(());

/// Creates a model with the generator of the backend seeded, numbers its parameters in their order,
/// since Burn's ids are random, and converts them to the precision of `init`.
fn seeded<M: Module>(init: &mut ParameterInit, create: impl FnOnce(&mut ParameterInit) -> M) -> M {
    let _guard = BACKEND_RNG.lock().unwrap_or_else(PoisonError::into_inner);
    init.device().seed(init.seed());
    let model = create(init);
    model.map(&mut Normalize { next_id: FIRST_ID, precision: init.precision() })
}

/// Ids below are those of parameters created by [`ParameterInit`].
const FIRST_ID: u64 = 1 << 32;

struct Normalize {
    next_id: u64,
    precision: FloatDType,
}

impl ModuleMapper for Normalize {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (id, mut tensor, mapper) = param.consume();
        if tensor.dtype() != self.precision.into() {
            // From data, since a cast tensor is no leaf of the autodiff graph.
            let (device, requires_grad) = (tensor.device(), tensor.is_require_grad());
            let data = tensor.without_autodiff().into_data();
            tensor = Tensor::from_data(data, (&device, self.precision.into()));
            tensor = tensor.set_require_grad(requires_grad);
        }
        self.next_id += 1;
        let id = if id.val() < FIRST_ID { id } else { ParamId::from(self.next_id) };
        Param::from_mapped_value(id, tensor, mapper)
    }
}
