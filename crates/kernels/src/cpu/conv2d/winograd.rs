//! Winograd's minimal filtering F(2x2, 3x3) (Lavin and Gray 2016): 16 products instead of 36 for
//! a tile of 2 x 2 outputs.

mod filters;

use pulp::Simd;

use self::filters::{filter_gradient, transform_filter};
use super::super::product::{DEPTH, GROUP, Left, Right, Transposed, WIDTH};
use super::super::real::{Real, load, store};
use super::filters::Filters;
use super::grid::{Images, Position};
use super::scheme::{Depth, Output, Panel, Scheme};

/// Outputs of a tile, in each direction.
const STEP: usize = 2;
/// Inputs of a tile, in each direction.
const TILE: usize = 4;

/// A convolution 3 x 3 with stride 1.
pub struct Winograd {
    pub input: Images,
    pub output: Images,
    /// From an output to its first input.
    pub offset: [isize; 2],
}

impl<T: Real> Scheme<T> for Winograd {
    const PRODUCTS: usize = TILE * TILE;

    fn output(&self) -> Images {
        self.output
    }

    fn step(&self) -> [usize; 2] {
        [STEP; 2]
    }

    fn phase(&self) -> [usize; 2] {
        [0; 2]
    }

    fn depth(&self) -> Depth {
        Depth { runs: 1, run: self.input.channels }
    }

    #[inline(always)]
    fn load<S: Simd>(
        &self,
        simd: S,
        input: &[T],
        position: Position,
        slot: usize,
        left: &mut [Left<T>],
    ) {
        let row = (STEP * position.row).cast_signed() + self.offset[0];
        let column = (STEP * position.column).cast_signed() + self.offset[1];
        let mut pixels = [[&[] as &[T]; TILE]; TILE];
        for (y, pixels) in (row..).zip(&mut pixels) {
            for (x, pixel) in (column..).zip(pixels) {
                *pixel = self.input.pixel(input, position.image, y, x);
            }
        }
        transform_tile(simd, &pixels, slot, left);
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
        let row = (STEP * position.row).cast_signed();
        let column = (STEP * position.column).cast_signed();
        let mut pixels = [[&[] as &[T]; STEP]; STEP];
        for (y, pixels) in (row..).zip(&mut pixels) {
            for (x, pixel) in (column..).zip(pixels) {
                *pixel = self.output.pixel(gradient, position.image, y, x);
            }
        }
        transform_gradient(simd, &pixels, slot, right);
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
        let Images { height, width, channels } = self.output;
        let (row, column) = (STEP * position.row, STEP * position.column);
        for vector in 0..lanes_in::<T, S>(WIDTH) {
            let bias = load(simd, panel.bias, vector);
            let tile = inverse_transform::<T, S>(simd, products, slot, vector);
            for (row, outputs) in (row..height).zip(tile) {
                for (column, value) in (column..width).zip(outputs) {
                    let start = self.output.start(position.image, row, column);
                    let pixel = output.panel(start, channels, panel.index);
                    store(simd, pixel, vector, T::plus(simd, value, bias));
                }
            }
        }
    }

    #[inline(always)]
    fn load_filters(&self, filters: &Filters<T>, panel: usize, right: &mut [[T; WIDTH]]) {
        let channels = self.input.channels;
        for channel in 0..channels {
            let mut filter = [[[T::zero(); WIDTH]; 3]; 3];
            for (y, rows) in filter.iter_mut().enumerate() {
                for (x, row) in rows.iter_mut().enumerate() {
                    filters.read(panel, channel, [y, x], row);
                }
            }
            let rows = right.iter_mut().skip(channel).step_by(channels);
            let products = transform_filter(&filter);
            rows.zip(products.as_flattened()).for_each(|(row, product)| *row = *product);
        }
    }

    #[inline(always)]
    fn store_filters(&self, sums: &[Transposed<T>], filters: &mut Filters<T, &mut [T]>) {
        let blocks = self.input.channels.div_ceil(DEPTH);
        for channel in 0..self.input.channels {
            let mut products = [[[T::zero(); WIDTH]; TILE]; TILE];
            let sums = sums.iter().skip(channel / DEPTH).step_by(blocks);
            for (product, sums) in products.as_flattened_mut().iter_mut().zip(sums) {
                sums.iter().skip(channel % DEPTH).take(1).for_each(|row| *product = *row);
            }
            for (y, rows) in filter_gradient(&products).iter().enumerate() {
                for (x, row) in rows.iter().enumerate() {
                    filters.write(channel, [y, x], row);
                }
            }
        }
    }
}

/// `B^T d B` of each channel.
#[inline(always)]
fn transform_tile<T: Real, S: Simd>(
    simd: S,
    pixels: &[[&[T]; TILE]; TILE],
    slot: usize,
    left: &mut [Left<T>],
) {
    let mut index = 0;
    for blocks in left.as_chunks_mut::<{ TILE * TILE }>().0 {
        for lane in 0..lanes_in::<T, S>(DEPTH) {
            let mut tile = [[T::splat(simd, T::zero()); TILE]; TILE];
            for (values, pixels) in tile.iter_mut().zip(pixels) {
                for (value, pixel) in values.iter_mut().zip(pixels) {
                    *value = load(simd, pixel, index);
                }
                *values = transform::<T, S>(simd, *values);
            }
            put(simd, transposed(tile), transform::<T, S>, blocks, (slot, lane));
            index += 1;
        }
    }
}

/// `A dy A^T` of each channel.
#[inline(always)]
fn transform_gradient<T: Real, S: Simd>(
    simd: S,
    pixels: &[[&[T]; STEP]; STEP],
    slot: usize,
    right: &mut [Right<T>],
) {
    let mut index = 0;
    for blocks in right.as_chunks_mut::<{ TILE * TILE }>().0 {
        for lane in 0..lanes_in::<T, S>(WIDTH) {
            let mut tile = [[T::splat(simd, T::zero()); TILE]; STEP];
            for (values, pixels) in tile.iter_mut().zip(pixels) {
                let [first, second] = *pixels;
                let pair = [load(simd, first, index), load(simd, second, index)];
                *values = spread::<T, S>(simd, pair);
            }
            put(simd, transposed(tile), spread::<T, S>, blocks, (slot, lane));
            index += 1;
        }
    }
}

/// Transforms columns and writes them to the blocks of the products.
#[inline(always)]
fn put<T: Real, S: Simd, const N: usize, const W: usize>(
    simd: S,
    columns: [[T::Vector<S>; N]; TILE],
    transform: impl Fn(S, [T::Vector<S>; N]) -> [T::Vector<S>; TILE],
    blocks: &mut [[[T; W]; GROUP]; TILE * TILE],
    (slot, lane): (usize, usize),
) {
    for (x, &column) in columns.iter().enumerate() {
        let values = transform(simd, column);
        for (block, value) in blocks.iter_mut().skip(x).step_by(TILE).zip(values) {
            if let Some(row) = block.get_mut(slot) {
                store(simd, row, lane, value);
            }
        }
    }
}

/// `A^T m A`
#[inline(always)]
fn inverse_transform<T: Real, S: Simd>(
    simd: S,
    products: &[Right<T>],
    slot: usize,
    vector: usize,
) -> [[T::Vector<S>; STEP]; STEP] {
    let mut rows = [[T::splat(simd, T::zero()); STEP]; TILE];
    for (products, row) in products.as_chunks::<TILE>().0.iter().zip(&mut rows) {
        let mut values = [T::splat(simd, T::zero()); TILE];
        for (product, value) in products.iter().zip(&mut values) {
            if let Some(product) = product.get(slot) {
                *value = load(simd, product, vector);
            }
        }
        *row = gather::<T, S>(simd, values);
    }
    let [left, right] = transposed(rows);
    transposed([gather::<T, S>(simd, left), gather::<T, S>(simd, right)])
}

/// `B^T d`
#[inline(always)]
fn transform<T: Real, S: Simd>(
    simd: S,
    [a, b, c, d]: [T::Vector<S>; TILE],
) -> [T::Vector<S>; TILE] {
    [T::minus(simd, a, c), T::plus(simd, b, c), T::minus(simd, c, b), T::minus(simd, b, d)]
}

/// `A dy`
#[inline(always)]
fn spread<T: Real, S: Simd>(simd: S, [a, b]: [T::Vector<S>; STEP]) -> [T::Vector<S>; TILE] {
    let zero = T::splat(simd, T::zero());
    [a, T::plus(simd, a, b), T::minus(simd, a, b), T::minus(simd, zero, b)]
}

/// `A^T m`
#[inline(always)]
fn gather<T: Real, S: Simd>(simd: S, [a, b, c, d]: [T::Vector<S>; TILE]) -> [T::Vector<S>; STEP] {
    let (sum, difference) = (T::plus(simd, b, c), T::minus(simd, b, c));
    [T::plus(simd, a, sum), T::minus(simd, difference, d)]
}

#[inline(always)]
#[expect(clippy::indexing_slicing, reason = "all indices are below the arrays' lengths")]
fn transposed<V: Copy, const M: usize, const N: usize>(rows: [[V; N]; M]) -> [[V; M]; N] {
    // A closure would be a function of its own, without the vectors of this processor.
    let mut columns = [[rows[0][0]; M]; N];
    for m in 0..M {
        for n in 0..N {
            columns[n][m] = rows[m][n];
        }
    }
    columns
}

/// How many vectors so many numbers are.
#[inline(always)]
const fn lanes_in<T: Real, S: Simd>(numbers: usize) -> usize {
    numbers * size_of::<T>() / size_of::<T::Vector<S>>()
}
