use pulp::{Arch, Simd, WithSimd};

use super::super::super::micro_kernel::{
    self, BLOCK_ROWS, DEPTH, LhsBlock, PANEL, RhsBlock, TransposedProduct, matmul,
    matmul_transposed,
};
use super::super::super::simd_float::SimdFloat;
use super::super::super::workspace::with_workspace;
use super::super::algorithm::{ConvInputs, OutputSlice, Panel, panel_width};
use super::super::positions::Positions;
use super::{ELEMENTS, IN_TILE, OUT_TILE, Winograd};

/// Size in bytes of the LHS blocks of a batch of positions, so that they stay in the L2 cache.
const MAX_BATCH_BYTES: usize = 256 << 10;
/// Maximum number of positions per batch.
const MAX_POSITIONS: usize = 128;

/// Returns the number of positions that are processed together.
pub fn batch_size<T: SimdFloat>(conv: &Winograd) -> usize {
    let bytes = ELEMENTS * conv.blocks() * size_of::<LhsBlock<T>>();
    BLOCK_ROWS * (MAX_BATCH_BYTES / bytes.max(1)).clamp(1, MAX_POSITIONS / BLOCK_ROWS)
}

/// Computes the output of some positions.
pub fn correlate<T: SimdFloat>(
    conv: &Winograd,
    of: ConvInputs<T>,
    positions: Positions,
    output: OutputSlice<T>,
) {
    let groups = batch_size::<T>(conv) / BLOCK_ROWS;
    let left = groups * ELEMENTS * conv.blocks() * BLOCK_ROWS * DEPTH;
    let products = groups * ELEMENTS * BLOCK_ROWS * PANEL;
    let padded = IN_TILE * IN_TILE * conv.input.channels;
    with_workspace([left, products, padded], |[left, products, padded]| {
        let left = left.as_chunks_mut().0.as_chunks_mut().0;
        let products = products.as_chunks_mut().0.as_chunks_mut().0;
        Arch::new().dispatch(ForwardTask { conv, of, positions, output, left, products, padded });
    });
}

struct ForwardTask<'a, T> {
    conv: &'a Winograd,
    of: ConvInputs<'a, T>,
    positions: Positions,
    output: OutputSlice<'a, T>,
    left: &'a mut [LhsBlock<T>],
    products: &'a mut [RhsBlock<T>],
    /// Room for a padded input tile.
    padded: &'a mut [T],
}

impl<T: SimdFloat> WithSimd for ForwardTask<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let (channels, rows) = (self.conv.output.channels, ELEMENTS * self.conv.element_rows());
        while let Some(positions) = self.positions.split_front(batch_size::<T>(self.conv)) {
            self.load(simd, positions.clone());
            for panel in self.of.panels(channels, rows) {
                self.multiply(simd, panel, positions.len());
                self.store(simd, panel, positions.clone());
            }
        }
    }
}

impl<T: SimdFloat> ForwardTask<'_, T> {
    #[inline(always)]
    fn load<S: Simd>(&mut self, simd: S, positions: Positions) {
        let groups = self.left.chunks_exact_mut(ELEMENTS * self.conv.blocks());
        let mut positions = positions;
        for group in groups {
            for (slot, position) in (0..BLOCK_ROWS).zip(&mut positions) {
                self.conv.load(simd, self.of.input, position, (slot, group), self.padded);
            }
        }
    }

    #[inline(always)]
    fn multiply<S: Simd>(&mut self, simd: S, panel: Panel<T>, count: usize) {
        let (channels, blocks) = (self.conv.input.channels, ELEMENTS * self.conv.blocks());
        let filters = panel.filters.chunks_exact(self.conv.element_rows());
        let filters = filters.filter_map(|filters| filters.get(..channels));
        for (index, filters) in filters.enumerate() {
            let left = self.left.chunks_exact(blocks).take(count.div_ceil(BLOCK_ROWS));
            for (left, products) in left.zip(self.products.chunks_exact_mut(ELEMENTS)) {
                let left = left.iter().skip(index).step_by(ELEMENTS);
                if let Some(product) = products.get_mut(index) {
                    matmul(simd, left, filters.chunks(DEPTH), panel.width, product);
                }
            }
        }
    }

    #[inline(always)]
    fn store<S: Simd>(&mut self, simd: S, panel: Panel<T>, mut positions: Positions) {
        for products in self.products.chunks_exact(ELEMENTS) {
            for (slot, position) in (0..BLOCK_ROWS).zip(&mut positions) {
                self.conv.store(simd, products, panel, position, slot, &mut self.output);
            }
        }
    }
}

/// Adds the contribution of some positions to the gradient of the packed filters,
/// `[panels, ELEMENTS, blocks, DEPTH]`, to `sums`.
pub fn add_filter_gradient<T: SimdFloat>(
    conv: &Winograd,
    [input, gradient]: [&[T]; 2],
    positions: Positions,
    sums: &mut [[T; PANEL]],
) {
    let groups = batch_size::<T>(conv) / BLOCK_ROWS;
    let panels = conv.output.channels.div_ceil(PANEL);
    let left = groups * ELEMENTS * conv.blocks() * BLOCK_ROWS * DEPTH;
    let right = groups * ELEMENTS * panels * BLOCK_ROWS * PANEL;
    let padded =
        [IN_TILE * IN_TILE * conv.input.channels, OUT_TILE * OUT_TILE * conv.output.channels];
    with_workspace([left, right, padded[0], padded[1]], |[left, right, of_input, of_gradient]| {
        let left = left.as_chunks_mut().0.as_chunks_mut().0;
        let right = right.as_chunks_mut().0.as_chunks_mut().0;
        let sums = sums.as_chunks_mut().0;
        let padded = [of_input, of_gradient];
        let part =
            GradientTask { conv, input, gradient, panels, positions, left, right, padded, sums };
        Arch::new().dispatch(part);
    });
}

struct GradientTask<'a, T> {
    conv: &'a Winograd,
    input: &'a [T],
    gradient: &'a [T],
    panels: usize,
    positions: Positions,
    left: &'a mut [LhsBlock<T>],
    right: &'a mut [RhsBlock<T>],
    /// Room for a padded tile of the input, and of the output gradient.
    padded: [&'a mut [T]; 2],
    sums: &'a mut [TransposedProduct<T>],
}

impl<T: SimdFloat> WithSimd for GradientTask<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        while let Some(positions) = self.positions.split_front(batch_size::<T>(self.conv)) {
            let groups = positions.len().div_ceil(BLOCK_ROWS);
            self.load(simd, positions);
            self.multiply(simd, groups);
        }
    }
}

impl<T: SimdFloat> GradientTask<'_, T> {
    #[inline(always)]
    fn load<S: Simd>(&mut self, simd: S, mut positions: Positions) {
        let left = self.left.chunks_exact_mut(ELEMENTS * self.conv.blocks());
        let right = self.right.chunks_exact_mut(ELEMENTS * self.panels);
        let [of_input, of_gradient] = &mut self.padded;
        for (left, right) in left.zip(right) {
            for slot in 0..BLOCK_ROWS {
                if let Some(position) = positions.next() {
                    let of = (slot, &mut *left);
                    self.conv.load(simd, self.input, position, of, of_input);
                    let of = (slot, &mut *right);
                    self.conv.load_gradient(simd, self.gradient, position, of, of_gradient);
                } else {
                    clear(left, slot);
                    clear(right, slot);
                }
            }
        }
    }

    #[inline(always)]
    fn multiply<S: Simd>(&mut self, simd: S, groups: usize) {
        let (blocks, channels) = (self.conv.blocks(), self.conv.input.channels);
        let (lefts, rights) = (blocks * ELEMENTS, self.panels * ELEMENTS);
        let left = self.left.get(..groups * lefts).unwrap_or_default();
        let right = self.right.get(..groups * rights).unwrap_or_default();
        for (index, sums) in self.sums.chunks_exact_mut(blocks).enumerate() {
            let right = right.iter().skip(index).step_by(rights);
            let panel = panel_width(self.conv.output.channels, index / ELEMENTS);
            let lefts_of = (index % ELEMENTS..).step_by(ELEMENTS).zip((0..channels).step_by(DEPTH));
            for (sums, (index, first)) in sums.iter_mut().zip(lefts_of) {
                let left = left.iter().skip(index).step_by(lefts);
                let rows = DEPTH.min(channels - first);
                matmul_transposed(simd, left, right.clone(), (rows, panel), sums);
            }
        }
    }
}

/// Zeroes the rows without a position.
#[inline(always)]
fn clear<T: SimdFloat, const W: usize>(
    blocks: &mut [[[T; W]; micro_kernel::BLOCK_ROWS]],
    slot: usize,
) {
    for row in blocks.iter_mut().filter_map(|block| block.get_mut(slot)) {
        row.fill(T::zero());
    }
}
