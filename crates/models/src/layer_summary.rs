use serde::Serialize;

/// One layer of a model summary: an operation and the operations fused to it.
///
/// The layers of a model are in the order of its forward pass, with a shortcut before the
/// convolution to whose output it is added. Their parameter counts sum to that of the module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LayerSummary {
    /// Path in the model, for example `stages.0.1` or `output`.
    pub name: String,
    /// Operation: `linear`, `flatten`, `channel means`, `max pool 2x2`, `conv 3x3`, or `conv 3x3/2`
    /// for a stride of 2.
    pub kind: String,
    /// Operations after it, in order: `norm` for batch norm, `stochastic depth 0.1`, `add` for the
    /// shortcut, the name of an activation, `dropout 0.5`.
    pub then: Vec<String>,
    /// Output shape for one example: `[height, width, channels]` or `[units]`.
    pub output: Vec<usize>,
    /// Number of parameters, including those of its batch norm.
    pub parameters: usize,
    /// Number of these that are running statistics of a batch norm and not trained.
    pub running: usize,
    /// Multiply-accumulate operations of linear maps and convolutions for one example: half the
    /// floating-point operations. Operations after them are not counted.
    pub multiply_adds: usize,
}

impl LayerSummary {
    /// Creates a layer without parameters.
    pub fn new(name: impl Into<String>, kind: impl Into<String>, output: Vec<usize>) -> Self {
        Self {
            name: name.into(),
            kind: kind.into(),
            then: Vec::new(),
            output,
            parameters: 0,
            running: 0,
            multiply_adds: 0,
        }
    }

    /// Creates a linear layer with a bias; `None` if a number overflows.
    pub(crate) fn linear(name: impl Into<String>, inputs: usize, units: usize) -> Option<Self> {
        let weights = inputs.checked_mul(units)?;
        Some(Self {
            parameters: weights.checked_add(units)?,
            multiply_adds: weights,
            ..Self::new(name, "linear", vec![units])
        })
    }

    /// Appends an operation.
    pub(crate) fn followed_by(mut self, operation: impl Into<String>) -> Self {
        self.then.push(operation.into());
        self
    }

    /// Appends dropout, if `probability` is positive.
    pub(crate) fn with_dropout(self, probability: f64) -> Self {
        if probability > 0.0 { self.followed_by(format!("dropout {probability}")) } else { self }
    }

    /// Sums a number of each of `layers`; `None` if the sum overflows.
    pub fn sum(layers: &[Self], number: fn(&Self) -> usize) -> Option<usize> {
        layers.iter().try_fold(0_usize, |sum, layer| sum.checked_add(number(layer)))
    }
}
