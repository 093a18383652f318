//! The direct way: one product of the patches of the input with the filters.

use pulp::Simd;

use super::super::product::{DEPTH, Left, Right, Transposed, WIDTH};
use super::super::real::{Real, lanes, load};
use super::filters::Filters;
use super::grid::{Images, Position};
use super::scheme::{Depth, Output, Panel, Scheme};

/// Any convolution. Its output can be spread: to every `step`th row and column from `phase` on.
pub struct Patches {
    pub input: Images,
    pub output: Images,
    pub taps: [usize; 2],
    pub stride: [usize; 2],
    /// From an output to its first input.
    pub offset: [isize; 2],
    pub step: [usize; 2],
    pub phase: [usize; 2],
}

impl Patches {
    fn output_start(&self, position: Position) -> usize {
        let row = position.row * self.step[0] + self.phase[0];
        let column = position.column * self.step[1] + self.phase[1];
        self.output.start(position.image, row, column)
    }

    /// Fills a row of blocks from some pixels in a row, which are inside of the image.
    #[inline(always)]
    fn copy_run<T: Real>(mut input: &[T], slot: usize, blocks: &mut [Left<T>]) {
        // What is read too much does not count.
        for block in blocks {
            let Some(place) = block.get_mut(slot) else { continue };
            if let Some((whole, rest)) = input.split_first_chunk() {
                *place = *whole;
                input = rest;
            } else {
                place.iter_mut().zip(input).for_each(|(place, &number)| *place = number);
            }
        }
    }

    /// Fills a row of blocks from pixels in a row that begins left of the image or ends right of
    /// it.
    #[inline(always)]
    fn copy_edge<T: Real>(&self, row: &[T], column: isize, slot: usize, blocks: &mut [Left<T>]) {
        let before = column.min(0).unsigned_abs() * self.input.channels;
        let start = column.max(0).cast_unsigned() * self.input.channels;
        let numbers = row.get(start..).unwrap_or_default();
        for (block, first) in blocks.iter_mut().zip((0..).step_by(DEPTH)) {
            let Some(place) = block.get_mut(slot) else { continue };
            place.fill(T::zero());
            let numbers = numbers.get(usize::saturating_sub(first, before)..).unwrap_or_default();
            let place = place.iter_mut().skip(before.saturating_sub(first));
            place.zip(numbers).for_each(|(place, &number)| *place = number);
        }
    }
}

impl<T: Real> Scheme<T> for Patches {
    const PRODUCTS: usize = 1;

    fn output(&self) -> Images {
        self.output
    }

    fn step(&self) -> [usize; 2] {
        self.step
    }

    fn phase(&self) -> [usize; 2] {
        self.phase
    }

    fn depth(&self) -> Depth {
        Depth { runs: self.taps[0], run: self.taps[1] * self.input.channels }
    }

    #[inline(always)]
    fn load<S: Simd>(
        &self,
        _simd: S,
        input: &[T],
        position: Position,
        slot: usize,
        left: &mut [Left<T>],
    ) {
        let Images { height, width, channels } = self.input;
        let row = (position.row * self.stride[0]).cast_signed() + self.offset[0];
        let column = (position.column * self.stride[1]).cast_signed() + self.offset[1];
        let inside = column >= 0 && column.cast_unsigned() + self.taps[1] <= width;
        let run = (self.taps[1] * channels).div_ceil(DEPTH);
        let mut left = left;
        for row in (row..).take(self.taps[0]) {
            let Some((blocks, rest)) = left.split_at_mut_checked(run) else { return };
            left = rest;
            let row = row.cast_unsigned();
            let start = self.input.start(position.image, row.min(height), 0);
            if inside && row < height {
                let start = start + column.cast_unsigned() * channels;
                Self::copy_run(input.get(start..).unwrap_or_default(), slot, blocks);
            } else {
                let length = if row < height { self.input.row() } else { 0 };
                let row = input.get(start..start + length).unwrap_or_default();
                self.copy_edge(row, column, slot, blocks);
            }
        }
    }

    #[inline(always)]
    fn load_gradient<S: Simd>(
        &self,
        simd: S,
        gradient: &[T],
        position: Position,
        slot: usize,
        right: &mut [Right<T>],
    ) {
        let start = self.output_start(position);
        let pixel = gradient.get(start..start + self.output.channels).unwrap_or_default();
        let panels = pixel.chunks(WIDTH);
        for (block, panel) in right.iter_mut().zip(panels) {
            let Some(row) = block.get_mut(slot) else { continue };
            for (vector, place) in T::vectors_mut::<S>(row).0.iter_mut().enumerate() {
                *place = load(simd, panel, vector);
            }
        }
    }

    #[inline(always)]
    fn store<S: Simd>(
        &self,
        simd: S,
        products: &[Right<T>],
        panel: Panel<T>,
        position: Position,
        slot: usize,
        output: &mut Output<T>,
    ) {
        let start = output.start_of(self.output_start(position), panel.index);
        let sums = products.first().and_then(|products| products.get(slot));
        let Some(sums) = sums else { return };
        for vector in 0..panel.width.div_ceil(lanes::<T, S>()) {
            let value = T::plus(simd, load(simd, sums, vector), load(simd, panel.bias, vector));
            match panel.width {
                WIDTH => output.store::<S, WIDTH>(simd, start, (vector, WIDTH), value),
                width => output.store::<S, 0>(simd, start, (vector, width), value),
            }
        }
    }

    fn load_filters(&self, filters: &Filters<T>, panel: usize, right: &mut [[T; WIDTH]]) {
        let channels = self.input.channels;
        for (tap, rows) in right.chunks_exact_mut(channels).enumerate() {
            let tap = [tap / self.taps[1], tap % self.taps[1]];
            for (channel, row) in rows.iter_mut().enumerate() {
                filters.read(panel, channel, tap, row);
            }
        }
    }

    fn store_filters(&self, sums: &[Transposed<T>], filters: &mut Filters<T, &mut [T]>) {
        let (channels, run) = (self.input.channels, self.taps[1] * self.input.channels);
        for (y, blocks) in sums.chunks_exact(run.div_ceil(DEPTH)).enumerate() {
            for (index, row) in blocks.as_flattened().iter().take(run).enumerate() {
                filters.write(index % channels, [y, index / channels], row);
            }
        }
    }
}
