use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::super::product::{
    self, DEPTH, GROUP, Left, Right, Transposed, WIDTH, multiply, multiply_transposed,
};
use super::super::real::Real;
use super::super::scratch::{Buffer, with_scratch};
use super::grid::Positions;
use super::scheme::{Output, Panel, Scheme, panel_width};

/// How many bytes of left blocks are filled before they are multiplied, so that they stay in the
/// second cache.
const BATCH: usize = 256 << 10;
/// The most positions of a batch.
const POSITIONS: usize = 128;

impl super::scheme::Depth {
    /// Left blocks from left to right.
    pub fn blocks(self) -> usize {
        self.runs * self.run.div_ceil(DEPTH)
    }

    /// Rows of the right matrix.
    pub fn rows(self) -> usize {
        self.runs * self.run
    }

    /// The columns of each left block that count.
    fn widths(self) -> impl Iterator<Item = usize> {
        let run = (0..self.run).step_by(DEPTH).map(move |start| (self.run - start).min(DEPTH));
        std::iter::repeat_n(run, self.runs).flatten()
    }
}

/// How many positions are worked on at once.
pub fn batch<T: Real, A: Scheme<T>>(scheme: &A) -> usize {
    let bytes = A::PRODUCTS * scheme.depth().blocks() * size_of::<Left<T>>();
    GROUP * (BATCH / bytes.max(1)).clamp(1, POSITIONS / GROUP)
}

/// A convolution, with the filters as its right matrices.
pub struct Correlation<'a, T, A> {
    pub scheme: A,
    pub input: &'a [T],
    /// `[panels, products, depth]`
    pub filters: &'a [[T; WIDTH]],
    /// `[panels]`
    pub bias: &'a [[T; WIDTH]],
}

impl<T: Real, A: Scheme<T>> Correlation<'_, T, A> {
    /// Computes some positions.
    pub fn run(&self, positions: Positions, output: Output<T>) {
        let groups = batch(&self.scheme) / GROUP;
        let left = groups * A::PRODUCTS * self.scheme.depth().blocks() * GROUP * DEPTH;
        let products = groups * A::PRODUCTS * GROUP * WIDTH;
        with_scratch([left, products], |[left, products]| {
            let left = left.as_chunks_mut().0.as_chunks_mut().0;
            let products = products.as_chunks_mut().0.as_chunks_mut().0;
            let correlation = self;
            Arch::new().dispatch(Run { correlation, positions, output, left, products });
        });
    }
}

struct Run<'a, T, A> {
    correlation: &'a Correlation<'a, T, A>,
    positions: Positions,
    output: Output<'a, T>,
    left: &'a mut [Left<T>],
    products: &'a mut [Right<T>],
}

impl<T: Real, A: Scheme<T>> WithSimd for Run<'_, T, A> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let Correlation { scheme, filters, bias, .. } = self.correlation;
        let count = batch(scheme);
        while let Some(positions) = self.positions.split_off(count) {
            self.load(simd, positions.clone());
            let rows = A::PRODUCTS * scheme.depth().rows();
            for (index, bias) in bias.iter().enumerate() {
                let filters = filters.get(index * rows..(index + 1) * rows).unwrap_or_default();
                let width = panel_width(scheme.output().channels, index);
                self.multiply(simd, filters, width, positions.len());
                self.store(simd, Panel { index, width, bias }, positions.clone());
            }
        }
    }
}

impl<T: Real, A: Scheme<T>> Run<'_, T, A> {
    #[inline(always)]
    fn load<S: Simd>(&mut self, simd: S, positions: Positions) {
        let Correlation { scheme, input, .. } = self.correlation;
        let groups = self.left.chunks_exact_mut(A::PRODUCTS * scheme.depth().blocks());
        let mut positions = positions;
        for group in groups {
            for (slot, position) in (0..GROUP).zip(&mut positions) {
                scheme.load(simd, input, position, slot, group);
            }
        }
    }

    #[inline(always)]
    fn multiply<S: Simd>(&mut self, simd: S, filters: &[[T; WIDTH]], width: usize, count: usize) {
        let depth = self.correlation.scheme.depth();
        let blocks = A::PRODUCTS * depth.blocks();
        for (index, filters) in filters.chunks_exact(depth.rows()).enumerate() {
            let left = self.left.chunks_exact(blocks).take(count.div_ceil(GROUP));
            let filters = filters.chunks(depth.run).flat_map(|run| run.chunks(DEPTH));
            for (left, products) in left.zip(self.products.chunks_exact_mut(A::PRODUCTS)) {
                let left = left.iter().skip(index).step_by(A::PRODUCTS);
                if let Some(product) = products.get_mut(index) {
                    multiply(simd, left, filters.clone(), width, product);
                }
            }
        }
    }

    #[inline(always)]
    fn store<S: Simd>(&mut self, simd: S, panel: Panel<T>, mut positions: Positions) {
        let scheme = &self.correlation.scheme;
        for products in self.products.chunks_exact(A::PRODUCTS) {
            for (slot, position) in (0..GROUP).zip(&mut positions) {
                scheme.store(simd, products, panel, position, slot, &mut self.output);
            }
        }
    }
}

/// The gradient of the filters of a convolution.
pub struct FilterGradient<'a, T, A> {
    pub scheme: A,
    pub input: &'a [T],
    pub gradient: &'a [T],
    pub panels: usize,
}

impl<T: Real, A: Scheme<T>> FilterGradient<'_, T, A> {
    /// `[panels, products, blocks, DEPTH, WIDTH]`, which each of `parts` adds to.
    pub fn parts(&self, parts: impl IndexedParallelIterator<Item = Positions>) -> Vec<Buffer> {
        parts.map(|positions| self.part(positions)).collect()
    }

    fn part(&self, positions: Positions) -> Buffer {
        let groups = batch(&self.scheme) / GROUP;
        let blocks = A::PRODUCTS * self.scheme.depth().blocks();
        let mut sums = Buffer::new::<T>(self.panels * blocks * DEPTH * WIDTH);
        let left = groups * blocks * GROUP * DEPTH;
        let right = groups * A::PRODUCTS * self.panels * GROUP * WIDTH;
        with_scratch([left, right], |[left, right]| {
            let left = left.as_chunks_mut().0.as_chunks_mut().0;
            let right = right.as_chunks_mut().0.as_chunks_mut().0;
            let sums = sums.numbers_mut().as_chunks_mut().0.as_chunks_mut().0;
            Arch::new().dispatch(Part { gradient: self, positions, left, right, sums });
        });
        sums
    }
}

struct Part<'a, T, A> {
    gradient: &'a FilterGradient<'a, T, A>,
    positions: Positions,
    left: &'a mut [Left<T>],
    right: &'a mut [Right<T>],
    sums: &'a mut [Transposed<T>],
}

impl<T: Real, A: Scheme<T>> WithSimd for Part<'_, T, A> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let count = batch(&self.gradient.scheme);
        while let Some(positions) = self.positions.split_off(count) {
            let groups = positions.len().div_ceil(GROUP);
            self.load(simd, positions);
            self.multiply(simd, groups);
        }
    }
}

impl<T: Real, A: Scheme<T>> Part<'_, T, A> {
    #[inline(always)]
    fn load<S: Simd>(&mut self, simd: S, mut positions: Positions) {
        let FilterGradient { scheme, input, gradient, panels } = self.gradient;
        let left = self.left.chunks_exact_mut(A::PRODUCTS * scheme.depth().blocks());
        let right = self.right.chunks_exact_mut(A::PRODUCTS * panels);
        for (left, right) in left.zip(right) {
            for slot in 0..GROUP {
                if let Some(position) = positions.next() {
                    scheme.load(simd, input, position, slot, left);
                    scheme.load_gradient(simd, gradient, position, slot, right);
                } else {
                    clear(left, slot);
                    clear(right, slot);
                }
            }
        }
    }

    #[inline(always)]
    fn multiply<S: Simd>(&mut self, simd: S, groups: usize) {
        let depth = self.gradient.scheme.depth();
        let (lefts, rights) = (depth.blocks() * A::PRODUCTS, self.gradient.panels * A::PRODUCTS);
        let left = self.left.get(..groups * lefts).unwrap_or_default();
        let right = self.right.get(..groups * rights).unwrap_or_default();
        for (index, sums) in self.sums.chunks_exact_mut(depth.blocks()).enumerate() {
            let right = right.iter().skip(index).step_by(rights);
            let panel = panel_width(self.gradient.scheme.output().channels, index / A::PRODUCTS);
            let lefts_of = (index % A::PRODUCTS..).step_by(A::PRODUCTS).zip(depth.widths());
            for (sums, (index, width)) in sums.iter_mut().zip(lefts_of) {
                let left = left.iter().skip(index).step_by(lefts);
                multiply_transposed(simd, left, right.clone(), (width, panel), sums);
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
