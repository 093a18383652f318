//! The direct way: each window of the input times the filters. Windows are read where they lie, in
//! rows that were copied with the zeros around them.

use pulp::{Arch, Simd, WithSimd};

use super::super::product::{DEPTH, GROUP, WIDTH, add_block, add_outer, add_rows};
use super::super::real::{Real, lanes, load};
use super::super::scratch::with_scratch;
use super::filters::Filters;
use super::grid::{Images, Position, Positions};
use super::scheme::{Correlation, Output, Panel, Scheme, panel_width};

/// How many numbers the rows of the input have that are copied at once, so that they stay in the
/// first cache, or the second.
const COPIED: usize = 1 << 12;

/// Any convolution. Its output can be spread: to every `step`th row and column from `phase` on.
pub struct Windows {
    pub input: Images,
    pub output: Images,
    pub taps: [usize; 2],
    pub stride: [usize; 2],
    /// From an output to its first input.
    pub offset: [isize; 2],
    pub step: [usize; 2],
    pub phase: [usize; 2],
}

/// Rows of positions of one image, and the rows of the input that they see.
struct Strip<'a, T> {
    /// The first.
    position: Position,
    rows: usize,
    input: &'a [T],
}

impl Windows {
    /// Positions of a row.
    fn columns(&self) -> usize {
        self.output.width.saturating_sub(self.phase[1]).div_ceil(self.step[1])
    }

    /// Numbers of a row of a window.
    fn run(&self) -> usize {
        self.taps[1] * self.input.channels
    }

    /// Numbers of a row that is copied.
    fn copied_row(&self) -> usize {
        let last = self.columns().saturating_sub(1);
        last * self.column_step() + self.run()
    }

    /// From a window to that of the next column.
    fn column_step(&self) -> usize {
        self.stride[1] * self.input.channels
    }

    /// From a window to that of the next row.
    fn row_step(&self) -> usize {
        self.stride[0] * self.copied_row()
    }

    /// How many rows of positions are worked on at once.
    fn strip_rows(&self) -> usize {
        (COPIED / self.row_step().max(1)).max(1)
    }

    /// Hands on strip after strip.
    fn for_each_strip<T: Real>(
        &self,
        input: &[T],
        mut positions: Positions,
        mut work: impl FnMut(Strip<T>),
    ) {
        let most = (self.strip_rows() - 1) * self.stride[0] + self.taps[0];
        // What is read behind the last row does not count.
        let behind = GROUP * self.column_step() + DEPTH;
        with_scratch([most * self.copied_row() + behind, 0], |[copied, _]| {
            while let Some((position, rows)) = positions.strip(self.strip_rows()) {
                self.copy(input, position, rows, copied);
                work(Strip { position, rows, input: copied });
            }
        });
    }

    /// Copies the rows of the input that some rows of positions see, zeros where there are none.
    fn copy<T: Real>(&self, input: &[T], position: Position, rows: usize, copied: &mut [T]) {
        let channels = self.input.channels.cast_signed();
        let first = (position.row * self.stride[0]).cast_signed() + self.offset[0];
        let rows = (rows - 1) * self.stride[0] + self.taps[0];
        let copied = copied.chunks_exact_mut(self.copied_row()).take(rows);
        for (row, copied) in (first..).zip(copied) {
            let row = row.cast_unsigned();
            let length = if row < self.input.height { self.input.row() } else { 0 };
            let start = self.input.start(position.image, row.min(self.input.height), 0);
            let pixels = input.get(start..start + length).unwrap_or_default();
            let skipped = (self.offset[1].max(0) * channels).cast_unsigned();
            let zeros = (-self.offset[1].min(0) * channels).cast_unsigned();
            let (zeros, rest) = copied.split_at_mut(zeros.min(copied.len()));
            let pixels = pixels.get(skipped..).unwrap_or_default();
            let pixels = pixels.get(..rest.len()).unwrap_or(pixels);
            let (inside, behind) = rest.split_at_mut(pixels.len());
            zeros.fill(T::zero());
            inside.copy_from_slice(pixels);
            behind.fill(T::zero());
        }
    }
}

impl<T: Real> Scheme<T> for Windows {
    fn output(&self) -> Images {
        self.output
    }

    fn step(&self) -> [usize; 2] {
        self.step
    }

    fn phase(&self) -> [usize; 2] {
        self.phase
    }

    fn batch(&self) -> usize {
        self.strip_rows() * self.columns()
    }

    fn rows(&self) -> usize {
        self.taps[0] * self.run()
    }

    fn gradient_rows(&self) -> usize {
        self.taps[0] * self.run()
    }

    fn correlate(&self, of: Correlation<T>, positions: Positions, mut output: Output<T>) {
        let rows = Scheme::<T>::rows(self);
        self.for_each_strip(of.input, positions, |strip| {
            for panel in of.panels(self.output.channels, rows) {
                Arch::new().dispatch(Forward {
                    windows: self,
                    strip: &strip,
                    panel,
                    output: &mut output,
                });
            }
        });
    }

    fn add_gradient(
        &self,
        [input, gradient]: [&[T]; 2],
        positions: Positions,
        sums: &mut [[T; WIDTH]],
    ) {
        let rows = Scheme::<T>::gradient_rows(self);
        self.for_each_strip(input, positions, |strip| {
            for (panel, sums) in sums.chunks_exact_mut(rows).enumerate() {
                Arch::new().dispatch(Gradient {
                    windows: self,
                    strip: &strip,
                    gradient,
                    panel,
                    sums,
                });
            }
        });
    }

    #[inline(always)]
    fn load_filters<S: Simd>(
        &self,
        _simd: S,
        filters: &Filters<T>,
        panel: usize,
        right: &mut [[T; WIDTH]],
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
    fn store_filters<S: Simd>(
        &self,
        _simd: S,
        sums: &[[T; WIDTH]],
        filters: &mut Filters<T, &mut [T]>,
    ) {
        for (tap, rows) in sums.chunks_exact(self.input.channels).enumerate() {
            let tap = [tap / self.taps[1], tap % self.taps[1]];
            for (channel, row) in rows.iter().enumerate() {
                filters.write(channel, tap, row);
            }
        }
    }
}

/// The output of a panel.
struct Forward<'a, 'o, T> {
    windows: &'a Windows,
    strip: &'a Strip<'a, T>,
    panel: Panel<'a, T>,
    output: &'a mut Output<'o, T>,
}

impl<T: Real> WithSimd for Forward<'_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match (S::REGISTER_COUNT < 32, self.panel.width <= lanes::<T, S>()) {
            (true, true) => self.run::<S, 4, 1>(simd),
            (true, false) => self.run::<S, 4, 2>(simd),
            (false, true) => self.run::<S, GROUP, 1>(simd),
            (false, false) => self.run::<S, GROUP, 2>(simd),
        }
    }
}

impl<T: Real> Forward<'_, '_, T> {
    /// `COLUMNS` positions at a time.
    #[inline(always)]
    fn run<S: Simd, const COLUMNS: usize, const REGISTERS: usize>(mut self, simd: S) {
        let (windows, rows) = (self.windows, self.strip.rows);
        for row in 0..rows {
            for column in (0..windows.columns()).step_by(COLUMNS) {
                let start = row * windows.row_step() + column * windows.column_step();
                for registers in 0..self.panel.width.div_ceil(REGISTERS * lanes::<T, S>()) {
                    let sums = self.sums::<S, COLUMNS, REGISTERS>(simd, start, registers);
                    self.store(simd, [row, column], registers, sums);
                }
            }
        }
    }

    #[inline(always)]
    fn sums<S: Simd, const COLUMNS: usize, const REGISTERS: usize>(
        &self,
        simd: S,
        start: usize,
        registers: usize,
    ) -> [[T::Vector<S>; REGISTERS]; COLUMNS] {
        let (windows, input) = (self.windows, self.strip.input);
        let mut sums = [[T::splat(simd, T::zero()); REGISTERS]; COLUMNS];
        for (y, filters) in self.panel.filters.chunks_exact(windows.run()).enumerate() {
            let start = start + y * windows.copied_row();
            for (start, filters) in (start..).step_by(DEPTH).zip(filters.chunks(DEPTH)) {
                let left = windows_at::<T, COLUMNS>(input, start, windows.column_step());
                let Some(left) = left else { continue };
                add_block(simd, left, filters, registers, &mut sums);
            }
        }
        sums
    }

    #[inline(always)]
    fn store<S: Simd, const COLUMNS: usize, const REGISTERS: usize>(
        &mut self,
        simd: S,
        [row, column]: [usize; 2],
        registers: usize,
        sums: [[T::Vector<S>; REGISTERS]; COLUMNS],
    ) {
        let (windows, Panel { index, width, bias, .. }) = (self.windows, self.panel);
        let row = (self.strip.position.row + row) * windows.step[0] + windows.phase[0];
        for (column, sums) in (column..windows.columns()).zip(sums) {
            let column = column * windows.step[1] + windows.phase[1];
            let start = windows.output.start(self.strip.position.image, row, column);
            let start = self.output.start_of(start, index);
            for (vector, sum) in (registers * REGISTERS..).zip(sums) {
                let value = T::plus(simd, sum, load(simd, bias, vector));
                match width {
                    WIDTH => self.output.store::<S, WIDTH>(simd, start, (vector, WIDTH), value),
                    width => self.output.store::<S, 0>(simd, start, (vector, width), value),
                }
            }
        }
    }
}

/// The beginnings of rows of windows, the first of which begins at `start`.
#[inline(always)]
fn windows_at<T: Real, const COLUMNS: usize>(
    input: &[T],
    start: usize,
    step: usize,
) -> Option<[&[T; DEPTH]; COLUMNS]> {
    let mut windows = [input.get(start..)?.first_chunk()?; COLUMNS];
    for (column, window) in windows.iter_mut().enumerate() {
        *window = input.get(start + column * step..)?.first_chunk()?;
    }
    Some(windows)
}

/// The gradient of a panel of the filters.
struct Gradient<'a, T> {
    windows: &'a Windows,
    strip: &'a Strip<'a, T>,
    /// Of the output.
    gradient: &'a [T],
    panel: usize,
    /// What is added to.
    sums: &'a mut [[T; WIDTH]],
}

impl<T: Real> WithSimd for Gradient<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let one = self.width() <= lanes::<T, S>() || S::REGISTER_COUNT < 32;
        match (self.windows.run() % 8, one) {
            (0, true) => self.run::<S, 8, 1>(simd),
            (0, false) => self.run::<S, 8, 2>(simd),
            (_, true) => self.run::<S, 9, 1>(simd),
            (_, false) => self.run::<S, 9, 2>(simd),
        }
    }
}

impl<T: Real> Gradient<'_, T> {
    fn width(&self) -> usize {
        panel_width(self.windows.output.channels, self.panel)
    }

    /// `ROWS` numbers of all windows at a time.
    #[inline(always)]
    fn run<S: Simd, const ROWS: usize, const REGISTERS: usize>(mut self, simd: S) {
        let windows = self.windows;
        let sums = std::mem::take(&mut self.sums);
        for (y, sums) in sums.chunks_exact_mut(windows.run()).enumerate() {
            let start = y * windows.copied_row();
            for (start, sums) in (start..).step_by(ROWS).zip(sums.chunks_mut(ROWS)) {
                for registers in 0..self.width().div_ceil(REGISTERS * lanes::<T, S>()) {
                    let added = self.products::<S, ROWS, REGISTERS>(simd, start, registers);
                    add_rows(simd, &added, registers, sums);
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
        let Self { windows, strip, gradient, panel, .. } = *self;
        let mut sums = [[T::splat(simd, T::zero()); REGISTERS]; ROWS];
        let first = windows.output.start(strip.position.image, strip.position.row, 0);
        let gradient = gradient.get(first..).unwrap_or_default();
        let rows = gradient.chunks_exact(windows.output.row()).take(strip.rows);
        for (row, gradient) in rows.enumerate() {
            let mut start = start + row * windows.row_step();
            for pixel in gradient.chunks_exact(windows.output.channels) {
                let window = strip.input.get(start..).and_then(<[T]>::first_chunk::<ROWS>);
                let Some(window) = window else { continue };
                let pixel = pixel.get(panel * WIDTH..).unwrap_or_default();
                let mut right = [T::splat(simd, T::zero()); REGISTERS];
                for (vector, right) in (registers * REGISTERS..).zip(&mut right) {
                    *right = load(simd, pixel, vector);
                }
                for (&number, sums) in window.iter().zip(&mut sums) {
                    add_outer(simd, number, &right, sums);
                }
                start += windows.column_step();
            }
        }
        sums
    }
}
