use pulp::{Arch, Simd, WithSimd};

use super::super::super::product::{
    self, DEPTH, GROUP, Left, Right, Transposed, WIDTH, multiply, multiply_transposed,
};
use super::super::super::real::Real;
use super::super::super::scratch::with_scratch;
use super::super::grid::Positions;
use super::super::scheme::{Correlation, Output, Panel, panel_width};
use super::{PRODUCTS, STEP, TILE, Winograd};

/// How many bytes of left blocks are filled before they are multiplied, so that they stay in the
/// second cache.
const BATCH: usize = 256 << 10;
/// The most positions of a batch.
const POSITIONS: usize = 128;

/// How many positions are worked on at once.
pub fn batch<T: Real>(tiles: &Winograd) -> usize {
    let bytes = PRODUCTS * tiles.blocks() * size_of::<Left<T>>();
    GROUP * (BATCH / bytes.max(1)).clamp(1, POSITIONS / GROUP)
}

/// Computes some positions of a convolution.
pub fn correlate<T: Real>(
    tiles: &Winograd,
    of: Correlation<T>,
    positions: Positions,
    output: Output<T>,
) {
    let groups = batch::<T>(tiles) / GROUP;
    let left = groups * PRODUCTS * tiles.blocks() * GROUP * DEPTH;
    let products = groups * PRODUCTS * GROUP * WIDTH;
    let padded = TILE * TILE * tiles.input.channels;
    with_scratch([left, products, padded], |[left, products, padded]| {
        let left = left.as_chunks_mut().0.as_chunks_mut().0;
        let products = products.as_chunks_mut().0.as_chunks_mut().0;
        Arch::new().dispatch(Run { tiles, of, positions, output, left, products, padded });
    });
}

struct Run<'a, T> {
    tiles: &'a Winograd,
    of: Correlation<'a, T>,
    positions: Positions,
    output: Output<'a, T>,
    left: &'a mut [Left<T>],
    products: &'a mut [Right<T>],
    /// Room for a tile of the input.
    padded: &'a mut [T],
}

impl<T: Real> WithSimd for Run<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let (channels, rows) = (self.tiles.output.channels, PRODUCTS * self.tiles.input.channels);
        while let Some(positions) = self.positions.split_off(batch::<T>(self.tiles)) {
            self.load(simd, positions.clone());
            for panel in self.of.panels(channels, rows) {
                self.multiply(simd, panel, positions.len());
                self.store(simd, panel, positions.clone());
            }
        }
    }
}

impl<T: Real> Run<'_, T> {
    #[inline(always)]
    fn load<S: Simd>(&mut self, simd: S, positions: Positions) {
        let groups = self.left.chunks_exact_mut(PRODUCTS * self.tiles.blocks());
        let mut positions = positions;
        for group in groups {
            for (slot, position) in (0..GROUP).zip(&mut positions) {
                self.tiles.load(simd, self.of.input, position, (slot, group), self.padded);
            }
        }
    }

    #[inline(always)]
    fn multiply<S: Simd>(&mut self, simd: S, panel: Panel<T>, count: usize) {
        let (channels, blocks) = (self.tiles.input.channels, PRODUCTS * self.tiles.blocks());
        for (index, filters) in panel.filters.chunks_exact(channels).enumerate() {
            let left = self.left.chunks_exact(blocks).take(count.div_ceil(GROUP));
            for (left, products) in left.zip(self.products.chunks_exact_mut(PRODUCTS)) {
                let left = left.iter().skip(index).step_by(PRODUCTS);
                if let Some(product) = products.get_mut(index) {
                    multiply(simd, left, filters.chunks(DEPTH), panel.width, product);
                }
            }
        }
    }

    #[inline(always)]
    fn store<S: Simd>(&mut self, simd: S, panel: Panel<T>, mut positions: Positions) {
        for products in self.products.chunks_exact(PRODUCTS) {
            for (slot, position) in (0..GROUP).zip(&mut positions) {
                self.tiles.store(simd, products, panel, position, slot, &mut self.output);
            }
        }
    }
}

/// Adds what some positions contribute to the gradient of the right matrices,
/// `[panels, PRODUCTS, blocks, DEPTH]`, to `sums`.
pub fn add_gradient<T: Real>(
    tiles: &Winograd,
    [input, gradient]: [&[T]; 2],
    positions: Positions,
    sums: &mut [[T; WIDTH]],
) {
    let groups = batch::<T>(tiles) / GROUP;
    let panels = tiles.output.channels.div_ceil(WIDTH);
    let left = groups * PRODUCTS * tiles.blocks() * GROUP * DEPTH;
    let right = groups * PRODUCTS * panels * GROUP * WIDTH;
    let padded = [TILE * TILE * tiles.input.channels, STEP * STEP * tiles.output.channels];
    with_scratch([left, right, padded[0], padded[1]], |[left, right, of_input, of_gradient]| {
        let left = left.as_chunks_mut().0.as_chunks_mut().0;
        let right = right.as_chunks_mut().0.as_chunks_mut().0;
        let sums = sums.as_chunks_mut().0;
        let padded = [of_input, of_gradient];
        let part = Part { tiles, input, gradient, panels, positions, left, right, padded, sums };
        Arch::new().dispatch(part);
    });
}

struct Part<'a, T> {
    tiles: &'a Winograd,
    input: &'a [T],
    gradient: &'a [T],
    panels: usize,
    positions: Positions,
    left: &'a mut [Left<T>],
    right: &'a mut [Right<T>],
    /// Room for a tile of the input, and of the gradient.
    padded: [&'a mut [T]; 2],
    sums: &'a mut [Transposed<T>],
}

impl<T: Real> WithSimd for Part<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        while let Some(positions) = self.positions.split_off(batch::<T>(self.tiles)) {
            let groups = positions.len().div_ceil(GROUP);
            self.load(simd, positions);
            self.multiply(simd, groups);
        }
    }
}

impl<T: Real> Part<'_, T> {
    #[inline(always)]
    fn load<S: Simd>(&mut self, simd: S, mut positions: Positions) {
        let left = self.left.chunks_exact_mut(PRODUCTS * self.tiles.blocks());
        let right = self.right.chunks_exact_mut(PRODUCTS * self.panels);
        let [of_input, of_gradient] = &mut self.padded;
        for (left, right) in left.zip(right) {
            for slot in 0..GROUP {
                if let Some(position) = positions.next() {
                    let of = (slot, &mut *left);
                    self.tiles.load(simd, self.input, position, of, of_input);
                    let of = (slot, &mut *right);
                    self.tiles.load_gradient(simd, self.gradient, position, of, of_gradient);
                } else {
                    clear(left, slot);
                    clear(right, slot);
                }
            }
        }
    }

    #[inline(always)]
    fn multiply<S: Simd>(&mut self, simd: S, groups: usize) {
        let (blocks, channels) = (self.tiles.blocks(), self.tiles.input.channels);
        let (lefts, rights) = (blocks * PRODUCTS, self.panels * PRODUCTS);
        let left = self.left.get(..groups * lefts).unwrap_or_default();
        let right = self.right.get(..groups * rights).unwrap_or_default();
        for (index, sums) in self.sums.chunks_exact_mut(blocks).enumerate() {
            let right = right.iter().skip(index).step_by(rights);
            let panel = panel_width(self.tiles.output.channels, index / PRODUCTS);
            let lefts_of = (index % PRODUCTS..).step_by(PRODUCTS).zip((0..channels).step_by(DEPTH));
            for (sums, (index, first)) in sums.iter_mut().zip(lefts_of) {
                let left = left.iter().skip(index).step_by(lefts);
                let rows = DEPTH.min(channels - first);
                multiply_transposed(simd, left, right.clone(), (rows, panel), sums);
            }
        }
    }
}

/// Rows that are no position add nothing.
#[inline(always)]
fn clear<T: Real, const W: usize>(blocks: &mut [[[T; W]; product::GROUP]], slot: usize) {
    for row in blocks.iter_mut().filter_map(|block| block.get_mut(slot)) {
        row.fill(T::zero());
    }
}
