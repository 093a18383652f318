use crate::augmentation::lanes;
use crate::error::DatasetError;
use crate::examples::{Examples, Values};
use crate::statistics::Statistics;

/// [`Statistics`] applied in host memory, to many values at once.
#[derive(Debug, Clone, PartialEq)]
pub struct Scaler {
    /// The shift of each value of a stretch of whole pixels.
    shift: Vec<f32>,
    /// The scale of each value of a stretch.
    scale: Vec<f32>,
}

/// The least values of a stretch: enough for several of the widest vectors.
const STRETCH: usize = 96;

impl Statistics {
    /// The same, ready to be applied.
    pub fn scaler(&self) -> Scaler {
        let times = STRETCH.div_ceil(self.shift.len().max(1));
        Scaler { shift: self.shift.repeat(times), scale: self.scale.repeat(times) }
    }
}

impl Scaler {
    /// Appends to `inputs` what `values` become, whole pixels in order.
    pub fn scale<T: Copy + Into<f32>>(&self, values: &[T], inputs: &mut Vec<f32>) {
        // With the widest vectors of this processor, which change no bit.
        pulp::Arch::new().dispatch(Append { scaler: self, values, inputs });
    }

    /// The shift and the scale of each channel of a pixel of at most four.
    pub(crate) fn pixel(&self) -> ([f32; 4], [f32; 4]) {
        (lanes(self.shift.iter().copied()), lanes(self.scale.iter().copied()))
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

/// A closure would not be inlined, and keep the narrow vectors of every processor.
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
    /// The inputs that the examples at `indices` become, `[indices.len(), width]`.
    ///
    /// # Errors
    ///
    /// If they lie in a file that cannot be read, or is no longer what it was.
    ///
    /// # Panics
    ///
    /// If there is no such example.
    pub fn inputs(&self, indices: &[usize], scaler: &Scaler) -> Result<Vec<f32>, DatasetError> {
        let (examples, indices) = self.in_memory(indices)?;
        let mut inputs = Vec::with_capacity(indices.len() * self.width());
        for &index in &*indices {
            match &examples.values {
                Values::Pixels(pixels) => scaler.scale(self.row(pixels, index), &mut inputs),
                Values::Features(features) => scaler.scale(self.row(features, index), &mut inputs),
                // Those in memory are not.
                Values::Stored(_) => {}
            }
        }
        Ok(inputs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Normalization;

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
    fn inputs_are_the_values_less_the_shift_over_the_scale_to_the_bit() {
        for (height, width, channels) in [(64, 64, 3), (28, 28, 1), (7, 5, 3), (1, 1, 1)] {
            let count = 3 * height * width * channels;
            let pixels = (0..count).map(|at| (at * at * 31 % 257) as u8).collect();
            assert_scaled(&Examples::images([height, width, channels], pixels, vec![0; 3]));
        }
    }

    #[test]
    fn features_of_any_number_are_scaled_each_by_its_own() {
        for width in [1, 2, 95, 96, 97, 300] {
            let features = (0..3 * width).map(|at| (at as f32 * 0.7).sin() * 1e3).collect();
            assert_scaled(&Examples::features(width, features, vec![0; 3]));
        }
    }
}
