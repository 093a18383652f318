//! Two-dimensional transforms of tiles and filters: of the rows, then of the columns.

use pulp::Simd;

use super::super::super::micro_kernel::{BLOCK_ROWS, DEPTH, LhsBlock, PANEL, RhsBlock};
use super::super::super::simd_float::{SimdFloat, lanes, load, store};
use super::super::positions::ImageShape;
use super::transforms_1d::{
    filter_transform, filter_transpose, output_transform, output_transpose, transform,
};
use super::{ELEMENTS, IN_TILE, KERNEL_SIZE, OUT_TILE};

/// Tile of `N` x `N` pixels.
pub struct Tile<'a, T, const N: usize> {
    rows: [&'a [T]; N],
    channels: usize,
}

impl<'a, T: SimdFloat, const N: usize> Tile<'a, T, N> {
    /// Reads the tile at `[row, column]` of an image. `padded` has room for a tile.
    #[inline(always)]
    pub fn of(
        images: ImageShape,
        values: &'a [T],
        image: usize,
        [row, column]: [isize; 2],
        padded: &'a mut [T],
    ) -> Self {
        let mut rows = [&[] as &[T]; N];
        let padded = padded.chunks_exact_mut(N * images.channels);
        for ((y, row), padded) in (row..).zip(&mut rows).zip(padded) {
            *row = images.row_segment(values, image, [y, column], padded);
        }
        Self { rows, channels: images.channels }
    }

    /// Loads vector `index` of each pixel of a row, padded with zeros after the last channel.
    #[inline(always)]
    fn row<S: Simd>(&self, simd: S, row: &[T], index: usize) -> [T::Vector<S>; N] {
        let mut vectors = [T::splat(simd, T::zero()); N];
        if self.channels.is_multiple_of(lanes::<T, S>()) {
            let count = self.channels / lanes::<T, S>();
            let pixels = T::as_vectors::<S>(row).0;
            for (x, vector) in vectors.iter_mut().enumerate() {
                if let Some(&of_pixel) = pixels.get(x * count + index) {
                    *vector = of_pixel;
                }
            }
        } else {
            for (vector, pixel) in vectors.iter_mut().zip(row.chunks_exact(self.channels)) {
                *vector = load(simd, pixel, index);
            }
        }
        vectors
    }
}

/// Applies a function to each row. Unrolled, because arrays that are indexed in a loop do not stay
/// in registers.
macro_rules! from_rows {
    ($function:ident, $simd:expr, $rows:expr, [$($row:ident),+]) => {{
        let [$($row),+] = $rows;
        [$($function::<T, S>($simd, $row)),+]
    }};
}

/// Input transform `B^T d B` of each channel.
#[inline(always)]
pub fn transform_input<T: SimdFloat, S: Simd>(
    simd: S,
    tile: &Tile<T, IN_TILE>,
    slot: usize,
    left: &mut [LhsBlock<T>],
) {
    let [a, b, c, d, e, f] = tile.rows;
    let of_block = DEPTH / lanes::<T, S>();
    for index in 0..tile.channels.div_ceil(lanes::<T, S>()) {
        let blocks = left.as_chunks_mut().0.get_mut(index / of_block);
        let Some(blocks) = blocks else { return };
        let rows = [
            transform::<T, S>(simd, tile.row(simd, a, index)),
            transform::<T, S>(simd, tile.row(simd, b, index)),
            transform::<T, S>(simd, tile.row(simd, c, index)),
            transform::<T, S>(simd, tile.row(simd, d, index)),
            transform::<T, S>(simd, tile.row(simd, e, index)),
            transform::<T, S>(simd, tile.row(simd, f, index)),
        ];
        let columns = from_rows!(transform, simd, transposed(rows), [a, b, c, d, e, f]);
        put(simd, columns, blocks, (slot, index % of_block));
    }
}

/// Transform of the output gradient, `A dy A^T`, of each channel.
#[inline(always)]
pub fn transform_gradient<T: SimdFloat, S: Simd>(
    simd: S,
    tile: &Tile<T, OUT_TILE>,
    slot: usize,
    right: &mut [RhsBlock<T>],
) {
    let [a, b, c, d] = tile.rows;
    let of_block = PANEL / lanes::<T, S>();
    for index in 0..tile.channels.div_ceil(lanes::<T, S>()) {
        let blocks = right.as_chunks_mut().0.get_mut(index / of_block);
        let Some(blocks) = blocks else { return };
        let rows = [
            output_transpose::<T, S>(simd, tile.row(simd, a, index)),
            output_transpose::<T, S>(simd, tile.row(simd, b, index)),
            output_transpose::<T, S>(simd, tile.row(simd, c, index)),
            output_transpose::<T, S>(simd, tile.row(simd, d, index)),
        ];
        let columns = from_rows!(output_transpose, simd, transposed(rows), [a, b, c, d, e, f]);
        put(simd, columns, blocks, (slot, index % of_block));
    }
}

/// Stores a transformed tile, given by columns, to row `slot` of the blocks.
#[inline(always)]
fn put<T: SimdFloat, S: Simd, const W: usize>(
    simd: S,
    columns: [[T::Vector<S>; IN_TILE]; IN_TILE],
    blocks: &mut [[[T; W]; BLOCK_ROWS]; ELEMENTS],
    (slot, lane): (usize, usize),
) {
    let values = transposed(columns);
    for (block, &value) in blocks.iter_mut().zip(values.as_flattened()) {
        if let Some(row) = block.get_mut(slot) {
            store(simd, row, lane, value);
        }
    }
}

/// Output transform `A^T m A`.
#[inline(always)]
pub fn transform_output<T: SimdFloat, S: Simd>(
    simd: S,
    products: &[RhsBlock<T>],
    slot: usize,
    vector: usize,
) -> [[T::Vector<S>; OUT_TILE]; OUT_TILE] {
    let mut values = [[T::splat(simd, T::zero()); IN_TILE]; IN_TILE];
    for (value, product) in values.as_flattened_mut().iter_mut().zip(products) {
        if let Some(product) = product.get(slot) {
            *value = load(simd, product, vector);
        }
    }
    let rows = from_rows!(output_transform, simd, values, [a, b, c, d, e, f]);
    transposed(from_rows!(output_transform, simd, transposed(rows), [a, b, c, d]))
}

/// Filter transform `G g G^T`, one filter per lane.
#[inline(always)]
pub fn transform_filter<T: SimdFloat, S: Simd>(
    simd: S,
    filter: [[T::Vector<S>; KERNEL_SIZE]; KERNEL_SIZE],
) -> [[T::Vector<S>; IN_TILE]; IN_TILE] {
    let rows = from_rows!(filter_transform, simd, filter, [a, b, c]);
    transposed(from_rows!(filter_transform, simd, transposed(rows), [a, b, c, d, e, f]))
}

/// Transform of the filter gradient, `G^T du G`, one filter per lane.
#[inline(always)]
pub fn transform_filter_gradient<T: SimdFloat, S: Simd>(
    simd: S,
    products: [[T::Vector<S>; IN_TILE]; IN_TILE],
) -> [[T::Vector<S>; KERNEL_SIZE]; KERNEL_SIZE] {
    let rows = from_rows!(filter_transpose, simd, products, [a, b, c, d, e, f]);
    transposed(from_rows!(filter_transpose, simd, transposed(rows), [a, b, c]))
}

#[inline(always)]
#[expect(clippy::indexing_slicing, reason = "all indices are below the arrays' lengths")]
fn transposed<V: Copy, const M: usize, const N: usize>(rows: [[V; N]; M]) -> [[V; M]; N] {
    // A closure would be compiled as a separate function without the vector instructions.
    let mut columns = [[rows[0][0]; M]; N];
    for m in 0..M {
        for n in 0..N {
            columns[n][m] = rows[m][n];
        }
    }
    columns
}
