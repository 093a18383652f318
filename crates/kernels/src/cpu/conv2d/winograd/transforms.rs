//! The transforms of tiles and filters, each of its rows and then of its columns.

use pulp::Simd;

use super::super::super::product::{DEPTH, GROUP, Left, Right, WIDTH};
use super::super::super::real::{Real, lanes, load, store};
use super::super::grid::Images;
use super::minimal::{gather, gather_filter, spread, spread_filter, transform};
use super::{PRODUCTS, SIZE, STEP, TILE};

/// A square of `N` x `N` pixels.
pub struct Tile<'a, T, const N: usize> {
    rows: [&'a [T]; N],
    channels: usize,
}

impl<'a, T: Real, const N: usize> Tile<'a, T, N> {
    /// The square from a row and column of an image on; `padded` has room for it.
    #[inline(always)]
    pub fn of(
        images: Images,
        numbers: &'a [T],
        image: usize,
        [row, column]: [isize; 2],
        padded: &'a mut [T],
    ) -> Self {
        let mut rows = [&[] as &[T]; N];
        let padded = padded.chunks_exact_mut(N * images.channels);
        for ((y, row), padded) in (row..).zip(&mut rows).zip(padded) {
            *row = images.pixels(numbers, image, [y, column], padded);
        }
        Self { rows, channels: images.channels }
    }

    /// Vector `index` of each pixel of a row, filled up with zeros behind the last channel.
    #[inline(always)]
    fn row<S: Simd>(&self, simd: S, row: &[T], index: usize) -> [T::Vector<S>; N] {
        let mut vectors = [T::splat(simd, T::zero()); N];
        if self.channels.is_multiple_of(lanes::<T, S>()) {
            let count = self.channels / lanes::<T, S>();
            let pixels = T::vectors::<S>(row).0;
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

/// A function of each row, without a loop: what is not in an array that a loop indexes stays in
/// registers.
macro_rules! of_rows {
    ($function:ident, $simd:expr, $rows:expr, [$($row:ident),+]) => {{
        let [$($row),+] = $rows;
        [$($function::<T, S>($simd, $row)),+]
    }};
}

/// `B^T d B` of each channel.
#[inline(always)]
pub fn transform_tile<T: Real, S: Simd>(
    simd: S,
    tile: &Tile<T, TILE>,
    slot: usize,
    left: &mut [Left<T>],
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
        let columns = of_rows!(transform, simd, transposed(rows), [a, b, c, d, e, f]);
        put(simd, columns, blocks, (slot, index % of_block));
    }
}

/// `A dy A^T` of each channel.
#[inline(always)]
pub fn transform_gradient<T: Real, S: Simd>(
    simd: S,
    tile: &Tile<T, STEP>,
    slot: usize,
    right: &mut [Right<T>],
) {
    let [a, b, c, d] = tile.rows;
    let of_block = WIDTH / lanes::<T, S>();
    for index in 0..tile.channels.div_ceil(lanes::<T, S>()) {
        let blocks = right.as_chunks_mut().0.get_mut(index / of_block);
        let Some(blocks) = blocks else { return };
        let rows = [
            spread::<T, S>(simd, tile.row(simd, a, index)),
            spread::<T, S>(simd, tile.row(simd, b, index)),
            spread::<T, S>(simd, tile.row(simd, c, index)),
            spread::<T, S>(simd, tile.row(simd, d, index)),
        ];
        let columns = of_rows!(spread, simd, transposed(rows), [a, b, c, d, e, f]);
        put(simd, columns, blocks, (slot, index % of_block));
    }
}

/// Writes columns to the blocks of the products.
#[inline(always)]
fn put<T: Real, S: Simd, const W: usize>(
    simd: S,
    columns: [[T::Vector<S>; TILE]; TILE],
    blocks: &mut [[[T; W]; GROUP]; PRODUCTS],
    (slot, lane): (usize, usize),
) {
    let values = transposed(columns);
    for (block, &value) in blocks.iter_mut().zip(values.as_flattened()) {
        if let Some(row) = block.get_mut(slot) {
            store(simd, row, lane, value);
        }
    }
}

/// `A^T m A`
#[inline(always)]
pub fn inverse_transform<T: Real, S: Simd>(
    simd: S,
    products: &[Right<T>],
    slot: usize,
    vector: usize,
) -> [[T::Vector<S>; STEP]; STEP] {
    let mut values = [[T::splat(simd, T::zero()); TILE]; TILE];
    for (value, product) in values.as_flattened_mut().iter_mut().zip(products) {
        if let Some(product) = product.get(slot) {
            *value = load(simd, product, vector);
        }
    }
    let rows = of_rows!(gather, simd, values, [a, b, c, d, e, f]);
    transposed(of_rows!(gather, simd, transposed(rows), [a, b, c, d]))
}

/// `G g G^T` of as many filters as a vector has lanes.
#[inline(always)]
pub fn transform_filter<T: Real, S: Simd>(
    simd: S,
    filter: [[T::Vector<S>; SIZE]; SIZE],
) -> [[T::Vector<S>; TILE]; TILE] {
    let rows = of_rows!(spread_filter, simd, filter, [a, b, c]);
    transposed(of_rows!(spread_filter, simd, transposed(rows), [a, b, c, d, e, f]))
}

/// `G^T du G` of as many filters as a vector has lanes.
#[inline(always)]
pub fn filter_gradient<T: Real, S: Simd>(
    simd: S,
    products: [[T::Vector<S>; TILE]; TILE],
) -> [[T::Vector<S>; SIZE]; SIZE] {
    let rows = of_rows!(gather_filter, simd, products, [a, b, c, d, e, f]);
    transposed(of_rows!(gather_filter, simd, transposed(rows), [a, b, c]))
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
