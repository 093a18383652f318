use std::fmt;

use ::config::Check;
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How much an example of each class counts in the loss, for classes of unlike size.
#[derive(Debug, Clone, Default, PartialEq, schemars::JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum ClassWeights {
    /// All alike.
    #[default]
    None,
    /// `m / (K m_c)` for class `c`, with `m` training examples in `K` classes, `m_c` of them in this
    /// one: each class counts alike (King and Zeng 2001; scikit-learn's `"balanced"`).
    Balanced,
    /// These, in the order of the labels.
    #[schemars(untagged)]
    Given(#[schemars(inner(range(min = 1e-6, max = 1e6)))] Vec<f64>),
}

/// The most weights, so that the config of a run can be read back.
const MOST: usize = 1000;

const NONE: &str = "none";
const BALANCED: &str = "balanced";

impl ClassWeights {
    /// The weight of each of so many `classes`, with the `labels` of the training set; `None` if all
    /// count alike.
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

    /// Notes every value that cannot be meant.
    pub fn check(&self, check: &mut Check) {
        let Self::Given(weights) = self else { return };
        check.require(
            "class_weights",
            weights.len() <= MOST,
            format_args!("{} weights are more than {MOST}", weights.len()),
        );
    }
}

impl Serialize for ClassWeights {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::None => NONE.serialize(serializer),
            Self::Balanced => BALANCED.serialize(serializer),
            Self::Given(weights) => weights.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for ClassWeights {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WordOrList)
    }
}

struct WordOrList;

impl<'de> Visitor<'de> for WordOrList {
    type Value = ClassWeights;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("\"none\", \"balanced\" or an array such as `[1.0, 2.5]`")
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<ClassWeights, E> {
        match word {
            NONE => Ok(ClassWeights::None),
            BALANCED => Ok(ClassWeights::Balanced),
            _ => Err(E::unknown_variant(word, &[NONE, BALANCED])),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<ClassWeights, A::Error> {
        let mut weights = Vec::new();
        while let Some(weight) = list.next_element()? {
            weights.push(weight);
        }
        Ok(ClassWeights::Given(weights))
    }
}
