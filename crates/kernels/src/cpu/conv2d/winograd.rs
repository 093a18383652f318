//! Winograd's minimal filtering F(2x2, 3x3) (Lavin and Gray 2016): 16 products instead of 36 for
//! a tile of 2 x 2 outputs.

mod driver;
mod filters;

use pulp::Simd;

use self::filters::{filter_gradient, transform_filter};
use super::super::product::{DEPTH, GROUP, Left, Right, WIDTH};
use super::super::real::{Real, lanes, load, store};
use super::filters::Filters;
use super::grid::{Images, Position, Positions};
use super::scheme::{Correlation, Output, Panel, Scheme};

/// Outputs of a tile, in each direction.
const STEP: usize = 2;
/// Inputs of a tile, in each direction.
const TILE: usize = 4;
/// How many products there are, each with its own matrices.
const PRODUCTS: usize = TILE * TILE;
/// Half the channels of a panel.
const HALF: usize = WIDTH / 2;

/// A convolution 3 x 3 with stride 1.
pub struct Winograd<T> {
    input: Images,
    output: Images,
    /// From an output to its first input.
    offset: [isize; 2],
    /// One for each channel of the input, and of the output.
    zeros: [Vec<T>; 2],
}

impl<T: Real> Winograd<T> {
    /// From `input` to `output`, each of which has its first input `offset` away.
    pub fn new(input: Images, output: Images, offset: [isize; 2]) -> Self {
        let zeros = [input, output].map(|images| vec![T::zero(); images.channels]);
        Self { input, output, offset, zeros }
    }

    /// The blocks of a row of a left matrix.
    fn blocks(&self) -> usize {
        self.input.channels.div_ceil(DEPTH)
    }
}

impl<T: Real> Scheme<T> for Winograd<T> {
    fn output(&self) -> Images {
        self.output
    }

    fn step(&self) -> [usize; 2] {
        [STEP; 2]
    }

    fn phase(&self) -> [usize; 2] {
        [0; 2]
    }

    fn batch(&self) -> usize {
        driver::batch(self)
    }

    fn rows(&self) -> usize {
        PRODUCTS * self.input.channels
    }

    fn gradient_rows(&self) -> usize {
        PRODUCTS * self.blocks() * DEPTH
    }

    fn correlate(&self, of: Correlation<T>, positions: Positions, output: Output<T>) {
        driver::correlate(self, of, positions, output);
    }

    fn add_gradient(&self, of: [&[T]; 2], positions: Positions, sums: &mut [[T; WIDTH]]) {
        driver::add_gradient(self, of, positions, sums);
    }

    #[inline(always)]
    fn load_filters<S: Simd>(
        &self,
        simd: S,
        filters: &Filters<T>,
        panel: usize,
        right: &mut [[T; WIDTH]],
    ) {
        let channels = self.input.channels;
        let mut filter = [[[T::zero(); WIDTH]; 3]; 3];
        for channel in 0..channels {
            for (y, rows) in filter.iter_mut().enumerate() {
                for (x, row) in rows.iter_mut().enumerate() {
                    filters.read(panel, channel, [y, x], row);
                }
            }
            for vector in 0..WIDTH / lanes::<T, S>() {
                let products = transform_filter::<T, S>(simd, vectors(simd, &filter, vector));
                let rows = right.iter_mut().skip(channel).step_by(channels);
                for (row, &product) in rows.zip(products.as_flattened()) {
                    store(simd, row, vector, product);
                }
            }
        }
    }

    #[inline(always)]
    fn store_filters<S: Simd>(
        &self,
        simd: S,
        sums: &[[T; WIDTH]],
        filters: &mut Filters<T, &mut [T]>,
    ) {
        let (mut products, mut filter) =
            ([[[T::zero(); WIDTH]; TILE]; TILE], [[[T::zero(); WIDTH]; 3]; 3]);
        for channel in 0..self.input.channels {
            let sums = sums.iter().skip(channel).step_by(self.blocks() * DEPTH);
            let places = products.as_flattened_mut().iter_mut();
            places.zip(sums).for_each(|(place, sum)| *place = *sum);
            for vector in 0..WIDTH / lanes::<T, S>() {
                let gradient = filter_gradient::<T, S>(simd, vectors(simd, &products, vector));
                let rows = filter.as_flattened_mut().iter_mut();
                for (row, &gradient) in rows.zip(gradient.as_flattened()) {
                    store(simd, row, vector, gradient);
                }
            }
            for (y, rows) in filter.iter().enumerate() {
                for (x, row) in rows.iter().enumerate() {
                    filters.write(channel, [y, x], row);
                }
            }
        }
    }
}

impl<T: Real> Winograd<T> {
    /// Fills row `slot` of the left blocks of all products.
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
        let [zeros, _] = &self.zeros;
        let mut pixels = [[zeros.as_slice(); TILE]; TILE];
        for (y, pixels) in (row..).zip(&mut pixels) {
            *pixels = self.input.pixels(input, position.image, [y, column], zeros);
        }
        let tile = Tile::<T, S, _>::new(pixels, zeros.len());
        transform_tile(simd, &tile, slot, left);
    }

    /// Fills row `slot` of the right blocks of all products with what the gradient of the output
    /// is to them.
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
        let [_, zeros] = &self.zeros;
        let mut pixels = [[zeros.as_slice(); STEP]; STEP];
        for (y, pixels) in (row..).zip(&mut pixels) {
            *pixels = self.output.pixels(gradient, position.image, [y, column], zeros);
        }
        let tile = Tile::<T, S, _>::new(pixels, zeros.len());
        transform_gradient(simd, &tile, slot, right);
    }

    /// Writes the output from row `slot` of a panel of the products.
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
        match panel.width {
            WIDTH => self.store_pixels::<S, WIDTH>(simd, products, panel, position, slot, output),
            HALF => self.store_pixels::<S, HALF>(simd, products, panel, position, slot, output),
            _ => self.store_pixels::<S, 0>(simd, products, panel, position, slot, output),
        }
    }

    /// [`Winograd::store`] of `N` channels; of any number of them where that is 0.
    #[inline(always)]
    fn store_pixels<S: Simd, const N: usize>(
        &self,
        simd: S,
        products: &[Right<T>],
        panel: Panel<T>,
        position: Position,
        slot: usize,
        output: &mut Output<T>,
    ) {
        let mut starts = [[None; STEP]; STEP];
        for (row, starts) in (STEP * position.row..self.output.height).zip(&mut starts) {
            for (column, start) in (STEP * position.column..self.output.width).zip(starts) {
                let start_of_pixel = self.output.start(position.image, row, column);
                *start = Some(output.start_of(start_of_pixel, panel.index));
            }
        }
        for vector in 0..panel.width.div_ceil(lanes::<T, S>()) {
            let bias = load(simd, panel.bias, vector);
            let tile = inverse_transform::<T, S>(simd, products, slot, vector);
            for (start, value) in starts.as_flattened().iter().zip(tile.as_flattened()) {
                let Some(start) = *start else { continue };
                let value = T::plus(simd, *value, bias);
                output.store::<S, N>(simd, start, (vector, panel.width), value);
            }
        }
    }
}

/// A square of pixels, and how many whole vectors each is.
struct Tile<'a, T: Real, S: Simd, const N: usize> {
    vectors: [[&'a [T::Vector<S>]; N]; N],
    /// What is left of each.
    rests: [[&'a [T]; N]; N],
    whole: usize,
    /// Whether anything is left of them.
    is_split: bool,
}

impl<'a, T: Real, S: Simd, const N: usize> Tile<'a, T, S, N> {
    /// Of pixels of so many channels.
    #[inline(always)]
    #[expect(clippy::indexing_slicing, reason = "both indices are below the arrays' lengths")]
    fn new(pixels: [[&'a [T]; N]; N], channels: usize) -> Self {
        let mut vectors = [[&[] as &[T::Vector<S>]; N]; N];
        let mut rests = pixels;
        for y in 0..N {
            for x in 0..N {
                (vectors[y][x], rests[y][x]) = T::vectors::<S>(pixels[y][x]);
            }
        }
        let (whole, rest) = (channels / lanes::<T, S>(), channels % lanes::<T, S>());
        Self { vectors, rests, whole, is_split: rest > 0 }
    }

    /// Vector `index` of each pixel, zeros behind the end.
    #[inline(always)]
    #[expect(clippy::indexing_slicing, reason = "all indices are below the lengths")]
    fn load(&self, simd: S, index: usize) -> [[T::Vector<S>; N]; N] {
        let mut tile = [[T::splat(simd, T::zero()); N]; N];
        for (y, values) in tile.iter_mut().enumerate() {
            for (x, value) in values.iter_mut().enumerate() {
                if index < self.whole {
                    *value = self.vectors[y][x][index];
                } else if index == self.whole && self.is_split {
                    *value = T::load_part(simd, self.rests[y][x]);
                }
            }
        }
        tile
    }
}

/// `B^T d B` of each channel.
#[inline(always)]
fn transform_tile<T: Real, S: Simd>(
    simd: S,
    tile: &Tile<T, S, TILE>,
    slot: usize,
    left: &mut [Left<T>],
) {
    let mut index = 0;
    for blocks in left.as_chunks_mut::<{ TILE * TILE }>().0 {
        for lane in 0..DEPTH / lanes::<T, S>() {
            let mut tile = tile.load(simd, index);
            for values in &mut tile {
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
    pixels: &Tile<T, S, STEP>,
    slot: usize,
    right: &mut [Right<T>],
) {
    let mut index = 0;
    for blocks in right.as_chunks_mut::<{ TILE * TILE }>().0 {
        for lane in 0..WIDTH / lanes::<T, S>() {
            let mut tile = [[T::splat(simd, T::zero()); TILE]; STEP];
            for (values, pair) in tile.iter_mut().zip(pixels.load(simd, index)) {
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

/// Vector `index` of each row.
#[inline(always)]
fn vectors<T: Real, S: Simd, const N: usize>(
    simd: S,
    rows: &[[[T; WIDTH]; N]; N],
    index: usize,
) -> [[T::Vector<S>; N]; N] {
    let mut vectors = [[T::splat(simd, T::zero()); N]; N];
    for (vector, row) in vectors.as_flattened_mut().iter_mut().zip(rows.as_flattened()) {
        *vector = load(simd, row, index);
    }
    vectors
}
