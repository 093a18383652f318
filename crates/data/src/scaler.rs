use crate::error::DatasetError;
use crate::examples::{Examples, Values};
use crate::pixel::padded;
use crate::statistics::Statistics;

/// Applies [`Statistics`] in host memory, vectorized.
#[derive(Debug, Clone, PartialEq)]
pub struct Scaler {
    /// Shift of each value of a block of whole pixels.
    shift: Vec<f32>,
    /// Scale of each value of a block.
    scale: Vec<f32>,
}

/// Minimum number of values of a block: several of the widest vectors.
const BLOCK: usize = 96;

impl Statistics {
    /// Returns a scaler that applies this map.
    pub fn scaler(&self) -> Scaler {
        let times = BLOCK.div_ceil(self.shift.len().max(1));
        Scaler { shift: self.shift.repeat(times), scale: self.scale.repeat(times) }
    }
}

impl Scaler {
    /// Scales `values`, whole pixels in order, and appends them to `inputs`.
    pub fn scale<T: Copy + Into<f32>>(&self, values: &[T], inputs: &mut Vec<f32>) {
        // Uses the widest vectors of this processor; the result is the same to the bit.
        pulp::Arch::new().dispatch(Append { scaler: self, values, inputs });
    }

    /// Shift and scale of the channels of a pixel with at most four.
    pub(crate) fn pixel(&self) -> ([f32; 4], [f32; 4]) {
        (padded(self.shift.iter().copied()), padded(self.scale.iter().copied()))
    }

    #[inline(always)]
    fn append<T: Copy + Into<f32>>(&self, values: &[T], inputs: &mut Vec<f32>) {
        for values in values.chunks(self.shift.len().max(1)) {
            let pairs = self.shift.iter().zip(&self.scale);
            let scaled = values.iter().zip(pairs);
            inputs.extend(scaled.map(|(&value, (shift, scale))| (value.into() - shift) / scale));
        }
    }
}

/// A type, because a closure would not be inlined and would use the narrow baseline vectors.
struct Append<'a, T> {
    scaler: &'a Scaler,
    values: &'a [T],
    inputs: &'a mut Vec<f32>,
}

impl<T: Copy + Into<f32>> pulp::WithSimd for Append<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _simd: S) {
        self.scaler.append(self.values, self.inputs);
    }
}

impl Examples {
    /// Returns the model inputs of the examples at `indices`, shape `[indices.len(), width]`.
    ///
    /// # Errors
    ///
    /// If the source cannot be read or has changed.
    ///
    /// # Panics
    ///
    /// If an index is out of range.
    pub fn inputs(&self, indices: &[usize], scaler: &Scaler) -> Result<Vec<f32>, DatasetError> {
        let (examples, indices) = self.in_memory(indices)?;
        let mut inputs = Vec::with_capacity(indices.len() * self.width());
        for &index in &*indices {
            match &examples.values {
                Values::Pixels(pixels) => scaler.scale(self.row(pixels, index), &mut inputs),
                Values::Features(features) => scaler.scale(self.row(features, index), &mut inputs),
                // Examples in memory are not stored elsewhere.
                Values::Stored(_) => {}
            }
        }
        Ok(inputs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::Normalization;

    fn assert_scaled(examples: &Examples) {
        for normalization in
            [Normalization::None, Normalization::UnitRange, Normalization::Standardize]
        {
            let Statistics { shift, scale } = normalization.fit(examples).unwrap();
            let scaler = Statistics { shift: shift.clone(), scale: scale.clone() }.scaler();
            let items = [1, 0, 2, 1];
            let raw = examples.gather(&items).unwrap();
            let affine = |(at, value): (usize, &f32)| {
                (value - shift[at % shift.len()]) / scale[at % shift.len()]
            };
            let expected: Vec<f32> = raw.iter().enumerate().map(affine).collect();
            assert_eq!(examples.inputs(&items, &scaler).unwrap(), expected, "{normalization:?}");
        }
    }

    #[test]
    fn inputs_equal_value_minus_shift_over_scale_to_the_bit() {
        for (height, width, channels) in [(64, 64, 3), (28, 28, 1), (7, 5, 3), (1, 1, 1)] {
            let count = 3 * height * width * channels;
            let pixels = (0..count).map(|at| (at * at * 31 % 257) as u8).collect();
            assert_scaled(&Examples::images([height, width, channels], pixels, vec![0; 3]));
        }
    }

    #[test]
    fn each_feature_is_scaled_separately_for_any_width() {
        for width in [1, 2, 95, 96, 97, 300] {
            let features = (0..3 * width).map(|at| (at as f32 * 0.7).sin() * 1e3).collect();
            assert_scaled(&Examples::features(width, features, vec![0; 3]));
        }
    }
}
