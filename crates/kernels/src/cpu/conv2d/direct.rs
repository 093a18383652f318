//! Direct convolution as an implicit GEMM: the rows of the im2col matrix (Chellapilla et al. 2006)
//! are read in place from zero-padded copies of the input rows, so that the matrix is never stored.

use pulp::{Arch, Simd, WithSimd};

use super::super::micro_kernel::{
    BLOCK_ROWS, DEPTH, PANEL, accumulate_block, add_to_rows, broadcast_mul_add,
};
use super::super::simd_float::{SimdFloat, lanes, load};
use super::super::workspace::with_workspace;
use super::algorithm::{ConvAlgorithm, ConvInputs, OutputSlice, Panel, panel_width};
use super::filter_view::FilterView;
use super::positions::{ImageShape, Position, Positions};

/// Maximum number of values of the padded input rows of a strip, so that they stay in the L1 or L2
/// cache.
const MAX_STRIP_LEN: usize = 1 << 12;

/// Direct convolution. It writes every `step`-th output row and column from `phase` on.
#[derive(Clone, Copy)]
pub struct DirectConv {
    pub input: ImageShape,
    pub output: ImageShape,
    pub taps: [usize; 2],
    pub stride: [usize; 2],
    /// Offset from an output to its first input.
    pub offset: [isize; 2],
    pub step: [usize; 2],
    pub phase: [usize; 2],
}

/// Position rows of one image, with their padded input rows.
struct Strip<'a, T> {
    /// First position.
    position: Position,
    rows: usize,
    input: &'a [T],
}

impl DirectConv {
    /// Positions per row.
    fn columns(&self) -> usize {
        self.output.width.saturating_sub(self.phase[1]).div_ceil(self.step[1])
    }

    /// Values in a row of a patch.
    fn patch_row_len(&self) -> usize {
        self.taps[1] * self.input.channels
    }

    /// Values in a padded input row.
    fn padded_row(&self) -> usize {
        let last = self.columns().saturating_sub(1);
        last * self.column_step() + self.patch_row_len()
    }

    /// Distance between the patches of adjacent columns.
    fn column_step(&self) -> usize {
        self.stride[1] * self.input.channels
    }

    /// Distance between the patches of adjacent rows.
    fn row_step(&self) -> usize {
        self.stride[0] * self.padded_row()
    }

    /// Number of position rows per strip.
    fn strip_rows(&self) -> usize {
        (MAX_STRIP_LEN / self.row_step().max(1)).max(1)
    }

    /// Calls `work` with each strip.
    fn for_each_strip<T: SimdFloat>(
        &self,
        input: &[T],
        mut positions: Positions,
        mut work: impl FnMut(Strip<T>),
    ) {
        let most = (self.strip_rows() - 1) * self.stride[0] + self.taps[0];
        // Padding for reads after the last row, whose results are discarded.
        let slack = BLOCK_ROWS * self.column_step() + DEPTH;
        with_workspace([most * self.padded_row() + slack, 0], |[copied, _]| {
            while let Some((position, rows)) = positions.split_strip(self.strip_rows()) {
                self.copy(input, position, rows, copied);
                work(Strip { position, rows, input: copied });
            }
        });
    }

    /// Copies the input rows of some position rows, with zero padding.
    fn copy<T: SimdFloat>(&self, input: &[T], position: Position, rows: usize, copied: &mut [T]) {
        let channels = self.input.channels.cast_signed();
        let first = (position.row * self.stride[0]).cast_signed() + self.offset[0];
        let rows = (rows - 1) * self.stride[0] + self.taps[0];
        let copied = copied.chunks_exact_mut(self.padded_row()).take(rows);
        for (row, copied) in (first..).zip(copied) {
            let row = row.cast_unsigned();
            let length = if row < self.input.height { self.input.row_len() } else { 0 };
            let start = self.input.offset(position.image, row.min(self.input.height), 0);
            let pixels = input.get(start..start + length).unwrap_or_default();
            let skipped = (self.offset[1].max(0) * channels).cast_unsigned();
            let zeros = (-self.offset[1].min(0) * channels).cast_unsigned();
            let (zeros, rest) = copied.split_at_mut(zeros.min(copied.len()));
            let pixels = pixels.get(skipped..).unwrap_or_default();
            let pixels = pixels.get(..rest.len()).unwrap_or(pixels);
            let (inside, end) = rest.split_at_mut(pixels.len());
            zeros.fill(T::zero());
            inside.copy_from_slice(pixels);
            end.fill(T::zero());
        }
    }
}

impl<T: SimdFloat> ConvAlgorithm<T> for DirectConv {
    fn output_shape(&self) -> ImageShape {
        self.output
    }

    fn output_step(&self) -> [usize; 2] {
        self.step
    }

    fn output_phase(&self) -> [usize; 2] {
        self.phase
    }

    fn batch_size(&self) -> usize {
        self.strip_rows() * self.columns()
    }

    fn packed_rows(&self) -> usize {
        self.taps[0] * self.patch_row_len()
    }

    fn gradient_rows(&self) -> usize {
        self.taps[0] * self.patch_row_len()
    }

    fn correlate(&self, of: ConvInputs<T>, positions: Positions, mut output: OutputSlice<T>) {
        let rows = ConvAlgorithm::<T>::packed_rows(self);
        self.for_each_strip(of.input, positions, |strip| {
            for panel in of.panels(self.output.channels, rows) {
                Arch::new().dispatch(ForwardTask {
                    conv: self,
                    strip: &strip,
                    panel,
                    output: &mut output,
                });
            }
        });
    }

    fn add_filter_gradient(
        &self,
        [input, gradient]: [&[T]; 2],
        positions: Positions,
        sums: &mut [[T; PANEL]],
    ) {
        let rows = ConvAlgorithm::<T>::gradient_rows(self);
        self.for_each_strip(input, positions, |strip| {
            for (panel, sums) in sums.chunks_exact_mut(rows).enumerate() {
                Arch::new().dispatch(GradientTask {
                    conv: self,
                    strip: &strip,
                    gradient,
                    panel,
                    sums,
                });
            }
        });
    }

    #[inline(always)]
    fn pack_filters<S: Simd>(
        &self,
        _simd: S,
        filters: &FilterView<T>,
        panel: usize,
        right: &mut [[T; PANEL]],
    ) {
        let channels = self.input.channels;
        for (tap, rows) in right.chunks_exact_mut(channels).enumerate() {
            let tap = [tap / self.taps[1], tap % self.taps[1]];
            for (channel, row) in rows.iter_mut().enumerate() {
                *row = filters.read(panel, channel, tap);
            }
        }
    }

    #[inline(always)]
    fn unpack_filters<S: Simd>(
        &self,
        _simd: S,
        sums: &[[T; PANEL]],
        filters: &mut FilterView<T, &mut [T]>,
    ) {
        for (tap, rows) in sums.chunks_exact(self.input.channels).enumerate() {
            let tap = [tap / self.taps[1], tap % self.taps[1]];
            for (channel, row) in rows.iter().enumerate() {
                filters.write(channel, tap, row);
            }
        }
    }
}

/// Forward pass of one panel of a strip.
struct ForwardTask<'a, 'o, T> {
    conv: &'a DirectConv,
    strip: &'a Strip<'a, T>,
    panel: Panel<'a, T>,
    output: &'a mut OutputSlice<'o, T>,
}

impl<T: SimdFloat> WithSimd for ForwardTask<'_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match (S::REGISTER_COUNT < 32, self.panel.width <= lanes::<T, S>()) {
            (true, true) => self.compute::<S, 4, 1>(simd),
            (true, false) => self.compute::<S, 4, 2>(simd),
            (false, true) => self.compute::<S, BLOCK_ROWS, 1>(simd),
            (false, false) => self.compute::<S, BLOCK_ROWS, 2>(simd),
        }
    }
}

impl<T: SimdFloat> ForwardTask<'_, '_, T> {
    /// Computes tiles of `COUNT` positions, which may be in several rows.
    #[inline(always)]
    fn compute<S: Simd, const COUNT: usize, const REGISTERS: usize>(mut self, simd: S) {
        let (conv, rows) = (self.conv, self.strip.rows);
        let columns = conv.columns();
        let mut positions = (0..rows).flat_map(|row| (0..columns).map(move |column| [row, column]));
        while let Some(mut last) = positions.next() {
            let (mut tile, mut count) = ([last; COUNT], 1);
            for position in tile.iter_mut().skip(1) {
                (last, count) = positions.next().map_or((last, count), |next| (next, count + 1));
                *position = last;
            }
            let starts =
                tile.map(|[row, column]| row * conv.row_step() + column * conv.column_step());
            for registers in 0..self.panel.width.div_ceil(REGISTERS * lanes::<T, S>()) {
                let sums = self.sums::<S, COUNT, REGISTERS>(simd, starts, registers);
                let sums = tile.into_iter().zip(sums).take(count);
                self.store::<S, REGISTERS>(simd, registers, sums);
            }
        }
    }

    #[inline(always)]
    fn sums<S: Simd, const COUNT: usize, const REGISTERS: usize>(
        &self,
        simd: S,
        starts: [usize; COUNT],
        registers: usize,
    ) -> [[T::Vector<S>; REGISTERS]; COUNT] {
        let (conv, input) = (self.conv, self.strip.input);
        let mut sums = [[T::splat(simd, T::zero()); REGISTERS]; COUNT];
        for (y, filters) in self.panel.filters.chunks_exact(conv.patch_row_len()).enumerate() {
            let offset = y * conv.padded_row();
            for (offset, filters) in (offset..).step_by(DEPTH).zip(filters.chunks(DEPTH)) {
                let Some(left) = patches_at(input, starts, offset) else { continue };
                accumulate_block(simd, left, filters, registers, &mut sums);
            }
        }
        sums
    }

    #[inline(always)]
    fn store<S: Simd, const REGISTERS: usize>(
        &mut self,
        simd: S,
        registers: usize,
        sums: impl Iterator<Item = ([usize; 2], [T::Vector<S>; REGISTERS])>,
    ) {
        let (conv, Panel { index, width, bias, .. }) = (self.conv, self.panel);
        for ([row, column], sums) in sums {
            let row = (self.strip.position.row + row) * conv.step[0] + conv.phase[0];
            let column = column * conv.step[1] + conv.phase[1];
            let start = conv.output.offset(self.strip.position.image, row, column);
            let start = self.output.start_of(start, index);
            for (vector, sum) in (registers * REGISTERS..).zip(sums) {
                let value = T::simd_add(simd, sum, load(simd, bias, vector));
                match width {
                    PANEL => self.output.store::<S, PANEL>(simd, start, (vector, PANEL), value),
                    width => self.output.store::<S, 0>(simd, start, (vector, width), value),
                }
            }
        }
    }
}

/// Returns the values that begin at `offset` of each patch.
#[inline(always)]
fn patches_at<T: SimdFloat, const COUNT: usize>(
    input: &[T],
    starts: [usize; COUNT],
    offset: usize,
) -> Option<[&[T; DEPTH]; COUNT]> {
    let mut windows = [input.first_chunk()?; COUNT];
    for (window, start) in windows.iter_mut().zip(starts) {
        *window = input.get(start + offset..)?.first_chunk()?;
    }
    Some(windows)
}

/// Filter gradient of one panel of a strip.
struct GradientTask<'a, T> {
    conv: &'a DirectConv,
    strip: &'a Strip<'a, T>,
    /// Gradient of the output.
    gradient: &'a [T],
    panel: usize,
    /// Accumulated gradient.
    sums: &'a mut [[T; PANEL]],
}

impl<T: SimdFloat> WithSimd for GradientTask<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let one = self.width() <= lanes::<T, S>() || S::REGISTER_COUNT < 32;
        match (self.conv.patch_row_len() % 8, one) {
            (0, true) => self.compute::<S, 8, 1>(simd),
            (0, false) => self.compute::<S, 8, 2>(simd),
            (_, true) => self.compute::<S, 9, 1>(simd),
            (_, false) => self.compute::<S, 9, 2>(simd),
        }
    }
}

impl<T: SimdFloat> GradientTask<'_, T> {
    fn width(&self) -> usize {
        panel_width(self.conv.output.channels, self.panel)
    }

    /// Computes tiles of `ROWS` patch elements.
    #[inline(always)]
    fn compute<S: Simd, const ROWS: usize, const REGISTERS: usize>(mut self, simd: S) {
        let conv = self.conv;
        let sums = std::mem::take(&mut self.sums);
        for (y, sums) in sums.chunks_exact_mut(conv.patch_row_len()).enumerate() {
            let start = y * conv.padded_row();
            for (start, sums) in (start..).step_by(ROWS).zip(sums.chunks_mut(ROWS)) {
                for registers in 0..self.width().div_ceil(REGISTERS * lanes::<T, S>()) {
                    let added = self.products::<S, ROWS, REGISTERS>(simd, start, registers);
                    add_to_rows(simd, &added, registers, sums);
                }
            }
        }
    }

    #[inline(always)]
    fn products<S: Simd, const ROWS: usize, const REGISTERS: usize>(
        &self,
        simd: S,
        start: usize,
        registers: usize,
    ) -> [[T::Vector<S>; REGISTERS]; ROWS] {
        let Self { conv, strip, gradient, panel, .. } = *self;
        let mut sums = [[T::splat(simd, T::zero()); REGISTERS]; ROWS];
        let first = conv.output.offset(strip.position.image, strip.position.row, 0);
        let gradient = gradient.get(first..).unwrap_or_default();
        let rows = gradient.chunks_exact(conv.output.row_len()).take(strip.rows);
        for (row, gradient) in rows.enumerate() {
            let mut start = start + row * conv.row_step();
            for pixel in gradient.chunks_exact(conv.output.channels) {
                let window = strip.input.get(start..).and_then(<[T]>::first_chunk::<ROWS>);
                let Some(window) = window else { continue };
                let pixel = pixel.get(panel * PANEL..).unwrap_or_default();
                let mut right = [T::splat(simd, T::zero()); REGISTERS];
                for (vector, right) in (registers * REGISTERS..).zip(&mut right) {
                    *right = load(simd, pixel, vector);
                }
                for (&value, sums) in window.iter().zip(&mut sums) {
                    broadcast_mul_add(simd, value, &right, sums);
                }
                start += conv.column_step();
            }
        }
        sums
    }
}
