//! Winograd convolution F(4x4, 3x3) (Lavin and Gray 2016, arXiv:1509.09308): a tile of 4x4 outputs
//! takes 36 multiplications per channel pair instead of 144. The multiplications of all tiles are
//! 36 matrix products `[tiles, in_channels] x [in_channels, out_channels]`, one per tile element.

mod driver;
mod transforms_1d;
mod transforms_2d;

use pulp::Simd;

use self::transforms_2d::{
    Tile, transform_filter, transform_filter_gradient, transform_gradient, transform_input,
    transform_output,
};
use super::super::micro_kernel::{DEPTH, LhsBlock, PANEL, RhsBlock};
use super::super::simd_float::{SimdFloat, lanes, load, store};
use super::algorithm::{ConvAlgorithm, ConvInputs, OutputSlice, Panel};
use super::filter_view::FilterView;
use super::positions::{ImageShape, Position, Positions};

/// Height and width of a filter.
const KERNEL_SIZE: usize = 3;
/// Height and width of a tile of outputs.
const OUT_TILE: usize = 4;
/// Height and width of a tile of inputs.
const IN_TILE: usize = OUT_TILE + KERNEL_SIZE - 1;
/// Elements of a transformed tile, each with its own matrix product.
const ELEMENTS: usize = IN_TILE * IN_TILE;
/// Half of a panel.
const HALF_PANEL: usize = PANEL / 2;

/// 3x3 convolution with stride 1.
#[derive(Clone, Copy)]
pub struct Winograd {
    pub input: ImageShape,
    pub output: ImageShape,
    /// Offset from an output to its first input.
    pub offset: [isize; 2],
}

impl Winograd {
    /// Number of tiles of an output image.
    pub fn tiles(output: ImageShape) -> usize {
        output.height.div_ceil(OUT_TILE) * output.width.div_ceil(OUT_TILE)
    }

    /// Number of LHS blocks along the input channels.
    fn blocks(&self) -> usize {
        self.input.channels.div_ceil(DEPTH)
    }

    /// Rows of the packed filters of a tile element: one more than there are channels, since the
    /// elements of a channel would share a few sets of the cache if they were a power of 2 apart.
    fn element_rows(&self) -> usize {
        self.input.channels + 1
    }
}

impl<T: SimdFloat> ConvAlgorithm<T> for Winograd {
    fn output_shape(&self) -> ImageShape {
        self.output
    }

    fn output_step(&self) -> [usize; 2] {
        [OUT_TILE; 2]
    }

    fn output_phase(&self) -> [usize; 2] {
        [0; 2]
    }

    fn batch_size(&self) -> usize {
        driver::batch_size::<T>(self)
    }

    fn packed_rows(&self) -> usize {
        ELEMENTS * self.element_rows()
    }

    fn gradient_rows(&self) -> usize {
        ELEMENTS * self.blocks() * DEPTH
    }

    fn correlate(&self, of: ConvInputs<T>, positions: Positions, output: OutputSlice<T>) {
        driver::correlate(self, of, positions, output);
    }

    fn add_filter_gradient(&self, of: [&[T]; 2], positions: Positions, sums: &mut [[T; PANEL]]) {
        driver::add_filter_gradient(self, of, positions, sums);
    }

    #[inline(always)]
    fn pack_filters<S: Simd>(
        &self,
        simd: S,
        filters: &FilterView<T>,
        panel: usize,
        right: &mut [[T; PANEL]],
    ) {
        let mut filter = [[[T::zero(); PANEL]; KERNEL_SIZE]; KERNEL_SIZE];
        for channel in 0..self.input.channels {
            for (y, rows) in filter.iter_mut().enumerate() {
                for (x, row) in rows.iter_mut().enumerate() {
                    *row = filters.read(panel, channel, [y, x]);
                }
            }
            for vector in 0..PANEL / lanes::<T, S>() {
                let products = transform_filter::<T, S>(simd, vectors(simd, &filter, vector));
                let rows = right.iter_mut().skip(channel).step_by(self.element_rows());
                for (row, &product) in rows.zip(products.as_flattened()) {
                    store(simd, row, vector, product);
                }
            }
        }
    }

    #[inline(always)]
    fn unpack_filters<S: Simd>(
        &self,
        simd: S,
        sums: &[[T; PANEL]],
        filters: &mut FilterView<T, &mut [T]>,
    ) {
        let mut products = [[[T::zero(); PANEL]; IN_TILE]; IN_TILE];
        let mut filter = [[[T::zero(); PANEL]; KERNEL_SIZE]; KERNEL_SIZE];
        for channel in 0..self.input.channels {
            let sums = sums.iter().skip(channel).step_by(self.blocks() * DEPTH);
            let targets = products.as_flattened_mut().iter_mut();
            targets.zip(sums).for_each(|(target, sum)| *target = *sum);
            for vector in 0..PANEL / lanes::<T, S>() {
                let gradient =
                    transform_filter_gradient::<T, S>(simd, vectors(simd, &products, vector));
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
    /// Writes a transformed input tile to row `slot` of the LHS blocks. `padded` has room for a
    /// tile.
    #[inline(always)]
    fn load<T: SimdFloat, S: Simd>(
        &self,
        simd: S,
        input: &[T],
        position: Position,
        (slot, left): (usize, &mut [LhsBlock<T>]),
        padded: &mut [T],
    ) {
        let row = (OUT_TILE * position.row).cast_signed() + self.offset[0];
        let column = (OUT_TILE * position.column).cast_signed() + self.offset[1];
        let tile = Tile::<T, IN_TILE>::of(self.input, input, position.image, [row, column], padded);
        transform_input(simd, &tile, slot, left);
    }

    /// Writes a transformed output gradient tile to row `slot` of the RHS blocks. `padded` has room
    /// for a tile.
    #[inline(always)]
    fn load_gradient<T: SimdFloat, S: Simd>(
        &self,
        simd: S,
        gradient: &[T],
        position: Position,
        (slot, right): (usize, &mut [RhsBlock<T>]),
        padded: &mut [T],
    ) {
        let row = (OUT_TILE * position.row).cast_signed();
        let column = (OUT_TILE * position.column).cast_signed();
        let tile = Tile::of(self.output, gradient, position.image, [row, column], padded);
        transform_gradient(simd, &tile, slot, right);
    }

    /// Writes the output tile of row `slot` of a panel of the products.
    #[inline(always)]
    fn store<T: SimdFloat, S: Simd>(
        &self,
        simd: S,
        products: &[RhsBlock<T>],
        panel: Panel<T>,
        position: Position,
        slot: usize,
        output: &mut OutputSlice<T>,
    ) {
        match panel.width {
            PANEL => {
                self.store_pixels::<T, S, PANEL>(simd, products, panel, position, slot, output)
            }
            HALF_PANEL => {
                self.store_pixels::<T, S, HALF_PANEL>(simd, products, panel, position, slot, output)
            }
            _ => self.store_pixels::<T, S, 0>(simd, products, panel, position, slot, output),
        }
    }

    /// [`Winograd::store`] of a panel of `N` channels, or of any width if `N` is 0.
    #[inline(always)]
    fn store_pixels<T: SimdFloat, S: Simd, const N: usize>(
        &self,
        simd: S,
        products: &[RhsBlock<T>],
        panel: Panel<T>,
        position: Position,
        slot: usize,
        output: &mut OutputSlice<T>,
    ) {
        let mut starts = [[None; OUT_TILE]; OUT_TILE];
        for (row, starts) in (OUT_TILE * position.row..self.output.height).zip(&mut starts) {
            for (column, start) in (OUT_TILE * position.column..self.output.width).zip(starts) {
                let start_of_pixel = self.output.offset(position.image, row, column);
                *start = Some(output.start_of(start_of_pixel, panel.index));
            }
        }
        for vector in 0..panel.width.div_ceil(lanes::<T, S>()) {
            let bias = load(simd, panel.bias, vector);
            let tile = transform_output::<T, S>(simd, products, slot, vector);
            for (start, value) in starts.as_flattened().iter().zip(tile.as_flattened()) {
                let Some(start) = *start else { continue };
                let value = T::simd_add(simd, *value, bias);
                output.store::<S, N>(simd, start, (vector, panel.width), value);
            }
        }
    }
}

/// Loads vector `index` of each row.
#[inline(always)]
fn vectors<T: SimdFloat, S: Simd, const N: usize>(
    simd: S,
    rows: &[[[T; PANEL]; N]; N],
    index: usize,
) -> [[T::Vector<S>; N]; N] {
    let mut vectors = [[T::splat(simd, T::zero()); N]; N];
    for (vector, row) in vectors.as_flattened_mut().iter_mut().zip(rows.as_flattened()) {
        *vector = load(simd, row, index);
    }
    vectors
}
