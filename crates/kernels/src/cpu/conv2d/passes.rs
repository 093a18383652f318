use std::marker::PhantomData;
use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::super::product::WIDTH;
use super::super::real::Real;
use super::super::vectorized;
use super::filters::Filters;
use super::grid::Positions;
use super::scheme::{Correlation, Output, Scheme};
use crate::memory::Memory;

/// How the weights of a convolution lie.
#[derive(Debug, Clone, Copy)]
pub struct Kernel {
    pub inputs: usize,
    pub outputs: usize,
    pub input_stride: usize,
    pub output_stride: usize,
    pub width: usize,
}

/// The most parts of the batch whose gradients of the filters are added.
const PARTS: usize = 16;
/// The most numbers that all these gradients have, unless there are few parts.
const SUMS: usize = 1 << 20;
const FEW_PARTS: usize = 4;
/// How many positions a part has at least, unless there are only two: its gradient has to be
/// worth its memory.
const POSITIONS: usize = 32;

impl Kernel {
    /// From outputs to inputs.
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
        self.outputs.div_ceil(WIDTH)
    }

    fn filters<T, W>(self, weight: W, taps: &[Vec<usize>; 2]) -> Filters<'_, T, W> {
        Filters {
            weight,
            outputs: self.outputs,
            output_stride: self.output_stride,
            input_stride: self.input_stride,
            taps,
            width: self.width,
            numbers: PhantomData,
        }
    }
}

/// Writes `output` from `input`. Each scheme writes some rows and columns, together all of them.
pub fn correlate<T: Real, A: Scheme<T>>(
    schemes: Vec<(A, [Vec<usize>; 2])>,
    (kernel, weight): (Kernel, &[T]),
    input: &[T],
    bias: &[T],
    output: &mut [T],
) {
    let filters = schemes.iter().map(|(scheme, taps)| right_matrices(scheme, taps, kernel, weight));
    let filters: Vec<Memory<T>> = filters.collect();
    let mut biases = vec![[T::zero(); WIDTH]; kernel.panels()];
    biases.as_flattened_mut().iter_mut().zip(bias).for_each(|(place, &bias)| *place = bias);
    let correlations = schemes.into_iter().zip(&filters).map(|((scheme, _), filters)| {
        let filters = filters.as_chunks().0;
        (scheme, Correlation { input, filters, bias: &biases })
    });
    let correlations: Vec<_> = correlations.collect();
    for_each_piece(&correlations, output);
}

fn right_matrices<T: Real, A: Scheme<T>>(
    scheme: &A,
    taps: &[Vec<usize>; 2],
    kernel: Kernel,
    weight: &[T],
) -> Memory<T> {
    let filters = &kernel.filters(weight, taps);
    let panel = scheme.rows() * WIDTH;
    let mut matrices = Memory::new(kernel.panels() * panel);
    let panels = matrices.par_chunks_exact_mut(panel.max(1));
    panels.enumerate().for_each(|(panel, matrix)| {
        Arch::new().dispatch(LoadFilters { scheme, filters, panel, matrix });
    });
    matrices
}

struct LoadFilters<'a, 'f, T, A> {
    scheme: &'a A,
    filters: &'a Filters<'f, T>,
    panel: usize,
    matrix: &'a mut [T],
}

impl<T: Real, A: Scheme<T>> WithSimd for LoadFilters<'_, '_, T, A> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let rows = self.matrix.as_chunks_mut().0;
        self.scheme.load_filters(simd, self.filters, self.panel, rows);
    }
}

/// Cuts the output into pieces of whole images or of some of their rows, which depend on
/// nothing but the geometry.
fn for_each_piece<T: Real, A: Scheme<T>>(correlations: &[(A, Correlation<T>)], output: &mut [T]) {
    let Some((first, _)) = correlations.first() else { return };
    let (images, step) = (first.output(), first.step());
    let reaching = correlations.iter().filter(|(scheme, _)| scheme.rows() > 0);
    let reaching: Vec<_> = reaching.collect();
    let positions = first.batch();
    let columns = images.width.div_ceil(step[1]);
    let rows = positions.div_ceil(columns) * step[0];
    let count = (rows / images.height).max(1);
    let size = rows.min(images.height) * images.row();
    let pieces = output.par_chunks_mut(count * images.size()).enumerate();
    let size = if count > 1 { count * images.size() } else { size };
    pieces
        .flat_map(|(index, piece)| {
            piece.par_chunks_mut(size).enumerate().map(move |(part, piece)| (index, part, piece))
        })
        .for_each(|(index, part, piece)| {
            let start = index * count * images.size() + part * size;
            let first = start / images.row() % images.height;
            let rows = first..first + (piece.len() / images.row()).min(images.height);
            let image = start / images.size();
            let of_images = image..image + (piece.len() / images.size()).max(1);
            // No tap reaches what is left.
            if reaching.len() < correlations.len() {
                piece.fill(T::zero());
            }
            for (scheme, of) in &reaching {
                let output = Output { numbers: piece, start };
                scheme.correlate(*of, positions_in(scheme, &of_images, &rows), output);
            }
        });
}

/// The positions whose output is in some rows.
fn positions_in<T: Real, A: Scheme<T>>(
    scheme: &A,
    images: &Range<usize>,
    rows: &Range<usize>,
) -> Positions {
    let ([row_step, column_step], [row, column]) = (scheme.step(), scheme.phase());
    let rows = [rows.start, rows.end].map(|end| end.saturating_sub(row).div_ceil(row_step));
    let columns = scheme.output().width.saturating_sub(column).div_ceil(column_step);
    Positions::of(images.clone(), rows[0]..rows[1], columns)
}

/// Writes the gradient of the filters.
pub fn filter_gradient<T: Real, A: Scheme<T>>(
    scheme: A,
    taps: &[Vec<usize>; 2],
    images: usize,
    (kernel, weight): (Kernel, &mut [T]),
    [input, gradient]: [&[T]; 2],
) {
    let panel = scheme.gradient_rows() * WIDTH;
    let numbers = kernel.panels() * panel;
    let parts = row_parts(&scheme, images, numbers).map(|positions| {
        let mut sums = Memory::new(numbers);
        sums.fill(T::zero());
        scheme.add_gradient([input, gradient], positions, sums.as_chunks_mut().0);
        sums
    });
    let parts: Vec<Memory<T>> = parts.collect();
    let weights = weight.par_chunks_mut(kernel.output_stride * WIDTH);
    weights.enumerate().for_each(|(index, weight)| {
        let sums = &sum(&parts, index * panel..(index + 1) * panel);
        let (scheme, filters) = (&scheme, kernel.filters(weight, taps));
        Arch::new().dispatch(StoreFilters { scheme, sums, filters });
    });
}

struct StoreFilters<'a, T, A> {
    scheme: &'a A,
    sums: &'a [T],
    filters: Filters<'a, T, &'a mut [T]>,
}

impl<T: Real, A: Scheme<T>> WithSimd for StoreFilters<'_, T, A> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        self.scheme.store_filters(simd, self.sums.as_chunks().0, &mut self.filters);
    }
}

/// Rows of positions of all images in parts, which do not depend on the number of threads.
fn row_parts<T: Real, A: Scheme<T>>(
    scheme: &A,
    images: usize,
    numbers: usize,
) -> impl IndexedParallelIterator<Item = Positions> {
    let (output, [row_step, column_step]) = (scheme.output(), scheme.step());
    let (height, columns) = (output.height.div_ceil(row_step), output.width.div_ceil(column_step));
    let rows = images * height;
    let parts = (SUMS / numbers).clamp(FEW_PARTS, PARTS);
    let parts = parts.min((rows * columns / POSITIONS).max(2)).min(rows);
    (0..parts).into_par_iter().map(move |part| {
        let [start, end] = [part, part + 1].map(|part| rows * part / parts);
        Positions::of_rows(start..end, height, columns)
    })
}

/// The sum of a range of all parts, in their order.
fn sum<T: Real>(parts: &[Memory<T>], range: Range<usize>) -> Memory<T> {
    let mut total = Memory::new(range.len());
    total.fill(T::zero());
    let total_of = &mut *total;
    vectorized(
        #[inline(always)]
        || {
            for part in parts {
                let numbers = part.get(range.clone()).unwrap_or_default();
                total_of.iter_mut().zip(numbers).for_each(|(total, &part)| *total = *total + part);
            }
        },
    );
    total
}
