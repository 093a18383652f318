//! Winograd's minimal filtering F(4x4, 3x3) (Lavin and Gray 2016): 36 products instead of 144 for
//! a tile of 4 x 4 outputs.

mod driver;
mod minimal;
mod transforms;

use pulp::Simd;

use self::transforms::{
    Tile, filter_gradient, inverse_transform, transform_filter, transform_gradient, transform_tile,
};
use super::super::product::{DEPTH, Left, Right, WIDTH};
use super::super::real::{Real, lanes, load, store};
use super::filters::Filters;
use super::grid::{Images, Position, Positions};
use super::scheme::{Correlation, Output, Panel, Scheme};

/// Rows and columns of a filter.
const SIZE: usize = 3;
/// Outputs of a tile, in each direction.
const STEP: usize = 4;
/// Inputs of a tile, in each direction.
const TILE: usize = STEP + SIZE - 1;
/// How many products there are, each with its own matrices.
const PRODUCTS: usize = TILE * TILE;
/// Half the channels of a panel.
const HALF: usize = WIDTH / 2;

/// A convolution 3 x 3 with stride 1.
#[derive(Clone, Copy)]
pub struct Winograd {
    pub input: Images,
    pub output: Images,
    /// From an output to its first input.
    pub offset: [isize; 2],
}

impl Winograd {
    /// The blocks of a row of a left matrix.
    fn blocks(&self) -> usize {
        self.input.channels.div_ceil(DEPTH)
    }
}

impl<T: Real> Scheme<T> for Winograd {
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
        driver::batch::<T>(self)
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
        let mut filter = [[[T::zero(); WIDTH]; SIZE]; SIZE];
        for channel in 0..channels {
            for (y, rows) in filter.iter_mut().enumerate() {
                for (x, row) in rows.iter_mut().enumerate() {
                    *row = filters.read(panel, channel, [y, x]);
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
        let mut products = [[[T::zero(); WIDTH]; TILE]; TILE];
        let mut filter = [[[T::zero(); WIDTH]; SIZE]; SIZE];
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

impl Winograd {
    /// Fills row `slot` of the left blocks of all products. `padded` has room for a tile.
    #[inline(always)]
    fn load<T: Real, S: Simd>(
        &self,
        simd: S,
        input: &[T],
        position: Position,
        (slot, left): (usize, &mut [Left<T>]),
        padded: &mut [T],
    ) {
        let row = (STEP * position.row).cast_signed() + self.offset[0];
        let column = (STEP * position.column).cast_signed() + self.offset[1];
        let tile = Tile::<T, TILE>::of(self.input, input, position.image, [row, column], padded);
        transform_tile(simd, &tile, slot, left);
    }

    /// Fills row `slot` of the right blocks of all products with what the gradient of the output
    /// is to them. `padded` has room for a tile of it.
    #[inline(always)]
    fn load_gradient<T: Real, S: Simd>(
        &self,
        simd: S,
        gradient: &[T],
        position: Position,
        (slot, right): (usize, &mut [Right<T>]),
        padded: &mut [T],
    ) {
        let row = (STEP * position.row).cast_signed();
        let column = (STEP * position.column).cast_signed();
        let tile = Tile::of(self.output, gradient, position.image, [row, column], padded);
        transform_gradient(simd, &tile, slot, right);
    }

    /// Writes the output from row `slot` of a panel of the products.
    #[inline(always)]
    fn store<T: Real, S: Simd>(
        &self,
        simd: S,
        products: &[Right<T>],
        panel: Panel<T>,
        position: Position,
        slot: usize,
        output: &mut Output<T>,
    ) {
        match panel.width {
            WIDTH => {
                self.store_pixels::<T, S, WIDTH>(simd, products, panel, position, slot, output)
            }
            HALF => self.store_pixels::<T, S, HALF>(simd, products, panel, position, slot, output),
            _ => self.store_pixels::<T, S, 0>(simd, products, panel, position, slot, output),
        }
    }

    /// [`Winograd::store`] of `N` channels; of any number of them where that is 0.
    #[inline(always)]
    fn store_pixels<T: Real, S: Simd, const N: usize>(
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
