//! Weights, gradients and running statistics as rows of numbers, in the order in which the model
//! visits its tensors.

use std::collections::HashSet;
use std::mem;

use burn::backend::Flex;
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{Bytes, DType, Device, Tensor, TensorData};
use serde::{Deserialize, Serialize};

use super::part::Part;
use crate::model::Classifier;

/// The running statistics with which a part is computed. A step moves each of them from `r` to
/// `decay * r + increment`: zeros give the increment, and `SCALE` gives `decay`, exactly, because the
/// increment is too small to change it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum RunningStatistics {
    Zero,
    Scale,
}

/// 2^100: multiplication by it is exact.
const SCALE: f32 = (1_u128 << 100) as f32;

impl RunningStatistics {
    fn value(self) -> f32 {
        match self {
            Self::Zero => 0.0,
            Self::Scale => SCALE,
        }
    }
}

/// The ids of the running statistics of a model, which no optimizer changes.
fn statistics_of(classifier: &Classifier) -> HashSet<ParamId> {
    #[derive(Default)]
    struct Statistics {
        ids: HashSet<ParamId>,
        /// Whether each field on the way to the current tensor is one.
        path: Vec<bool>,
    }
    impl ModuleVisitor for Statistics {
        fn enter_module(&mut self, name: &str, container: &str) {
            let is_statistic = name == "running_mean" || name == "running_var";
            self.path.push(is_statistic && container.ends_with("BatchNorm"));
        }

        fn exit_module(&mut self, _name: &str, _container: &str) {
            self.path.pop();
        }

        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if self.path.last() == Some(&true) {
                self.ids.insert(param.id);
            }
        }
    }
    let mut statistics = Statistics::default();
    classifier.visit(&mut statistics);
    statistics.ids
}

/// Writes all tensors of a model but its running statistics, one after another, to `values`, which
/// keeps its memory.
pub fn pack_weights(classifier: &Classifier, values: &mut Vec<f32>) {
    values.clear();
    let mut packed = Packed::of(classifier, mem::take(values));
    classifier.visit(&mut packed);
    *values = packed.values;
}

/// The numbers of a model.
#[derive(Default)]
struct Packed<'a> {
    statistic_ids: HashSet<ParamId>,
    /// Packed instead of the weights: after 1 if there is one, 0 if there is none.
    gradients: Option<&'a GradientsParams>,
    values: Vec<f32>,
    statistics: Vec<f32>,
}

impl Packed<'_> {
    /// Packs `classifier` into this memory, when it visits it.
    fn of(classifier: &Classifier, values: Vec<f32>) -> Self {
        Self { statistic_ids: statistics_of(classifier), values, ..Self::default() }
    }
}

impl ModuleVisitor for Packed<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if self.statistic_ids.contains(&param.id) {
            return extend(&mut self.statistics, param.val());
        }
        let Some(gradients) = self.gradients else { return extend(&mut self.values, param.val()) };
        let gradient = gradients.get::<D>(param.id);
        self.values.push(flag(gradient.is_some()));
        if let Some(gradient) = gradient {
            extend(&mut self.values, gradient);
        }
    }
}

fn extend<const D: usize>(values: &mut Vec<f32>, tensor: Tensor<D>) {
    let tensor = tensor.without_autodiff();
    // `into_data` copies a tensor that is used elsewhere, as all of these are.
    let flex = tensor.clone().try_into_primitive::<Flex>().ok();
    let shared = flex.as_ref().and_then(|tensor| {
        let (start, end) = tensor.layout().contiguous_offsets()?;
        tensor.storage::<f32>().get(start..end)
    });
    match shared {
        Some(shared) => values.extend_from_slice(shared),
        None => values.extend_from_slice(tensor.into_data().as_slice().unwrap_or_default()),
    }
}

fn flag(is_set: bool) -> f32 {
    f32::from(u8::from(is_set))
}

/// Numbers from which tensors are taken, in order, without a copy.
struct Numbers {
    bytes: Bytes,
    /// Bytes taken so far.
    taken: usize,
}

impl Numbers {
    fn new(values: Vec<f32>) -> Self {
        Self { bytes: Bytes::from_elems(values).shared(), taken: 0 }
    }

    /// Number of numbers that are left.
    fn len(&self) -> usize {
        (self.bytes.len() - self.taken) / size_of::<f32>()
    }

    fn take<const D: usize>(&mut self, dims: [usize; D]) -> Option<TensorData> {
        let end = self.taken + dims.iter().product::<usize>() * size_of::<f32>();
        let bytes = self.bytes.view(self.taken, end).ok()?;
        self.taken = end;
        Some(TensorData::from_bytes(bytes, dims, DType::F32))
    }

    fn take_vec(&mut self, length: usize) -> Option<Vec<f32>> {
        self.take([length])?.try_into_vec().ok()
    }
}

/// The model, without autodiff, with these [packed](pack_weights) weights and running statistics; `None` if they are
/// those of another model.
pub fn load(
    classifier: Classifier,
    weights: Vec<f32>,
    statistics: RunningStatistics,
) -> Option<Classifier> {
    let statistic_ids = statistics_of(&classifier);
    let weights = Numbers::new(weights);
    let mut load = Load { statistic_ids, weights, statistics, fits: true };
    let classifier = classifier.map(&mut load);
    (load.fits && load.weights.len() == 0).then_some(classifier)
}

struct Load {
    statistic_ids: HashSet<ParamId>,
    weights: Numbers,
    statistics: RunningStatistics,
    fits: bool,
}

impl ModuleMapper for Load {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let is_statistic = self.statistic_ids.contains(&param.id);
        param.map(|tensor| {
            if is_statistic {
                return tensor.full_like(self.statistics.value());
            }
            let Some(loaded) = self.weights.take(tensor.dims()) else {
                self.fits = false;
                return tensor;
            };
            Tensor::from_data(loaded, &tensor.device())
        })
    }
}

/// A part as numbers: the gradients, each after 1, or 0 for a weight without one; the running
/// statistics; 1 if all inputs are finite, otherwise 0; the logits.
#[derive(Debug, Clone, PartialEq)]
pub struct PackedPart(pub Vec<f32>);

/// A part without its labels.
pub struct UnpackedPart {
    pub gradients: GradientsParams,
    /// Shape `[count, outputs]`.
    pub logits: Tensor<2>,
    pub are_inputs_finite: bool,
    /// The running statistics.
    pub statistics: Vec<f32>,
}

impl PackedPart {
    /// The `part` that was computed by `classifier`, in the memory of `values`.
    pub fn new(classifier: &Classifier, part: Part, mut values: Vec<f32>) -> Self {
        values.clear();
        let mut packed =
            Packed { gradients: Some(&part.gradients), ..Packed::of(classifier, values) };
        // `valid` folds the batch statistics into the running statistics.
        classifier.valid().visit(&mut packed);
        let mut numbers = packed.values;
        numbers.extend(packed.statistics);
        numbers.push(flag(part.inputs.are_finite()));
        extend(&mut numbers, part.logits);
        Self(numbers)
    }

    /// Whether all numbers have the same bits.
    pub fn has_bits_of(&self, other: &Self) -> bool {
        let bits = |number: &f32| number.to_bits();
        self.0.iter().map(bits).eq(other.0.iter().map(bits))
    }

    /// The part of `classifier`, with `count` examples; `None` if it is one of another model.
    pub fn unpack(self, classifier: &Classifier, count: usize) -> Option<UnpackedPart> {
        let mut unpack = Unpack {
            statistic_ids: statistics_of(classifier),
            values: Numbers::new(self.0),
            gradients: GradientsParams::new(),
            statistics: 0,
            device: None,
            fits: true,
        };
        classifier.visit(&mut unpack);
        let mut values = unpack.values;
        let statistics = values.take_vec(unpack.statistics)?;
        let are_inputs_finite = values.take_vec(1)? == [1.0];
        let outputs = values.len() / count;
        let logits = values.take([count, outputs])?;
        let device = unpack.device.filter(|_| unpack.fits && values.len() == 0)?;
        Some(UnpackedPart {
            gradients: unpack.gradients,
            logits: Tensor::from_data(logits, &device),
            are_inputs_finite,
            statistics,
        })
    }
}

struct Unpack {
    statistic_ids: HashSet<ParamId>,
    values: Numbers,
    gradients: GradientsParams,
    /// Number of running statistics so far.
    statistics: usize,
    device: Option<Device>,
    fits: bool,
}

impl Unpack {
    /// The gradient of a weight; an error if there is neither one nor the mark of its absence.
    fn gradient<const D: usize>(
        &mut self,
        dims: [usize; D],
        device: &Device,
    ) -> Result<Option<Tensor<D>>, ()> {
        if self.values.take_vec(1).ok_or(())? == [0.0] {
            return Ok(None);
        }
        let gradient = self.values.take(dims).ok_or(())?;
        Ok(Some(Tensor::from_data(gradient, device)))
    }
}

impl ModuleVisitor for Unpack {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let dims = param.dims();
        if self.statistic_ids.contains(&param.id) {
            self.statistics += dims.iter().product::<usize>();
            return;
        }
        let device = param.val().device().inner();
        match self.gradient(dims, &device) {
            Ok(Some(gradient)) => self.gradients.register(param.id, gradient),
            Ok(None) => {}
            Err(()) => self.fits = false,
        }
        self.device = Some(device);
    }
}

/// The decay of each running statistic, from those of a part that was computed with
/// [`RunningStatistics::Scale`]. Fails if one is not a moving average.
pub fn decays(statistics: &[f32]) -> Option<Vec<f32>> {
    let decays: Vec<f32> = statistics.iter().map(|value| value / SCALE).collect();
    decays.iter().all(|decay| (0.0..=1.0).contains(decay)).then_some(decays)
}

/// The model after the parts of a step with these `increments` of its running statistics, in order.
pub fn fold(classifier: Classifier, decays: &[f32], increments: Vec<Vec<f32>>) -> Classifier {
    if decays.is_empty() {
        return classifier;
    }
    let statistic_ids = statistics_of(&classifier);
    let decays = Numbers::new(decays.to_vec());
    let increments = increments.into_iter().map(Numbers::new).collect();
    classifier.map(&mut Fold { statistic_ids, decays, increments })
}

struct Fold {
    statistic_ids: HashSet<ParamId>,
    decays: Numbers,
    /// Of each part.
    increments: Vec<Numbers>,
}

impl ModuleMapper for Fold {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if !self.statistic_ids.contains(&param.id) {
            return param;
        }
        param.map(|statistic| {
            let (dims, device) = (statistic.dims(), statistic.device());
            let take = |numbers: &mut Numbers| {
                numbers.take(dims).map(|taken| Tensor::<D>::from_data(taken, &device))
            };
            let Some(decay) = take(&mut self.decays) else { return statistic };
            let increments = self.increments.iter_mut().filter_map(take);
            increments.fold(statistic, |statistic, increment| statistic * decay.clone() + increment)
        })
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::FloatDType;
    use data::Statistics;
    use models::{MlpConfig, ModelConfig, NormPosition};

    use super::*;
    use crate::model::{ClassifierConfig, ObjectiveConfig};

    fn classifier(seed: u64) -> Classifier {
        let batch_norm = NormPosition::BeforeActivation;
        let mlp = MlpConfig { hidden: vec![4], batch_norm, ..MlpConfig::default() };
        let (model, objective) = (ModelConfig::Mlp(mlp), ObjectiveConfig::default());
        let (shape, classes) = ([1, 1, 3], 2);
        let config = ClassifierConfig {
            model: &model,
            objective: &objective,
            mirrored: false,
            seed,
            shape,
            classes,
        };
        let statistics = Statistics { shift: vec![1.0; 3], scale: vec![2.0; 3] };
        config.init(&statistics, FloatDType::F32, &Device::flex().autodiff()).unwrap()
    }

    fn part(classifier: &Classifier) -> PackedPart {
        let examples = data::Examples::features(
            3,
            (0..15_u8).map(|at| f32::from(at * 7 % 5)).collect(),
            vec![0, 1, 0, 1, 1],
        );
        let device = Device::flex().autodiff();
        let batch = classifier.batch(&examples, &[0, 1, 2, 3, 4], &device).unwrap();
        PackedPart::new(classifier, Part::compute(classifier, batch, || ()), Vec::new())
    }

    #[test]
    fn folded_parts_give_the_statistics_of_the_same_passes_one_after_another() {
        let reference = classifier(1);
        let mut weights = Vec::new();
        pack_weights(&reference, &mut weights);
        let with =
            |statistics| load(classifier(2).valid(), weights.clone(), statistics).unwrap().train();
        let scaled = part(&with(RunningStatistics::Scale));
        let decays = decays(&scaled.unpack(&reference, 5).unwrap().statistics).unwrap();
        assert_eq!(decays, [0.9_f32; 8]);
        let increment = || part(&with(RunningStatistics::Zero));
        let increments: Vec<_> =
            (0..2).map(|_| increment().unpack(&reference, 5).unwrap().statistics).collect();
        let folded = fold(classifier(1), &decays, increments);
        part(&reference);
        let twice = part(&reference);
        let mut packed = Packed::of(&folded, Vec::new());
        folded.valid().visit(&mut packed);
        assert_eq!(packed.statistics, twice.unpack(&reference, 5).unwrap().statistics);
    }

    #[test]
    fn numbers_of_another_model_are_no_part() {
        let classifier = classifier(1);
        let numbers = part(&classifier);
        let whole = numbers.clone().unpack(&classifier, 5).unwrap();
        assert_eq!(whole.logits.dims(), [5, 1]);
        assert!(whole.are_inputs_finite);
        for length in 0..numbers.0.len() - 5 {
            let short = PackedPart(numbers.0.get(..length).unwrap().to_vec());
            assert!(short.unpack(&classifier, 5).is_none(), "{length}");
        }
        let mut weights = Vec::new();
        pack_weights(&classifier, &mut weights);
        weights.push(0.0);
        assert!(load(classifier.valid(), weights, RunningStatistics::Zero).is_none());
    }
}
