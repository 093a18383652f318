use std::marker::PhantomData;
use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::super::micro_kernel::{BLOCK_ROWS, PANEL};
use super::super::simd_float::SimdFloat;
use super::super::vectorized;
use super::algorithm::{ConvAlgorithm, ConvInputs, OutputSlice};
use super::filter_view::FilterView;
use super::positions::Positions;
use crate::buffer_pool::Buffer;

/// Strides of the weights of a convolution.
#[derive(Debug, Clone, Copy)]
pub struct WeightLayout {
    pub inputs: usize,
    pub outputs: usize,
    pub input_stride: usize,
    pub output_stride: usize,
    pub width: usize,
}

/// Maximum number of partial filter gradients.
const MAX_PARTS: usize = 16;
/// Maximum total length of the partial filter gradients, unless there are [`MIN_PARTS`] or fewer.
const MAX_PARTIAL_LEN: usize = 1 << 20;
const MIN_PARTS: usize = 4;
/// Number of pieces of the output, if they have enough positions: a few images are many pieces too.
const PIECES: usize = 8;
/// Minimum number of positions per partial filter gradient, unless there are only two: its cost has
/// to be amortised.
const MIN_POSITIONS: usize = 32;

impl WeightLayout {
    /// Swaps inputs and outputs.
    pub fn transposed(self) -> Self {
        Self {
            inputs: self.outputs,
            outputs: self.inputs,
            input_stride: self.output_stride,
            output_stride: self.input_stride,
            ..self
        }
    }

    fn panels(self) -> usize {
        self.outputs.div_ceil(PANEL)
    }

    fn filters<T, W>(self, weight: W, taps: &[Vec<usize>; 2]) -> FilterView<'_, T, W> {
        FilterView {
            weight,
            outputs: self.outputs,
            output_stride: self.output_stride,
            input_stride: self.input_stride,
            taps,
            width: self.width,
            element: PhantomData,
        }
    }
}

/// Convolves `input` to `output`. Each algorithm writes some rows and columns with its packed
/// filters, all of them together cover the output.
pub fn correlate<T: SimdFloat, A: ConvAlgorithm<T>>(
    algorithms: Vec<(A, &[T])>,
    input: &[T],
    bias: &[T],
    output: &mut [T],
) {
    let channels = algorithms.first().map_or(0, |(first, _)| first.output_shape().channels);
    let mut biases = vec![[T::zero(); PANEL]; channels.div_ceil(PANEL)];
    biases.as_flattened_mut().iter_mut().zip(bias).for_each(|(slot, &bias)| *slot = bias);
    let correlations = algorithms.into_iter().map(|(algorithm, filters)| {
        let filters = filters.as_chunks().0;
        (algorithm, ConvInputs { input, filters, bias: &biases })
    });
    let correlations: Vec<_> = correlations.collect();
    for_each_piece(&correlations, output);
}

/// Packs the filters with these taps for the algorithm.
pub fn pack<T: SimdFloat, A: ConvAlgorithm<T>>(
    algorithm: &A,
    taps: &[Vec<usize>; 2],
    (layout, weight): (WeightLayout, &[T]),
) -> Buffer<T> {
    let filters = &layout.filters(weight, taps);
    let panel = algorithm.packed_rows() * PANEL;
    let mut matrices = Buffer::new(layout.panels() * panel);
    let panels = matrices.par_chunks_exact_mut(panel.max(1));
    panels.enumerate().for_each(|(panel, matrix)| {
        Arch::new().dispatch(PackFilters { algorithm, filters, panel, matrix });
    });
    matrices
}

struct PackFilters<'a, 'f, T, A> {
    algorithm: &'a A,
    filters: &'a FilterView<'f, T>,
    panel: usize,
    matrix: &'a mut [T],
}

impl<T: SimdFloat, A: ConvAlgorithm<T>> WithSimd for PackFilters<'_, '_, T, A> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let rows = self.matrix.as_chunks_mut().0;
        self.algorithm.pack_filters(simd, self.filters, self.panel, rows);
    }
}

/// Splits the output into pieces of whole images or of some rows of an image. The split depends on
/// the shape only.
fn for_each_piece<T: SimdFloat, A: ConvAlgorithm<T>>(
    correlations: &[(A, ConvInputs<T>)],
    output: &mut [T],
) {
    let Some((first, _)) = correlations.first() else { return };
    let (images, step) = (first.output_shape(), first.output_step());
    let reaching = correlations.iter().filter(|(algorithm, _)| algorithm.packed_rows() > 0);
    let reaching: Vec<_> = reaching.collect();
    let [height, columns] = [images.height.div_ceil(step[0]), images.width.div_ceil(step[1])];
    let all = output.len() / images.image_len() * height * columns;
    let positions = first.batch_size().min((all / PIECES).max(BLOCK_ROWS));
    let rows = positions.div_ceil(columns) * step[0];
    let count = (rows / images.height).max(1);
    let size = rows.min(images.height) * images.row_len();
    let pieces = output.par_chunks_mut(count * images.image_len()).enumerate();
    let size = if count > 1 { count * images.image_len() } else { size };
    pieces
        .flat_map(|(index, piece)| {
            piece.par_chunks_mut(size).enumerate().map(move |(part, piece)| (index, part, piece))
        })
        .for_each(|(index, part, piece)| {
            let start = index * count * images.image_len() + part * size;
            let first = start / images.row_len() % images.height;
            let rows = first..first + (piece.len() / images.row_len()).min(images.height);
            let image = start / images.image_len();
            let of_images = image..image + (piece.len() / images.image_len()).max(1);
            // Outputs without a tap stay zero.
            if reaching.len() < correlations.len() {
                piece.fill(T::zero());
            }
            for (algorithm, of) in &reaching {
                let output = OutputSlice { values: piece, start };
                algorithm.correlate(*of, positions_in(algorithm, &of_images, &rows), output);
            }
        });
}

/// Returns the positions with outputs in `rows`.
fn positions_in<T: SimdFloat, A: ConvAlgorithm<T>>(
    algorithm: &A,
    images: &Range<usize>,
    rows: &Range<usize>,
) -> Positions {
    let ([row_step, column_step], [row, column]) =
        (algorithm.output_step(), algorithm.output_phase());
    let rows = [rows.start, rows.end].map(|end| end.saturating_sub(row).div_ceil(row_step));
    let columns = algorithm.output_shape().width.saturating_sub(column).div_ceil(column_step);
    Positions::new(images.clone(), rows[0]..rows[1], columns)
}

/// Writes the gradient of the filters.
pub fn filter_gradient<T: SimdFloat, A: ConvAlgorithm<T>>(
    algorithm: A,
    taps: &[Vec<usize>; 2],
    images: usize,
    (layout, weight): (WeightLayout, &mut [T]),
    [input, gradient]: [&[T]; 2],
) {
    let panel = algorithm.gradient_rows() * PANEL;
    let length = layout.panels() * panel;
    let parts = row_parts(&algorithm, images, length).map(|positions| {
        let mut sums = Buffer::new(length);
        sums.fill(T::zero());
        algorithm.add_filter_gradient([input, gradient], positions, sums.as_chunks_mut().0);
        sums
    });
    let parts: Vec<Buffer<T>> = parts.collect();
    let weights = weight.par_chunks_mut(layout.output_stride * PANEL);
    weights.enumerate().for_each(|(index, weight)| {
        let sums = &sum(&parts, index * panel..(index + 1) * panel);
        let (algorithm, filters) = (&algorithm, layout.filters(weight, taps));
        Arch::new().dispatch(UnpackFilters { algorithm, sums, filters });
    });
}

struct UnpackFilters<'a, T, A> {
    algorithm: &'a A,
    sums: &'a [T],
    filters: FilterView<'a, T, &'a mut [T]>,
}

impl<T: SimdFloat, A: ConvAlgorithm<T>> WithSimd for UnpackFilters<'_, T, A> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        self.algorithm.unpack_filters(simd, self.sums.as_chunks().0, &mut self.filters);
    }
}

/// Splits the position rows of all images into parts, independent of the number of threads.
fn row_parts<T: SimdFloat, A: ConvAlgorithm<T>>(
    algorithm: &A,
    images: usize,
    length: usize,
) -> impl IndexedParallelIterator<Item = Positions> {
    let (output, [row_step, column_step]) = (algorithm.output_shape(), algorithm.output_step());
    let (height, columns) = (output.height.div_ceil(row_step), output.width.div_ceil(column_step));
    let rows = images * height;
    let parts = (MAX_PARTIAL_LEN / length).clamp(MIN_PARTS, MAX_PARTS);
    let parts = parts.min((rows * columns / MIN_POSITIONS).max(2)).min(rows);
    (0..parts).into_par_iter().map(move |part| {
        let [start, end] = [part, part + 1].map(|part| rows * part / parts);
        Positions::from_rows(start..end, height, columns)
    })
}

/// Sums a range of all parts in order.
fn sum<T: SimdFloat>(parts: &[Buffer<T>], range: Range<usize>) -> Buffer<T> {
    let mut total = Buffer::new(range.len());
    total.fill(T::zero());
    let total_of = &mut *total;
    vectorized(
        #[inline(always)]
        || {
            for part in parts {
                let values = part.get(range.clone()).unwrap_or_default();
                total_of.iter_mut().zip(values).for_each(|(total, &part)| *total = *total + part);
            }
        },
    );
    total
}
