use std::fmt;

use ::config::Check;
use serde::de::value::SeqAccessDeserializer;
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// Weight of the examples of each class in the loss, for classes of different sizes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClassWeights {
    /// Equal weights.
    #[default]
    None,
    /// `m / (K m_c)` for class `c`, with `m` training examples in `K` classes, `m_c` of them in
    /// class `c`: equal total weights of the classes (King and Zeng 2001; scikit-learn's
    /// `"balanced"`).
    Balanced,
    /// One weight per class, in the order of the labels.
    #[serde(untagged)]
    Given(#[schemars(inner(range(min = 1e-6, max = 1e6)))] Vec<f64>),
}

/// Largest number of weights, so that the config of a run can be read back.
const MAX_WEIGHTS: usize = 1000;

impl ClassWeights {
    /// Weight of each of `classes` classes, for a training set with these `labels`; `None` if all
    /// are equal.
    pub fn fit(&self, labels: &[u32], classes: usize) -> Option<Vec<f64>> {
        match self {
            Self::None => None,
            Self::Given(weights) => Some(weights.clone()),
            Self::Balanced => {
                let count = |class| labels.iter().filter(|label| **label as usize == class).count();
                let weight = |count| labels.len() as f64 / (classes * count) as f64;
                let counts = (0..classes).map(count);
                Some(counts.map(|count| if count == 0 { 0.0 } else { weight(count) }).collect())
            }
        }
    }

    pub(crate) fn check(&self, check: &mut Check) {
        let Self::Given(weights) = self else { return };
        check.require(
            "class_weights",
            weights.len() <= MAX_WEIGHTS,
            format_args!("{} weights; the maximum is {MAX_WEIGHTS}", weights.len()),
        );
    }
}

impl<'de> Deserialize<'de> for ClassWeights {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StringOrArray)
    }
}

struct StringOrArray;

impl<'de> Visitor<'de> for StringOrArray {
    type Value = ClassWeights;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("\"none\", \"balanced\" or an array such as `[1.0, 2.5]`")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<ClassWeights, E> {
        match name {
            "none" => Ok(ClassWeights::None),
            "balanced" => Ok(ClassWeights::Balanced),
            _ => Err(E::unknown_variant(name, &["none", "balanced"])),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<ClassWeights, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(list)).map(ClassWeights::Given)
    }
}
