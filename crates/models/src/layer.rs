use serde::Serialize;

/// One layer of a model, as a summary of the model shows it: an operation, and what follows it
/// before the next one.
///
/// The layers of a model come in the order of its forward pass, a shortcut before the convolution
/// that it is added to. The parameters of all of them are those of the initialised module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Layer {
    /// Its place in the model, for example `stages.0.1` or `output`.
    pub name: String,
    /// The operation: `linear`, `flatten`, `channel means`, `max pool 2x2`, `conv 3x3`, or
    /// `conv 3x3/2` where windows are 2 rows and columns apart.
    pub kind: String,
    /// What follows, in this order: `norm` for batch norm, `add` for the shortcut, the name of an
    /// activation, `dropout 0.5`.
    pub then: Vec<String>,
    /// The shape of its output for one example: `[height, width, channels]` or `[units]`.
    pub output: Vec<usize>,
    /// The number of its parameters, those of a batch norm behind it included.
    pub parameters: usize,
    /// How many of these are not trained but gathered: the running statistics of batch norm.
    pub running: usize,
    /// How many multiplications, each with an addition, linear maps and convolutions take for one
    /// example; twice as many floating-point operations. What follows them is not counted.
    pub multiply_adds: usize,
}

impl Layer {
    /// One without parameters.
    pub fn plain(name: impl Into<String>, kind: impl Into<String>, output: Vec<usize>) -> Self {
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

    /// A linear map with a bias; `None` if a number overflows.
    pub(crate) fn linear(name: impl Into<String>, inputs: usize, units: usize) -> Option<Self> {
        let weights = inputs.checked_mul(units)?;
        Some(Self {
            parameters: weights.checked_add(units)?,
            multiply_adds: weights,
            ..Self::plain(name, "linear", vec![units])
        })
    }

    /// The same with something behind it.
    pub(crate) fn followed_by(mut self, what: impl Into<String>) -> Self {
        self.then.push(what.into());
        self
    }

    /// The same with dropout behind it, if there is any.
    pub(crate) fn with_dropout(self, probability: f64) -> Self {
        if probability > 0.0 { self.followed_by(format!("dropout {probability}")) } else { self }
    }

    /// The sum of the parameters of `layers`; `None` if it overflows.
    pub fn parameters_of(layers: &[Self]) -> Option<usize> {
        layers.iter().try_fold(0_usize, |sum, layer| sum.checked_add(layer.parameters))
    }
}
