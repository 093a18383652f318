/// Activation function that a batch norm can apply to its output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rectifier {
    /// `max(0, z)`
    Relu,
    /// `min(max(0, z), 6)`
    Relu6,
}

impl Rectifier {
    /// Smallest and largest output.
    pub const fn range(self) -> [f64; 2] {
        match self {
            Self::Relu => [0.0, f64::INFINITY],
            Self::Relu6 => [0.0, 6.0],
        }
    }

    /// Applies the function to every element.
    pub fn forward<const D: usize>(
        self,
        input: burn::tensor::Tensor<D>,
    ) -> burn::tensor::Tensor<D> {
        let output = burn::tensor::activation::relu(input);
        match self {
            Self::Relu => output,
            Self::Relu6 => output.clamp_max(6.0),
        }
    }
}
